"""CTR-GCN, channel-wise topology refinement (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021, arXiv
2107.12213).

Each channel has its own graph: a learned graph that all channels share, plus a refinement that is
computed from the clip, from the difference of each pair of joints' features averaged over time. The
refined graphs mix the joints. Four narrow branches with different receptive fields then convolve
along time.

    [b 64 m v 3] -> norm -> 4 units [bm 64 v 64] -> 3 units [bm 32 v 128]
                 -> 3 units [bm 16 v 256] -> [b k]

NTU RGB+D X-Sub 89.6 % top-1 from joints in pyskl's re-implementation (`configs/ctrgcn.py:ntu60`);
92.4 % with four streams in the paper's Table 5.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.chunked_map import CHUNK, by_sample
from jaxact.models.layers.multi_branch_network import MultiBranchNetwork, build_multi_branch
from jaxact.models.layers.multi_branch_tcn import Shortcut, kernel_init

INITIAL = "he_fan_out"


def correlations(
    target: Float[Array, "n w k r"], source: Float[Array, "n v k r"], kernel: Float[Array, "k r d"]
) -> Float[Array, "n k v w d"]:
    """Q[k, v, w] = tanh(psi(x_w) - phi(x_v)) @ xi_k: the correlation of joints v and w per channel.

    Args:
        target: psi(x).
        source: phi(x).
        kernel: xi.
    """
    target, source = jnp.moveaxis(target, 2, 1), jnp.moveaxis(source, 2, 1)
    difference = jnp.tanh(target[:, :, None] - source[:, :, :, None])
    return jnp.einsum("nkvwr,krd->nkvwd", difference, kernel)


def aggregate(
    topology: Float[Array, "n k v w d"], x: Float[Array, "n v t k d"]
) -> Float[Array, "n w t d"]:
    """y[w] = sum_k sum_v R[k, v, w] * x[v, k], with one topology R per channel."""
    return jnp.einsum("nkvwd,nvtkd->nwtd", topology, x)


def refined_graph_conv(
    x: Float[Array, "n v t c"], weights: Mapping[str, Array]
) -> Float[Array, "n w t d"]:
    """y[w] = sum_k sum_v (A_k + alpha Q_k)[v, w] * (x[v] @ W_k + b_k).

    Q are the `correlations` of x averaged over time.

    Args:
        x: features.
        weights: `adjacency` [k v w], `alpha` [], and kernel and bias of psi, phi, xi and value.
    """
    average = jnp.mean(x.astype(jnp.float32), axis=2)
    target = _project(average, weights, "psi")
    source = _project(average, weights, "phi")
    refinement = correlations(target, source, weights["xi_kernel"])
    refinement = refinement + weights["xi_bias"][None, :, None, None]
    topology = weights["adjacency"][None, ..., None] + weights["alpha"] * refinement
    return aggregate(topology.astype(x.dtype), _project(x, weights, "value"))


def _project(
    x: Float[Array, "*rows c"], weights: Mapping[str, Array], name: str
) -> Float[Array, "*rows k d"]:
    kernel = weights[f"{name}_kernel"].astype(x.dtype)
    bias = weights[f"{name}_bias"].astype(x.dtype)
    y = (x @ kernel.reshape(len(kernel), -1)).reshape(*x.shape[:-1], *bias.shape)
    return y + bias.reshape((1,) * (x.ndim - 1) + bias.shape)


class RefinedGraphConv(nn.Module):
    """ReLU(norm(`refined_graph_conv`(x)) + shortcut(x)), with a graph per channel of each clip.

    The parameter A starts as the normalised graph, the parameter alpha at zero. The paper's joint i
    is the target w, its j the source v.

    Attributes:
        features: channels out.
        adjacency: initial value of A, [k][source][target].
        axis_name: see `CTRGCN`.
    """

    features: int
    adjacency: Adjacency
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v t d"]:
        """The output features; `train` uses batch statistics."""
        initial_adjacency = np.asarray(self.adjacency, np.float32)
        parts, channels, features = len(initial_adjacency), x.shape[-1], self.features
        reduced = max(channels // 8, 8)
        weights = {
            "adjacency": self.param("adjacency", lambda key: jnp.asarray(initial_adjacency)),
            "alpha": self.param("alpha", nn.initializers.zeros, ()),
            **self._weights("psi", (channels, parts, reduced)),
            **self._weights("phi", (channels, parts, reduced)),
            **self._weights("xi", (parts, reduced, features)),
            **self._weights("value", (channels, parts, features)),
        }
        y = by_sample(refined_graph_conv, x, weights, CHUNK // 8)
        scale_init = nn.initializers.constant(1e-6)  # a unit starts as its shortcut
        norm = BatchNorm(axis_name=self.axis_name, scale_init=scale_init, name="norm")
        y = affine(y, *norm(y, train))
        shortcut = Shortcut(features, 1, INITIAL, self.axis_name, name="shortcut")
        return nn.relu(y + shortcut(x, train)).astype(x.dtype)

    def _weights(self, name: str, shape: tuple[int, int, int]) -> dict[str, Array]:
        kernel = self.param(f"{name}_kernel", kernel_init(INITIAL, shape[-2], shape[-1]), shape)
        bias = self.param(f"{name}_bias", nn.initializers.zeros, (len(self.adjacency), shape[-1]))
        return {f"{name}_kernel": kernel, f"{name}_bias": bias}


class CTRGCN(MultiBranchNetwork):
    """CTR-GCN.

    Departs from the authors' code, which normalises each person's input apart and so fixes the
    number of persons. Here persons share the statistics, unless `persons_apart`. The refinement of
    the topology stays float32 in any `dtype`.

    Attributes:
        persons_apart: normalise each person's input by its own statistics.
    """

    persons_apart: bool = False

    GRAPH_CONV: ClassVar[Callable[..., nn.Module]] = RefinedGraphConv
    TAPS: ClassVar[int] = 5
    DILATIONS: ClassVar[tuple[int, ...]] = (1, 2)
    MIX: ClassVar[bool] = False
    INITIAL: ClassVar[str] = INITIAL


def build_ctrgcn(spec: InputSpec, **options: Any) -> CTRGCN:
    """CTR-GCN whose graphs start as that of `spec.layout`; `options` are fields of `CTRGCN`."""
    return build_multi_branch(CTRGCN, "ctrgcn", spec, options)
