"""ST-GCN++ (Duan, Wang, Chen and Lin, PYSKL, ACM MM 2022, arXiv 2205.09443).

ST-GCN with two parts renewed. The graph is only where learning starts: every unit owns its
adjacency matrices and may connect any two joints, with a shortcut around the graph convolution.
Along time six narrow branches of different reach take the place of one wide kernel, which makes the
network less than half as large.

    [b 100 m v 3] -> norm -> 4 units [bm 100 v 64] -> 3 units [bm 50 v 128] -> 3 units [bm 25 v 256] -> [b k]

NTU RGB+D X-Sub 89.3 % top-1 from joints (`configs/stgcnpp.py:ntu60`), from the authors' model zoo.
"""

import functools
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
from jaxact.models.layers.graph_conv import graph_bias, graph_conv, planned_graph_conv
from jaxact.models.layers.multi_branch_tcn import (
    VARIANTS,
    MultiBranch,
    Shortcut,
    classify,
    kernel_init,
)
from jaxact.models.variants import check_network

INITIAL = "fan_in_uniform"
TAPS, DILATIONS = 3, (1, 2, 3, 4)


class FreeGraphConv(nn.Module):
    """ReLU(norm(sum_k A_k^T x W_k) + shortcut(x)), A a parameter that starts as the normalised
    graph.

    Attributes:
        features: channels out.
        adjacency: A at the start, [k][source][target].
        axis_name, fast: see `STGCNPP`.
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
        adjacency = self.param("adjacency", lambda key: jnp.asarray(start))
        kernel = self.param(
            "kernel", kernel_init(INITIAL, channels, features), (channels, parts, features)
        )
        bias = self.param("bias", nn.initializers.zeros, (parts, features))
        convolve = planned_graph_conv if self.fast else graph_conv
        weights = [array.astype(x.dtype) for array in (kernel, adjacency)]
        y = convolve(x, *weights) + graph_bias(bias, adjacency)[None].astype(x.dtype)
        y = affine(y, *BatchNorm(axis_name=self.axis_name, name="norm")(y, train))
        return nn.relu(
            y + Shortcut(features, 1, INITIAL, self.axis_name, name="shortcut")(x, train)
        ).astype(x.dtype)


class STGCNPP(nn.Module):
    """The whole network; any number of frames and persons at run time.

    Convolutions' biases start at zero; where a normalisation follows at once they change nothing
    but its running mean.

    Attributes:
        num_classes: logits out.
        adjacency: where every unit's adjacency starts, [k][source][target], from
            `jaxact.skeletons.adjacency` through `Adjacency`; the paper's is the strategy "spatial".
        network: a key of `jaxact.models.layers.multi_branch_tcn.VARIANTS`; the paper's is "ten".
        width: channels of the first units, at least 6; 64 is the paper's.
        dropout: share of elements dropped at the end of each unit's residual branch, in [0, 1); the
            paper has none.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        remat: recompute each unit's activations in the backward pass: less memory, about a third
            more time.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
        fast: the formulation for CPUs (the same numbers to rounding); None takes it where the
            default backend is one.
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
            persons_apart=False,
            initial=INITIAL,
            spatial=functools.partial(FreeGraphConv, adjacency=self.adjacency, fast=fast, **shared),
            temporal=functools.partial(
                MultiBranch, taps=TAPS, dilations=DILATIONS, mix=True, initial=INITIAL, **shared
            ),
            **shared,
        )


def build_stgcnpp(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> STGCNPP:
    """ST-GCN++ whose graphs start as that of `layout`; `options` are fields of `STGCNPP`."""
    del channels  # read off the input
    check_network(options, multi_branch_tcn.VARIANTS)
    multi_branch_tcn.check_width("stgcnpp", options.get("width", 64), DILATIONS)
    adjacency = Adjacency(skeletons.adjacency(layout, "spatial"))
    return STGCNPP(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, **options)
