"""Writes NAME_public_small.npz: narrow networks of the public PyTorch code, forward and backward.

    git clone https://github.com/yysijie/st-gcn && git -C st-gcn checkout 221c0e1
    python -m tests.data.make_stgcn_fixture stgcn st-gcn
    git -C st-gcn checkout 38b1e44       # the first version, which holds the baseline TCN
    python -m tests.data.make_stgcn_fixture tcn st-gcn

For each case: inputs [n c t v m], labels, every weight (drawn at random, running statistics too),
evaluation logits, and of one training forward and backward without dropout: logits, loss,
gradients, updated running statistics. Seeds are tried until no ReLU's input is within 4e-6 of zero,
where rounding would decide the gradient.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

CASES = {  # joints, frames, persons
    "stgcn": {"ntu-rgb+d": (25, 64, 2), "openpose": (18, 150, 1)},
    "tcn": {"five": (5, 50, 2)},
}
WIDTHS = (3, 4, 4, 4, 4, 8, 8, 8, 16, 16, 16)


def stgcn(graph: str):
    """The public ST-GCN with its blocks replaced by the same blocks of a sixteenth of the width."""
    import torch
    from net import st_gcn  # pyright: ignore[reportMissingImports]

    model = st_gcn.Model(3, 7, {"layout": graph, "strategy": "spatial"}, True, dropout=0)
    sizes = itertools.pairwise(WIDTHS)
    blocks = (
        st_gcn.st_gcn(c, d, (9, 3), 1 + (i in (4, 7)), residual=i > 0)
        for i, (c, d) in enumerate(sizes)
    )
    model.st_gcn_networks = torch.nn.ModuleList(blocks)
    model.fcn = torch.nn.Conv2d(WIDTHS[-1], 7, kernel_size=1)
    return model


def tcn(case: str):
    """The public baseline TCN, as narrow, its dropout off."""
    import torch
    from st_gcn.net import tcn  # pyright: ignore[reportMissingImports]

    joints, frames, persons = CASES["tcn"][case]
    channels = 3 * joints * persons
    model = tcn.Model(channels, 7, frames, use_data_bn=True)
    model.conv0 = torch.nn.Conv1d(channels, WIDTHS[1], kernel_size=9, padding=4)
    for i, (c, d) in enumerate(itertools.pairwise(WIDTHS[1:]), 1):
        setattr(model, f"unit{i}", tcn.TCN_unit(c, d, stride=1 + (i in (4, 7))))
    model.bn, model.fcn = (
        torch.nn.BatchNorm1d(WIDTHS[-1]),
        torch.nn.Conv1d(WIDTHS[-1], 7, kernel_size=1),
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def run(network: str, case: str, seed: int) -> dict[str, np.ndarray] | None:
    """Every number of one case, keys prefixed by its name; None where a ReLU is undecided."""
    import torch

    torch.manual_seed(seed)
    model, near = {"stgcn": stgcn, "tcn": tcn}[network](case), []
    for name, value in model.state_dict().items():
        if (name.endswith(("running_var", "weight")) and value.ndim == 1) or name.startswith(
            "edge_importance"
        ):
            value.uniform_(0.5, 1.5)
        elif name.endswith(("bias", "running_mean")):
            value.normal_(0, 0.2)
    joints, frames, persons = CASES[network][case]
    inputs, labels = torch.randn(2, 3, frames, joints, persons), torch.tensor([1, 5])
    out = {"inputs": inputs, "labels": labels}
    out |= {
        f"state/{name}": value.clone()
        for name, value in model.state_dict().items()
        if "num_batches" not in name
    }
    out["eval_logits"] = model.eval()(inputs)
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(
                lambda _, args: near.append(args[0].abs().min().item())
            )
    out["train_logits"] = model.train()(inputs)
    if min(near) < 4e-6:
        return None
    out["loss"] = torch.nn.functional.cross_entropy(out["train_logits"], labels)
    out["loss"].backward()
    out |= {f"gradient/{name}": value.grad for name, value in model.named_parameters()}
    out |= {
        f"updated/{name}": value for name, value in model.state_dict().items() if "running" in name
    }
    return {f"{case}/{key}": value.detach().numpy() for key, value in out.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=CASES)
    parser.add_argument("checkout", help="folder of the public code")
    options = parser.parse_args()
    sys.path.insert(0, options.checkout)
    numbers = {}
    for case in CASES[options.network]:
        numbers |= next(
            filter(None, (run(options.network, case, seed) for seed in itertools.count()))
        )
    np.savez_compressed(
        Path(__file__).with_name(f"{options.network}_public_small.npz"),
        allow_pickle=False,
        **numbers,
    )
