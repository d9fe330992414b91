"""Local convolution, the ablation between plain convolution and ST-GCN (Yan, Xiong and Lin, AAAI
2018, Table 1).

The units of ST-GCN on the same sparse graph, but without shared weights: each pair of a joint and
its neighbour (or itself) has its own weight matrix. The temporal convolution is shared by all
joints, as in ST-GCN; in `UnsharedSTGCN` each joint has its own.

    y[w] = sum over pairs (v, w) of A[v, w] x[v] @ W[v, w] + b[w]

OpenPose's joints have 52 such pairs, the Kinect's 73. Kinetics-skeleton 22.0 % top-1
(`configs/stgcn.py:kinetics_skeleton,local`), from the paper's Table 1. The paper gives one sentence
and no code. The shared temporal convolution and the division by the number of neighbours in A are
decisions of this implementation.
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxact import skeletons
from jaxact.models import stgcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.chunked_map import by_sample
from jaxact.models.layers.stgcn_unit import STGCNUnit
from jaxact.models.layers.temporal_conv import TAPS, norm_relu, temporal_conv
from jaxact.models.variants import check_network


def local_conv(
    x: Float[Array, "n v t c"],
    kernel: Float[Array, "p c d"],
    sources: Int[np.ndarray, " p"],
    targets: Float[Array, "p w"],
) -> Float[Array, "n w t d"]:
    """y[w] = sum_p targets[p, w] x[sources[p]] @ kernel[p].

    Args:
        x: features.
        kernel: one c-to-d projection per pair of joints.
        sources: the source joint of each pair.
        targets: the weight of each pair for its target joint, zero for the other joints.
    """
    projected = jnp.einsum("nptc,pcd->nptd", x[:, sources], kernel.astype(x.dtype))
    return jnp.einsum("nptd,pw->nwtd", projected, targets.astype(x.dtype))


class LocalUnit(STGCNUnit):
    """ST-GCN's unit with its own weights for each entry of the (one-part) graph.

    Each joint has its own bias.
    """

    def _spatial(self, x: Array) -> Array:
        (graph,) = np.asarray(self.adjacency, np.float32)
        sources, target_joints = np.nonzero(graph)
        pairs, joints = len(sources), len(graph)
        targets = np.zeros((pairs, joints), np.float32)
        targets[np.arange(pairs), target_joints] = graph[sources, target_joints]
        kernel, bias = self._weights(
            "spatial",
            (pairs, x.shape[-1], self.features),
            (joints, self.features),
            fan_out=self.features,
        )
        convolve = functools.partial(_biased_local_conv, sources=sources)
        return by_sample(convolve, x, (kernel, bias, jnp.asarray(targets)))


class UnsharedUnit(LocalUnit):
    """A local unit whose temporal kernels are each joint's own too."""

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, float]:
        joints, features = y.shape[1], self.features
        kernel, bias = self._weights(
            "temporal",
            (joints, TAPS, features, features),
            (joints, features),
            fan_out=TAPS * features,
        )
        convolve = functools.partial(_unshared_temporal_conv, stride=self.stride)
        y = by_sample(convolve, y, (kernel, factor, offset))
        return y + bias[None, :, None].astype(y.dtype), 0.0


class LocalSTGCN(stgcn.STGCN):
    """ST-GCN of `LocalUnit`; `adjacency` has one part, and there is no edge importance."""

    unit_class: ClassVar[type[STGCNUnit]] = LocalUnit


class UnsharedSTGCN(stgcn.STGCN):
    """ST-GCN of `UnsharedUnit`."""

    unit_class: ClassVar[type[STGCNUnit]] = UnsharedUnit


def _biased_local_conv(
    x: Array, weights: tuple[Array, Array, Array], *, sources: np.ndarray
) -> Array:
    kernel, bias, targets = weights
    return local_conv(x, kernel, sources, targets) + bias[None, :, None].astype(x.dtype)


def _unshared_temporal_conv(x: Array, weights: tuple[Array, Array, Array], *, stride: int) -> Array:
    kernel, factor, offset = weights
    x = norm_relu(x, factor, offset)
    convolve = functools.partial(temporal_conv, stride=stride)
    return jax.vmap(convolve, in_axes=(1, 0), out_axes=1)(x[:, :, None], kernel)[:, :, 0]


def build_local(
    spec: InputSpec, *, unshare_temporal: bool = False, init: str = "v2", **options: Any
) -> stgcn.STGCN:
    """Local convolution on the graph of `spec.layout`.

    Args:
        spec: the data.
        unshare_temporal: build `UnsharedSTGCN`.
        init: the field `initial`.
        **options: other fields of `STGCN`.
    """
    check_network(options, stgcn.VARIANTS)
    network_class = UnsharedSTGCN if unshare_temporal else LocalSTGCN
    return network_class(
        num_classes=spec.num_classes,
        adjacency=Adjacency(skeletons.adjacency(spec.layout, "uniform")),
        edge_importance=False,
        axis_name=spec.axis_name,
        initial=init,
        **options,
    )
