"""Writes tests/data/zoo_small.npz: narrow ST-GCN++ and CTR-GCN built in PyTorch, run forward and
backward.

    python scripts/make_zoo_fixture.py
    python scripts/make_zoo_fixture.py --weights hagrid.pth   # compares a public ST-GCN++ checkpoint with ours instead

Built layer by layer from the papers, one module per branch, on [n c t v]; a module's name is the
one it has in pyskl's ST-GCN++ checkpoints, so that these load. Stored are inputs [b t m v c] and,
under our names: weights (drawn at random, running statistics too), evaluation and training logits,
gradients and updated running statistics.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from jaxact.models.layers.adjacency import Adjacency

CHAIN = np.array(
    [(1, 0), (2, 1), (3, 1), (4, 2)]
)  # child, parent: a skeleton of five joints around joint 0


def graph() -> torch.Tensor:
    """The joint itself, its parent, its children: [part, source, target], each column a mean."""
    a = np.stack([np.eye(5), np.zeros((5, 5)), np.zeros((5, 5))])
    a[1][CHAIN[:, 1], CHAIN[:, 0]] = a[2][CHAIN[:, 0], CHAIN[:, 1]] = 1
    return torch.tensor(a / np.maximum(a.sum(1, keepdims=True), 1), dtype=torch.float32)


def convolution(c: int, d: int, taps: int = 1, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    half = taps // 2 * dilation
    return nn.Conv2d(c, d, (taps, 1), (stride, 1), (half, 0), (dilation, 1))


class Named(nn.Module):
    """A module with children of given names."""

    def __init__(self, **children: nn.Module):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)

    def __getattr__(self, name: str) -> Any:  # PyTorch's own is Tensor | Module
        return super().__getattr__(name)


class Spatial(Named):
    """Graph convolution: free (ST-GCN++) or refined per channel (CTR-GCN)."""

    def __init__(self, c: int, d: int, a: torch.Tensor, refined: bool):
        super().__init__()
        self.A, self.bn, self.refined, self.parts = (
            nn.Parameter(a.clone()),
            nn.BatchNorm2d(d),
            refined,
            len(a),
        )
        self.down = nn.Sequential(nn.Conv2d(c, d, 1), nn.BatchNorm2d(d)) if c != d else None
        if refined:
            r = max(c // 8, 8)
            self.alpha = nn.Parameter(torch.zeros(()))
            for name, sizes in {
                "psi": (c, r),
                "phi": (c, r),
                "value": (c, d),
                "xi": (r, d),
            }.items():
                self.add_module(name, nn.ModuleList(nn.Conv2d(*sizes, 1) for _ in a))
        else:
            self.conv = nn.Conv2d(c, d * len(a), 1)

    def forward(self, x):
        if self.refined:
            y = 0
            for k in range(self.parts):
                target, source = (
                    getattr(self, name)[k](x).mean(2) for name in ("psi", "phi")
                )  # n r v
                q = self.xi[k](
                    torch.tanh(target[:, :, None, :] - source[:, :, :, None])
                )  # n d source target
                y = y + torch.einsum(
                    "ncvw,nctv->nctw", self.A[k] + self.alpha * q, self.value[k](x)
                )
        else:
            n, _, t, v = x.shape
            y = torch.einsum("nkctv,kvw->nctw", self.conv(x).view(n, self.parts, -1, t, v), self.A)
        return torch.relu(self.bn(y) + (x if self.down is None else self.down(x)))


class Temporal(nn.Module):
    """Branches along time; CTR-GCN's are normalised one by one, ST-GCN++'s together and then
    mixed.
    """

    def __init__(self, d: int, stride: int, taps: int, dilations: tuple[int, ...], mix: bool):
        super().__init__()
        share, count = d // (len(dilations) + 2), len(dilations) + 2
        widths = [d - share * (count - 1)] + [share] * (count - 1)
        after = (lambda m: []) if mix else (lambda m: [nn.BatchNorm2d(m)])
        self.branches = nn.ModuleList()
        for m, dilation in zip(widths, dilations, strict=False):
            look = Named(conv=convolution(m, m, taps, stride, dilation))
            look.forward = look.conv.forward
            self.branches.append(
                nn.Sequential(nn.Conv2d(d, m, 1), nn.BatchNorm2d(m), nn.ReLU(), look, *after(m))
            )
        pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(
            nn.Sequential(
                nn.Conv2d(d, share, 1), nn.BatchNorm2d(share), nn.ReLU(), pool, *after(share)
            )
        )
        alone = convolution(d, share, 1, stride)
        self.branches.append(alone if mix else nn.Sequential(alone, *after(share)))
        self.transform = (
            nn.Sequential(nn.BatchNorm2d(d), nn.ReLU(), nn.Conv2d(d, d, 1)) if mix else nn.ReLU()
        )
        self.bn = nn.BatchNorm2d(d) if mix else nn.Identity()

    def forward(self, x):
        return self.bn(self.transform(torch.cat([branch(x) for branch in self.branches], 1)))


class Unit(Named):
    def __init__(self, c: int, d: int, stride: int, first: bool, a: torch.Tensor, refined: bool):
        super().__init__()
        self.gcn = Spatial(c, d, a, refined)
        self.tcn = Temporal(
            d, stride, *((5, (1, 2), False) if refined else (3, (1, 2, 3, 4), True))
        )
        self.first, self.residual = first, None
        if not first and (c != d or stride != 1):
            self.residual = Named(conv=convolution(c, d, 1, stride), bn=nn.BatchNorm2d(d))

    def forward(self, x):
        y = self.tcn(self.gcn(x))
        if not self.first:
            y = y + (x if self.residual is None else self.residual.bn(self.residual.conv(x)))
        return torch.relu(y)


class Network(Named):
    """Either network; `units` are (channels, stride)."""

    def __init__(
        self,
        channels: int,
        classes: int,
        units: list[tuple[int, int]],
        a: torch.Tensor,
        refined: bool,
    ):
        super().__init__()
        sizes = [channels, *(d for d, _ in units)]
        blocks = (
            Unit(c, d, s, i == 0, a, refined)
            for i, (c, (d, s)) in enumerate(zip(sizes, units, strict=False))
        )
        self.backbone = Named(
            data_bn=nn.BatchNorm1d(channels * a.shape[1]), gcn=nn.ModuleList(blocks)
        )
        self.cls_head = Named(fc_cls=nn.Linear(sizes[-1], classes))

    def forward(self, inputs):
        b, t, m, v, c = inputs.shape
        x = inputs.permute(0, 2, 3, 4, 1).reshape(b * m, v * c, t)
        x = self.backbone.data_bn(x).view(b * m, v, c, t).permute(0, 2, 3, 1)
        for unit in self.backbone.gcn:
            x = unit(x)
        return self.cls_head.fc_cls(x.mean((2, 3)).view(b, m, -1).mean(1))


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
        unit, there = f"unit{number}", f"backbone.gcn.{number}"
        out[f"params/{unit}/spatial/adjacency"] = s[f"{there}.gcn.A"]
        if f"{there}.gcn.alpha" in s:
            out[f"params/{unit}/spatial/alpha"] = s[f"{there}.gcn.alpha"]
            for name in ("psi", "phi", "value", "xi"):
                lead = (
                    (lambda rows: np.stack(rows))
                    if name == "xi"
                    else (lambda rows: np.stack(rows, -2))
                )
                dense(
                    f"{unit}/spatial/{name}_",
                    [f"{there}.gcn.{name}.{k}" for k in range(parts)],
                    lead,
                )
        else:
            weight, bias = s[f"{there}.gcn.conv.weight"], s[f"{there}.gcn.conv.bias"]
            out[f"params/{unit}/spatial/kernel"] = (
                weight[:, :, 0, 0].reshape(parts, -1, weight.shape[1]).transpose(2, 0, 1)
            )
            out[f"params/{unit}/spatial/bias"] = bias.reshape(parts, -1)
        norm(f"{unit}/spatial/norm", [f"{there}.gcn.bn"])
        for ending, (conv, bn) in {"gcn.down": ("0", "1"), "residual": ("conv", "bn")}.items():
            if f"{there}.{ending}.{conv}.weight" in s:
                place = f"{unit}/spatial/shortcut" if ending == "gcn.down" else f"{unit}/shortcut"
                dense(f"{place}/", [f"{there}.{ending}.{conv}"])
                norm(f"{place}/norm", [f"{there}.{ending}.{bn}"])
        mixed, branch = (
            f"{there}.tcn.bn.weight" in s,
            [f"{there}.tcn.branches.{i}" for i in range(count)],
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
            norm(f"{unit}/temporal/norm", [f"{there}.tcn.transform.0"])
            dense(f"{unit}/temporal/mix_", [f"{there}.tcn.transform.2"])
            norm(f"{unit}/temporal/mix_norm", [f"{there}.tcn.bn"])
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
    from jaxact.models.layers import multi_branch_tcn

    state = torch.load(path, weights_only=True, map_location="cpu")
    sizes = [
        len(v)
        for k, v in state.items()
        if k.startswith("backbone.gcn.") and k.endswith("gcn.bn.weight")
    ]
    network = {len(rows): name for name, rows in multi_branch_tcn.VARIANTS.items()}[len(sizes)]
    adjacency, classes = state["backbone.gcn.0.gcn.A"], len(state["cls_head.fc_cls.bias"])
    channels = state["backbone.gcn.0.gcn.conv.weight"].shape[1]
    strides = [stride for _, stride in multi_branch_tcn.VARIANTS[network]]
    theirs = Network(
        channels, classes, list(zip(sizes, strides, strict=True)), adjacency, False
    ).eval()
    theirs.load_state_dict(state)
    variables = unflatten_dict(
        {k: jnp.asarray(v) for k, v in ours(state, len(adjacency), 6).items()}, sep="/"
    )
    for fast in (False, True):
        model = stgcnpp.STGCNPP(
            classes, Adjacency(adjacency.numpy()), network=network, width=sizes[0], fast=fast
        )
        for frames, persons in ((10, 1), (33, 2), (100, 2)):
            inputs = torch.randn(4, frames, persons, adjacency.shape[1], channels)
            wanted = theirs(inputs).detach().numpy()
            found = np.asarray(model.apply(variables, jnp.asarray(inputs.numpy())))
            worst = np.abs(found - wanted).max() / np.abs(wanted).max()
            print(
                f"fast={fast} T={frames} M={persons}: {worst:.1e} of the largest logit {np.abs(wanted).max():.2f}"
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
            "tests/data/zoo_small.npz", allow_pickle=False, **run("stgcnpp"), **run("ctrgcn")
        )
