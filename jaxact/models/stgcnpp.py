"""ST-GCN++ (Duan, Wang, Chen and Lin, PYSKL, ACM MM 2022, arXiv 2205.09443).

ST-GCN with two changes. The skeleton's graph is only the initial value of the adjacency matrices,
which are parameters of each unit and may connect any two joints; a shortcut bypasses the graph
convolution. Along time, six narrow branches with different receptive fields replace one wide
kernel, which makes the network less than half as large.

    [b 100 m v 3] -> norm -> 4 units [bm 100 v 64] -> 3 units [bm 50 v 128]
                  -> 3 units [bm 25 v 256] -> [b k]

NTU RGB+D X-Sub 89.3 % top-1 from joints (`configs/stgcnpp.py:ntu60`), from the authors' model zoo.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.graph_conv import graph_bias, graph_conv
from jaxact.models.layers.multi_branch_network import MultiBranchNetwork, build_multi_branch
from jaxact.models.layers.multi_branch_tcn import Shortcut, kernel_init

INITIAL = "fan_in_uniform"


class FreeGraphConv(nn.Module):
    """ReLU(norm(sum_k A_k^T x W_k) + shortcut(x)), with A a parameter.

    Attributes:
        features: channels out.
        adjacency: initial value of A, [k][source][target].
        axis_name: see `STGCNPP`.
    """

    features: int
    adjacency: Adjacency
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v t d"]:
        """The output features; `train` uses batch statistics."""
        initial_adjacency = np.asarray(self.adjacency, np.float32)
        parts, channels, features = len(initial_adjacency), x.shape[-1], self.features
        adjacency = self.param("adjacency", lambda key: jnp.asarray(initial_adjacency))
        kernel = self.param(
            "kernel", kernel_init(INITIAL, channels, features), (channels, parts, features)
        )
        bias = self.param("bias", nn.initializers.zeros, (parts, features))
        y = graph_conv(x, kernel.astype(x.dtype), adjacency.astype(x.dtype))
        y = y + graph_bias(bias, adjacency)[None].astype(x.dtype)
        y = affine(y, *BatchNorm(axis_name=self.axis_name, name="norm")(y, train))
        shortcut = Shortcut(features, 1, INITIAL, self.axis_name, name="shortcut")
        return nn.relu(y + shortcut(x, train)).astype(x.dtype)


class STGCNPP(MultiBranchNetwork):
    """ST-GCN++.

    The convolutions' biases start at zero. Where a normalisation follows directly, they change only
    its running mean.
    """

    GRAPH_CONV: ClassVar[Callable[..., nn.Module]] = FreeGraphConv
    TAPS: ClassVar[int] = 3
    DILATIONS: ClassVar[tuple[int, ...]] = (1, 2, 3, 4)
    MIX: ClassVar[bool] = True
    INITIAL: ClassVar[str] = INITIAL


def build_stgcnpp(spec: InputSpec, **options: Any) -> STGCNPP:
    """ST-GCN++ whose graphs start as that of `spec.layout`; `options` are fields of `STGCNPP`."""
    return build_multi_branch(STGCNPP, "stgcnpp", spec, options)
