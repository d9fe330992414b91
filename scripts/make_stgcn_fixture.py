"""Writes tests/data/stgcn_public_small.npz: a narrow network of the public PyTorch ST-GCN, run forward and backward.

    git clone https://github.com/yysijie/st-gcn && git -C st-gcn checkout 221c0e1
    python scripts/make_stgcn_fixture.py st-gcn

For each graph: inputs [n c t v m], labels, every weight (drawn at random, running statistics too), evaluation logits,
and of one training forward and backward without dropout: logits, loss, gradients, updated running statistics. Seeds are
tried until no ReLU's input is within 4e-6 of zero, where rounding would decide the gradient.
"""

import argparse
import itertools
import sys

import numpy as np

CASES = {"ntu-rgb+d": (25, 64, 2), "openpose": (18, 150, 1)}  # joints, frames, persons
WIDTHS = (3, 4, 4, 4, 4, 8, 8, 8, 16, 16, 16)


def small_network(graph: str):
    """The public model with its blocks replaced by the same blocks of a sixteenth of the width."""
    import torch
    from net import st_gcn  # pyright: ignore[reportMissingImports]

    model = st_gcn.Model(3, 7, {"layout": graph, "strategy": "spatial"}, True, dropout=0)
    sizes = itertools.pairwise(WIDTHS)
    blocks = (st_gcn.st_gcn(c, d, (9, 3), 1 + (i in (4, 7)), residual=i > 0) for i, (c, d) in enumerate(sizes))
    model.st_gcn_networks = torch.nn.ModuleList(blocks)
    model.fcn = torch.nn.Conv2d(WIDTHS[-1], 7, kernel_size=1)
    for name, value in model.state_dict().items():
        if (name.endswith(("running_var", "weight")) and value.ndim == 1) or name.startswith("edge_importance"):
            value.uniform_(0.5, 1.5)
        elif name.endswith(("bias", "running_mean")):
            value.normal_(0, 0.2)
    return model


def run(graph: str, seed: int) -> dict[str, np.ndarray] | None:
    """Every number of one graph, keys prefixed by its name; None where a ReLU is undecided."""
    import torch

    torch.manual_seed(seed)
    model, near = small_network(graph), []
    joints, frames, persons = CASES[graph]
    inputs, labels = torch.randn(2, 3, frames, joints, persons), torch.tensor([1, 5])
    out = {"inputs": inputs, "labels": labels}
    out |= {f"state/{name}": value.clone() for name, value in model.state_dict().items() if "num_batches" not in name}
    out["eval_logits"] = model.eval()(inputs)
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(lambda _, args: near.append(args[0].abs().min().item()))
    out["train_logits"] = model.train()(inputs)
    if min(near) < 4e-6:
        return None
    out["loss"] = torch.nn.functional.cross_entropy(out["train_logits"], labels)
    out["loss"].backward()
    out |= {f"gradient/{name}": value.grad for name, value in model.named_parameters()}
    out |= {f"updated/{name}": value for name, value in model.state_dict().items() if "running" in name}
    return {f"{graph}/{key}": value.detach().numpy() for key, value in out.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", help="folder of the public code")
    sys.path.insert(0, parser.parse_args().checkout)
    cases = [next(filter(None, (run(graph, seed) for seed in itertools.count()))) for graph in CASES]
    np.savez_compressed("tests/data/stgcn_public_small.npz", allow_pickle=False, **cases[0], **cases[1])
