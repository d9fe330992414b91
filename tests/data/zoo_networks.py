"""ST-GCN++ and CTR-GCN in PyTorch, layer by layer from the papers, one module per branch.

Tensors are [n c t v]. A module's name is the one it has in pyskl's ST-GCN++ checkpoints, so that
these load.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

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
