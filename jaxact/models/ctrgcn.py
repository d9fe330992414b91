"""CTR-GCN, channel-wise topology refinement (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021, arXiv
2107.12213).

Every channel has a graph of its own: a learned one that all channels share, plus what the clip says
about each pair of joints, read off the difference of their features averaged over time. The refined
graphs mix the joints; four narrow branches of different reach then look along time.

    [b 64 m v 3] -> norm -> 4 units [bm 64 v 64] -> 3 units [bm 32 v 128] -> 3 units [bm 16 v 256] -> [b k]

NTU RGB+D X-Sub 89.6 % top-1 from joints in pyskl's re-implementation (`configs/ctrgcn.py:ntu60`);
92.4 % with four streams in the paper's Table 5.
"""

import functools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.models.layers import multi_branch_tcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.chunked_map import CHUNK, by_sample
from jaxact.models.layers.multi_branch_tcn import (
    VARIANTS,
    MultiBranch,
    Shortcut,
    classify,
    kernel_init,
)
from jaxact.models.variants import check_network

INITIAL = "he_fan_out"
TAPS, DILATIONS = 5, (1, 2)


def correlations(
    target: Float[Array, "n w k r"], source: Float[Array, "n v k r"], kernel: Float[Array, "k r d"]
) -> Float[Array, "n k v w d"]:
    """Q[k, v, w] = tanh(psi(x_w) - phi(x_v)) @ xi_k: what joint w has to do with joint v, for every
    channel.
    """
    target, source = jnp.moveaxis(target, 2, 1), jnp.moveaxis(source, 2, 1)
    return jnp.einsum(
        "nkvwr,krd->nkvwd", jnp.tanh(target[:, :, None] - source[:, :, :, None]), kernel
    )


def aggregate(
    topology: Float[Array, "n k v w d"], x: Float[Array, "n v t k d"]
) -> Float[Array, "n w t d"]:
    """y[w] = sum_k sum_v R[k, v, w] * x[v, k], each channel by its own topology."""
    return jnp.einsum("nkvwd,nvtkd->nwtd", topology, x)


def refined_graph_conv(
    x: Float[Array, "n v t c"], weights: Mapping[str, Array]
) -> Float[Array, "n w t d"]:
    """y[w] = sum_k sum_v (A_k + alpha Q_k)[v, w] * (x[v] @ W_k + b_k), Q being `correlations` of x
    averaged over time.

    Args:
        x: features.
        weights: `adjacency` [k v w], `alpha` [], and kernel and bias of psi, phi, xi and value.
    """
    average = jnp.mean(x.astype(jnp.float32), axis=2)
    target, source = (_project(average, weights, name) for name in ("psi", "phi"))
    refinement = (
        correlations(target, source, weights["xi_kernel"]) + weights["xi_bias"][None, :, None, None]
    )
    topology = weights["adjacency"][None, ..., None] + weights["alpha"] * refinement
    return aggregate(topology.astype(x.dtype), _project(x, weights, "value"))


def _project(
    x: Float[Array, "*rows c"], weights: Mapping[str, Array], name: str
) -> Float[Array, "*rows k d"]:
    kernel, bias = (weights[f"{name}_{kind}"].astype(x.dtype) for kind in ("kernel", "bias"))
    y = (x @ kernel.reshape(len(kernel), -1)).reshape(*x.shape[:-1], *bias.shape)
    return y + bias.reshape((1,) * (x.ndim - 1) + bias.shape)


