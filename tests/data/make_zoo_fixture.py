"""Writes zoo_small.npz: narrow ST-GCN++ and CTR-GCN in PyTorch, run forward and backward.

    python -m tests.data.make_zoo_fixture
    python -m tests.data.make_zoo_fixture --weights hagrid.pth

The second call compares a public ST-GCN++ checkpoint with ours instead. Stored are inputs
[b t m v c] and, under our names: random weights and running statistics, evaluation and training
logits, gradients and updated running statistics.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from jaxact.models.layers.adjacency import Adjacency
from tests.data.zoo_networks import Network, graph


def ours(state: Mapping[str, Any], parts: int, count: int) -> dict[str, np.ndarray]:
    """A state dict, or the gradients of one, under our names ("params/unit0/spatial/kernel")."""
    s = {name: np.asarray(value.detach()) for name, value in state.items()}
    out: dict[str, np.ndarray] = {}

    def norm(path: str, names: list[str]) -> None:
        rows = {"weight": "params scale", "bias": "params bias"}
        for theirs, mine in (
            rows | {"running_mean": "batch_stats mean", "running_var": "batch_stats var"}
        ).items():
            if f"{names[0]}.{theirs}" in s:
                collection, leaf = mine.split()
                out[f"{collection}/{path}/{leaf}"] = np.concatenate(
                    [s[f"{name}.{theirs}"] for name in names]
                )

    def dense(path: str, names: list[str], join=lambda arrays: np.concatenate(arrays, -1)) -> None:
        out[f"params/{path}kernel"] = join([s[f"{name}.weight"][:, :, 0, 0].T for name in names])
        out[f"params/{path}bias"] = join([s[f"{name}.bias"] for name in names])

    norm("data_norm", ["backbone.data_bn"])
    out["params/head/kernel"], out["params/head/bias"] = (
        s["cls_head.fc_cls.weight"].T,
        s["cls_head.fc_cls.bias"],
    )
    for number in range(
        len({name.split(".")[2] for name in s if name.startswith("backbone.gcn.")})
    ):
        unit, prefix = f"unit{number}", f"backbone.gcn.{number}"
        out[f"params/{unit}/spatial/adjacency"] = s[f"{prefix}.gcn.A"]
        if f"{prefix}.gcn.alpha" in s:
            out[f"params/{unit}/spatial/alpha"] = s[f"{prefix}.gcn.alpha"]
            for name in ("psi", "phi", "value", "xi"):
                lead = (
                    (lambda rows: np.stack(rows))
                    if name == "xi"
                    else (lambda rows: np.stack(rows, -2))
                )
                dense(
                    f"{unit}/spatial/{name}_",
                    [f"{prefix}.gcn.{name}.{k}" for k in range(parts)],
                    lead,
                )
        else:
            weight, bias = s[f"{prefix}.gcn.conv.weight"], s[f"{prefix}.gcn.conv.bias"]
            out[f"params/{unit}/spatial/kernel"] = (
                weight[:, :, 0, 0].reshape(parts, -1, weight.shape[1]).transpose(2, 0, 1)
            )
            out[f"params/{unit}/spatial/bias"] = bias.reshape(parts, -1)
        norm(f"{unit}/spatial/norm", [f"{prefix}.gcn.bn"])
        for ending, (conv, bn) in {"gcn.down": ("0", "1"), "residual": ("conv", "bn")}.items():
            if f"{prefix}.{ending}.{conv}.weight" in s:
                place = f"{unit}/spatial/shortcut" if ending == "gcn.down" else f"{unit}/shortcut"
                dense(f"{place}/", [f"{prefix}.{ending}.{conv}"])
                norm(f"{place}/norm", [f"{prefix}.{ending}.{bn}"])
        mixed, branch = (
            f"{prefix}.tcn.bn.weight" in s,
            [f"{prefix}.tcn.branches.{i}" for i in range(count)],
        )
        dense(
            f"{unit}/temporal/reduce_",
            [*(f"{b}.0" for b in branch[:-1]), branch[-1] + ("" if mixed else ".0")],
        )
        norm(f"{unit}/temporal/reduce_norm", [f"{b}.1" for b in branch[:-1]])
        for i, b in enumerate(branch[:-2]):
            out[f"params/{unit}/temporal/branch{i}_kernel"] = s[f"{b}.3.conv.weight"][
                ..., 0
            ].transpose(2, 1, 0)
            out[f"params/{unit}/temporal/branch{i}_bias"] = s[f"{b}.3.conv.bias"]
        if mixed:
            norm(f"{unit}/temporal/norm", [f"{prefix}.tcn.transform.0"])
            dense(f"{unit}/temporal/mix_", [f"{prefix}.tcn.transform.2"])
            norm(f"{unit}/temporal/mix_norm", [f"{prefix}.tcn.bn"])
        else:
            norm(f"{unit}/temporal/norm", [*(f"{b}.4" for b in branch[:-1]), f"{branch[-1]}.1"])
    return out


CASES = {
    "stgcnpp": (False, 6, [(7, 1), (14, 2)]),
    "ctrgcn": (True, 4, [(8, 1), (8, 1), (16, 2)]),
}  # refined, branches, units


def run(name: str) -> dict[str, np.ndarray]:
    """Every number of one network, keys prefixed by its name."""
    refined, branches, units = CASES[name]
    torch.manual_seed(0)
    model = Network(3, 4, units, graph(), refined)
    for key, value in model.state_dict().items():
        if (value.ndim == 1 and key.endswith(("running_var", "weight"))) or key.endswith("alpha"):
            value.uniform_(0.5, 1.5)
        elif key.endswith(("bias", "running_mean")):
            value.normal_(0, 0.2)
        elif key.endswith(".A"):
            value.add_(torch.randn_like(value) * 0.2)
    inputs, labels = torch.randn(3, 11, 2, 5, 3), torch.tensor([1, 0, 3])
    before = ours({k: v.clone() for k, v in model.state_dict().items()}, 3, branches)
    out = {"inputs": inputs.numpy(), "labels": labels.numpy(), **before}
    out["eval_logits"] = model.eval()(inputs).detach().numpy()
    logits = model.train()(inputs)
    nn.functional.cross_entropy(logits, labels).backward()
    gradients = ours({k: v.grad for k, v in model.named_parameters()}, 3, branches)
    updated = ours(model.state_dict(), 3, branches)
    out |= {f"gradient/{k.removeprefix('params/')}": v for k, v in gradients.items()}
    out |= {
        f"updated/{k.removeprefix('batch_stats/')}": v
        for k, v in updated.items()
        if k.startswith("batch_stats")
    }
    return {f"{name}/{k}": v for k, v in (out | {"train_logits": logits.detach().numpy()}).items()}


def compare(path: str) -> None:
    """Largest difference between the logits of a public ST-GCN++ checkpoint here and in jaxact, on
    random clips.
    """
    import jax.numpy as jnp
    from flax.traverse_util import unflatten_dict

    from jaxact.models import stgcnpp
    from jaxact.models.layers import formulation, multi_branch_network

    state = torch.load(path, weights_only=True, map_location="cpu")
    sizes = [
        len(v)
        for k, v in state.items()
        if k.startswith("backbone.gcn.") and k.endswith("gcn.bn.weight")
    ]
    network = {len(rows): name for name, rows in multi_branch_network.VARIANTS.items()}[len(sizes)]
    adjacency, classes = state["backbone.gcn.0.gcn.A"], len(state["cls_head.fc_cls.bias"])
    channels = state["backbone.gcn.0.gcn.conv.weight"].shape[1]
    strides = [stride for _, stride in multi_branch_network.VARIANTS[network]]
    theirs = Network(
        channels, classes, list(zip(sizes, strides, strict=True)), adjacency, False
    ).eval()
    theirs.load_state_dict(state)
    variables = unflatten_dict(
        {k: jnp.asarray(v) for k, v in ours(state, len(adjacency), 6).items()}, sep="/"
    )
    model = stgcnpp.STGCNPP(classes, Adjacency(adjacency.numpy()), network=network, width=sizes[0])
    for name in ("direct", "cpu"):
        for frames, persons in ((10, 1), (33, 2), (100, 2)):
            inputs = torch.randn(4, frames, persons, adjacency.shape[1], channels)
            expected = theirs(inputs).detach().numpy()
            with formulation.formulation(name):
                logits = np.asarray(model.apply(variables, jnp.asarray(inputs.numpy())))
            largest = np.abs(expected).max()
            error = np.abs(logits - expected).max() / largest
            print(
                f"{name} formulation, T={frames} M={persons}: {error:.1e} of the largest logit "
                f"{largest:.2f}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", help="a public ST-GCN++ checkpoint to compare with")
    options = parser.parse_args()
    if options.weights:
        compare(options.weights)
    else:
        np.savez_compressed(
            Path(__file__).with_name("zoo_small.npz"),
            allow_pickle=False,
            **run("stgcnpp"),
            **run("ctrgcn"),
        )
