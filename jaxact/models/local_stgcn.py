"""Local convolution, the ablation between plain convolution and ST-GCN (Yan, Xiong and Lin, AAAI
2018, Table 1).

The units of ST-GCN on the same sparse graph, but no two edges share their weights: every joint
reaches every neighbour, and itself, through a matrix of their own. The convolution along time stays
shared by the joints, as in ST-GCN, unless `UnsharedSTGCN` is asked for.

    y[w] = sum over pairs (v, w) of A[v, w] x[v] @ W[v, w] + b[w],    52 pairs of OpenPose's joints, 73 of the Kinect's

Kinetics-skeleton 22.0 % top-1 (`configs/stgcn.py:kinetics_skeleton,local`), from the paper's Table 1. The
paper gives one sentence and no code: that time is shared, and that A divides by the number of
neighbours, are decisions taken here.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxact import skeletons
from jaxact.models import stgcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import affine
from jaxact.models.layers.temporal_conv import TAPS, temporal_conv
from jaxact.models.variants import check_network


def local_conv(
    x: Float[Array, "n v t c"],
    kernel: Float[Array, "p c d"],
    sources: Int[np.ndarray, " p"],
    into: Float[Array, "p w"],
) -> Float[Array, "n w t d"]:
    """y[w] = sum_p into[p, w] x[sources[p]] @ kernel[p].

    Args:
        x: features.
        kernel: one c-to-d projection per pair of joints.
        sources: the joint that each pair leads from.
        into: the weight with which a pair reaches its target, zero elsewhere.
    """
    projected = jnp.einsum("nptc,pcd->nptd", x[:, sources], kernel.astype(x.dtype))
    return jnp.einsum("nptd,pw->nwtd", projected, into.astype(x.dtype))


class LocalUnit(stgcn.Unit):
    """A unit of ST-GCN with weights of its own for every entry of the (one-part) graph, and a bias
    for every joint.
    """

    def _spatial(self, x: Array) -> Array:
        (graph,) = np.asarray(self.adjacency, np.float32)
        sources, targets = np.nonzero(graph)
        into = np.zeros((len(sources), len(graph)), np.float32)
        into[np.arange(len(sources)), targets] = graph[sources, targets]
        shapes = (len(sources), x.shape[-1], self.features), (len(graph), self.features)
        weights = self._weights("spatial", *shapes, fan_out=self.features)
        return self._run(
            functools.partial(_spatial, sources=sources), x, (*weights, jnp.asarray(into))
        )


class UnsharedUnit(LocalUnit):
    """The same with kernels along time that are a joint's own too."""

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, float]:
        shape, bias_shape = (
            (y.shape[1], TAPS, self.features, self.features),
            (y.shape[1], self.features),
        )
        kernel, bias = self._weights("temporal", shape, bias_shape, fan_out=TAPS * self.features)
        y = self._run(functools.partial(_temporal, stride=self.stride), y, (kernel, factor, offset))
        return y + bias[None, :, None].astype(y.dtype), 0.0


class LocalSTGCN(stgcn.STGCN):
    """ST-GCN of `LocalUnit`; `adjacency` has one part, and there is no edge importance."""

    unit = LocalUnit


class UnsharedSTGCN(stgcn.STGCN):
    """ST-GCN of `UnsharedUnit`."""

    unit = UnsharedUnit


def _spatial(
    x: Array, kernel: Array, bias: Array, into: Array, *, sources: np.ndarray, fast: bool
) -> Array:
    del fast  # one form for every platform
    return local_conv(x, kernel, sources, into) + bias[None, :, None].astype(x.dtype)


def _temporal(
    x: Array, kernel: Array, factor: Array, offset: Array, *, stride: int, fast: bool
) -> Array:
    del fast
    x = nn.relu(affine(x, factor, offset)).astype(x.dtype)
    convolve = functools.partial(temporal_conv, stride=stride)
    return jax.vmap(convolve, in_axes=(1, 0), out_axes=1)(x[:, :, None], kernel)[:, :, 0]


def build_local(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    unshare_temporal: bool = False,
    init: str = "v2",
    **options: Any,
) -> stgcn.STGCN:
    """Local convolution on the graph of `layout`; `options` are fields of `STGCN`."""
    del channels
    check_network(options, stgcn.VARIANTS)
    adjacency = Adjacency(skeletons.adjacency(layout, "uniform"))
    kind = UnsharedSTGCN if unshare_temporal else LocalSTGCN
    return kind(
        num_classes=num_classes,
        adjacency=adjacency,
        edge_importance=False,
        axis_name=axis_name,
        initial=init,
        **options,
    )
