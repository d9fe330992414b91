"""CTR-GCN, channel-wise topology refinement (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021, arXiv 2107.12213).

Every channel has a graph of its own: a learned one that all channels share, plus what the clip says about each pair of
joints, read off the difference of their features averaged over time. The refined graphs mix the joints; four narrow
branches of different reach then look along time.

    [b 64 m v 3] -> norm -> 4 units [bm 64 v 64] -> 3 units [bm 32 v 128] -> 3 units [bm 16 v 256] -> [b k]

NTU RGB+D X-Sub 89.6 % top-1 from joints in pyskl's re-implementation (`configs/ctrgcn_ntu60.py`); 92.4 % with four
streams in the paper's Table 5.
"""

import functools
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact.models.multibranch import TEN_UNITS, MultiBranch, Shortcut, classify, kernel_init
from jaxact.models.norm import BatchNorm, affine
from jaxact.models.stgcn import Adjacency

INITIAL = "he_fan_out"
TAPS, DILATIONS = 5, (1, 2)


def correlations(
    target: Float[Array, "n w k r"], source: Float[Array, "n v k r"], kernel: Float[Array, "k r d"]
) -> Float[Array, "n k v w d"]:
    """Q[k, v, w] = tanh(psi(x_w) - phi(x_v)) @ xi_k: what joint w has to do with joint v, for every channel."""
    target, source = jnp.moveaxis(target, 2, 1), jnp.moveaxis(source, 2, 1)
    return jnp.einsum("nkvwr,krd->nkvwd", jnp.tanh(target[:, :, None] - source[:, :, :, None]), kernel)


def aggregate(topology: Float[Array, "n k v w d"], x: Float[Array, "n v t k d"]) -> Float[Array, "n w t d"]:
    """y[w] = sum_k sum_v R[k, v, w] * x[v, k], each channel by its own topology."""
    return jnp.einsum("nkvwd,nvtkd->nwtd", topology, x)


class RefinedGraphConv(nn.Module):
    """ReLU(norm(sum_k R_k^T x W_k) + shortcut(x)) with R_k = A_k + alpha Q_k, one matrix per channel.

    Q is `correlations` of the features averaged over time, alpha a number that starts at zero, A a parameter that
    starts as the normalised graph. The paper's i is the target w, its j the source v.

    Attributes:
        features: channels out.
        adjacency: A at the start, [k][source][target].
        axis_name: see `CTRGCN`.
    """

    features: int
    adjacency: Adjacency
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v t d"]:
        """Features in, features out; `train` uses batch statistics."""
        start = np.asarray(self.adjacency, np.float32)
        parts, channels, features, dtype = len(start), x.shape[-1], self.features, x.dtype
        reduced = max(channels // 8, 8)
        adjacency = self.param("adjacency", lambda key: jnp.asarray(start))
        alpha = self.param("alpha", nn.initializers.zeros, ())
        average = jnp.mean(x.astype(jnp.float32), axis=2)
        target, source = (self._project(name, average, parts, reduced) for name in ("psi", "phi"))
        kernel = self.param("xi_kernel", kernel_init(INITIAL, reduced, features), (parts, reduced, features))
        bias = self.param("xi_bias", nn.initializers.zeros, (parts, features))
        topology = correlations(target, source, kernel) + bias[None, :, None, None]
        topology = adjacency[None, ..., None] + alpha * topology
        y = aggregate(topology.astype(dtype), self._project("value", x, parts, features))
        scale = nn.initializers.constant(1e-6)  # units start as their shortcuts
        y = affine(y, *BatchNorm(axis_name=self.axis_name, scale_init=scale, name="norm")(y, train))
        return nn.relu(y + Shortcut(features, 1, INITIAL, self.axis_name, name="shortcut")(x, train)).astype(dtype)

    def _project(self, name: str, x: Float[Array, "*rows c"], parts: int, features: int) -> Float[Array, "*rows k d"]:
        channels = x.shape[-1]
        kernel = self.param(f"{name}_kernel", kernel_init(INITIAL, channels, features), (channels, parts, features))
        bias = self.param(f"{name}_bias", nn.initializers.zeros, (parts, features)).astype(x.dtype)
        y = (x @ kernel.astype(x.dtype).reshape(channels, -1)).reshape(*x.shape[:-1], parts, features)
        return y + bias.reshape((1,) * (x.ndim - 1) + bias.shape)


class CTRGCN(nn.Module):
    """The whole network; any number of frames and persons at run time.

    Departs from the authors' code, which normalises each person's input apart: persons share the statistics here, so
    that their number is free.

    Attributes:
        num_classes: logits out.
        adjacency: where every unit's shared topology starts, [k][source][target], from `jaxact.skeletons.adjacency`
            through `jaxact.models.stgcn.as_tuple`; the paper's is the strategy "spatial".
        width: channels of the first units, at least 4; 64 is the paper's.
        dropout: share of elements dropped at the end of each unit's residual branch, in [0, 1); the paper has none.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics, what refines the topology and
            logits stay float32.
        remat: recompute each unit's activations in the backward pass: less memory, about a third more time.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's own batch.
    """

    num_classes: int
    adjacency: Adjacency
    width: int = 64
    dropout: float = 0.0
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None

    @nn.compact
    def __call__(self, inputs: Float[Array, "b t m v c"], *, train: bool = False) -> Float[Array, "b classes"]:
        """Logits of each clip.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        shared = {"axis_name": self.axis_name}
        return classify(
            inputs,
            train,
            units=TEN_UNITS,
            width=self.width,
            num_classes=self.num_classes,
            dtype=self.dtype,
            remat=self.remat,
            dropout=self.dropout,
            initial=INITIAL,
            spatial=functools.partial(RefinedGraphConv, adjacency=self.adjacency, **shared),
            temporal=functools.partial(
                MultiBranch, taps=TAPS, dilations=DILATIONS, mix=False, initial=INITIAL, **shared
            ),
            **shared,
        )