class RefinedGraphConv(nn.Module):
    """ReLU(norm(`refined_graph_conv`(x)) + shortcut(x)), a graph for every channel of every clip.

    A is a parameter that starts as the normalised graph, alpha one that starts at zero. The paper's
    joint i is the target w, its j the source v.

    Attributes:
        features: channels out.
        adjacency: A at the start, [k][source][target].
        axis_name, fast: see `CTRGCN`.
    """

    features: int
    adjacency: Adjacency
    axis_name: str | None
    fast: bool

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v t d"]:
        """Features in, features out; `train` uses batch statistics."""
        start = np.asarray(self.adjacency, np.float32)
        parts, channels, features = len(start), x.shape[-1], self.features
        reduced = max(channels // 8, 8)
        weights = {
            "adjacency": self.param("adjacency", lambda key: jnp.asarray(start)),
            "alpha": self.param("alpha", nn.initializers.zeros, ()),
            **self._weights("psi", (channels, parts, reduced)),
            **self._weights("phi", (channels, parts, reduced)),
            **self._weights("xi", (parts, reduced, features)),
            **self._weights("value", (channels, parts, features)),
        }
        y = (
            by_sample(refined_graph_conv, x, weights, CHUNK // 8)
            if self.fast
            else refined_graph_conv(x, weights)
        )
        scale = nn.initializers.constant(1e-6)  # units start as their shortcuts
        y = affine(y, *BatchNorm(axis_name=self.axis_name, scale_init=scale, name="norm")(y, train))
        return nn.relu(
            y + Shortcut(features, 1, INITIAL, self.axis_name, name="shortcut")(x, train)
        ).astype(x.dtype)

    def _weights(self, name: str, shape: tuple[int, int, int]) -> dict[str, Array]:
        kernel = self.param(f"{name}_kernel", kernel_init(INITIAL, shape[-2], shape[-1]), shape)
        bias = self.param(f"{name}_bias", nn.initializers.zeros, (len(self.adjacency), shape[-1]))
        return {f"{name}_kernel": kernel, f"{name}_bias": bias}


class CTRGCN(nn.Module):
    """The whole network; any number of frames and persons at run time.

    Departs from the authors' code, which normalises each person's input apart: persons share the
    statistics here, so that their number is free, unless `persons_apart`.

    Attributes:
        num_classes: logits out.
        adjacency: where every unit's shared topology starts, [k][source][target], from
            `jaxact.skeletons.adjacency` through `Adjacency`; the paper's is the strategy "spatial".
        network: a key of `jaxact.models.layers.multi_branch_tcn.VARIANTS`; the paper's is "ten".
        width: channels of the first units, at least 4; 64 is the paper's.
        dropout: share of elements dropped at the end of each unit's residual branch, in [0, 1); the
            paper has none.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics, what refines the
            topology and logits stay float32.
        remat: recompute each unit's activations in the backward pass: less memory, about a third
            more time.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
        fast: the formulation for CPUs (the same numbers to rounding); None takes it where the
            default backend is one.
        persons_apart: normalise the input of each person by statistics of their own, as the
            authors' code.
    """

    num_classes: int
    adjacency: Adjacency
    network: str = "ten"
    width: int = 64
    dropout: float = 0.0
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None
    fast: bool | None = None
    persons_apart: bool = False

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        fast = jax.default_backend() == "cpu" if self.fast is None else self.fast
        shared = {"axis_name": self.axis_name}
        return classify(
            inputs,
            train,
            units=VARIANTS[self.network],
            width=self.width,
            num_classes=self.num_classes,
            dtype=self.dtype,
            remat=self.remat,
            dropout=self.dropout,
            persons_apart=self.persons_apart,
            initial=INITIAL,
            spatial=functools.partial(
                RefinedGraphConv, adjacency=self.adjacency, fast=fast, **shared
            ),
            temporal=functools.partial(
                MultiBranch, taps=TAPS, dilations=DILATIONS, mix=False, initial=INITIAL, **shared
            ),
            **shared,
        )


def build_ctrgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> CTRGCN:
    """CTR-GCN whose shared topologies start as the graph of `layout`; `options` are fields of
    `CTRGCN`.
    """
    del channels  # read off the input
    check_network(options, multi_branch_tcn.VARIANTS)
    multi_branch_tcn.check_width("ctrgcn", options.get("width", 64), DILATIONS)
    adjacency = Adjacency(skeletons.adjacency(layout, "spatial"))
    return CTRGCN(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, **options)
