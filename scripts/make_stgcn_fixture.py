"""Writes tests/data/stgcn_public_small.npz: a narrow network of the public PyTorch ST-GCN, run forward and backward.

    git clone https://github.com/yysijie/st-gcn && git -C st-gcn checkout 221c0e1
    python scripts/make_stgcn_fixture.py st-gcn

For each graph: inputs [n c t v m], labels, every weight (drawn at random, running statistics too), evaluation logits,
and of one training forward and backward without dropout: logits, loss, gradients, updated running statistics.
"""

import argparse
import sys

import numpy as np

CASES = {"ntu-rgb+d": (25, 64, 2), "openpose": (18, 150, 1)}  # joints, frames, persons
WIDTHS = [
    (3, 8, 1),
    (8, 8, 1),
    (8, 8, 1),
    (8, 8, 1),
    (8, 16, 2),
    (16, 16, 1),
    (16, 16, 1),
    (16, 32, 2),
    (32, 32, 1),
    (32, 32, 1),
]
CLASSES = 7


def small_network(graph: str):
    """The public model with its blocks replaced by the same blocks of an eighth of the width."""
    import torch
    from net import st_gcn

    model = st_gcn.Model(3, CLASSES, {"layout": graph, "strategy": "spatial"}, True, dropout=0)
    blocks = [st_gcn.st_gcn(c, d, (9, 3), stride, residual=i > 0) for i, (c, d, stride) in enumerate(WIDTHS)]
    model.st_gcn_networks = torch.nn.ModuleList(blocks)
    model.fcn = torch.nn.Conv2d(WIDTHS[-1][1], CLASSES, kernel_size=1)
    for name, value in model.state_dict().items():
        if name.endswith(("running_var", "weight")) and value.ndim == 1 or name.startswith("edge_importance"):
            value.uniform_(0.5, 1.5)
        elif name.endswith(("bias", "running_mean")):
            value.normal_(0, 0.2)
    return model


def run(graph: str) -> dict[str, np.ndarray]:
    """Every number of one graph, keys prefixed by its name."""
    import torch

    joints, frames, persons = CASES[graph]
    torch.manual_seed(0)
    model = small_network(graph)
    inputs, labels = torch.randn(2, 3, frames, joints, persons), torch.tensor([1, 5])
    out = {"inputs": inputs, "labels": labels}
    out |= {f"state/{name}": value.clone() for name, value in model.state_dict().items() if "num_batches" not in name}
    out["eval_logits"] = model.eval()(inputs)
    out["train_logits"] = model.train()(inputs)
    out["loss"] = torch.nn.functional.cross_entropy(out["train_logits"], labels)
    out["loss"].backward()
    out |= {f"gradient/{name}": value.grad for name, value in model.named_parameters()}
    out |= {f"updated/{name}": value for name, value in model.state_dict().items() if "running" in name}
    return {f"{graph}/{key}": value.detach().numpy() for key, value in out.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", help="folder of the public code")
    sys.path.insert(0, parser.parse_args().checkout)
    np.savez_compressed("tests/data/stgcn_public_small.npz", **{k: v for graph in CASES for k, v in run(graph).items()})
