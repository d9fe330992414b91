"""Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, CVPR 2016), the topology of
keras.applications.

A block applies several branches with different receptive fields to its input and concatenates their
outputs. The network is the table `BLOCKS`, which one module interprets; its classifier and
auxiliary classifier are left out.

    [299 299 3] -> stem [35 35 192] -> mixed0-2 [35 35 288] -> mixed3-7 [17 17 768]
      -> mixed8-10 [8 8 2048]

21 802 784 parameters and statistics (21 768 352 of them trained), 5.71 GMAC per frame of 299 x 299.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.backbone import Backbone, BlockSpec
from jaxact.models.layers.conv_batch_norm import ConvBatchNorm
from jaxact.models.layers.convolution import max_pool, mean_pool


class Conv(NamedTuple):
    """Convolution, batch normalisation without a scale, ReLU."""

    features: int
    height: int
    width: int
    stride: int = 1
    padding: str = "SAME"


class Fork(NamedTuple):
    """Branches at the end of a branch, whose outputs are concatenated."""

    branches: tuple["Branch", ...]


MAX = "max"  # 3 x 3 max pooling at stride 2 without padding
MEAN = "mean"  # 3 x 3 mean pooling at stride 1
Branch = tuple[Conv | Fork | str, ...]


def convs_3x3(features: int, *others: int, stride: int = 1) -> Branch:
    """A 1 x 1 convolution, then one of 3 x 3 for each of `others`.

    The last one has the stride `stride`; with stride 2 it has no padding.
    """
    convs = [Conv(features, 1, 1)]
    for channels in others[:-1]:
        convs.append(Conv(channels, 3, 3))
    padding = "SAME" if stride == 1 else "VALID"
    convs.append(Conv(others[-1], 3, 3, stride, padding))
    return tuple(convs)


def _fine(pool: int) -> tuple[Branch, ...]:
    return (
        (Conv(64, 1, 1),),
        (Conv(48, 1, 1), Conv(64, 5, 5)),
        convs_3x3(64, 96, 96),
        (MEAN, Conv(pool, 1, 1)),
    )


def _middle(inner: int) -> tuple[Branch, ...]:
    once = Conv(inner, 1, 1), Conv(inner, 1, 7), Conv(192, 7, 1)
    twice = (
        Conv(inner, 1, 1),
        Conv(inner, 7, 1),
        Conv(inner, 1, 7),
        Conv(inner, 7, 1),
        Conv(192, 1, 7),
    )
    return (Conv(192, 1, 1),), once, twice, (MEAN, Conv(192, 1, 1))


_BOTH_WAYS = Fork(((Conv(384, 1, 3),), (Conv(384, 3, 1),)))
_COARSE: tuple[Branch, ...] = (
    (Conv(320, 1, 1),),
    (Conv(384, 1, 1), _BOTH_WAYS),
    (Conv(448, 1, 1), Conv(384, 3, 3), _BOTH_WAYS),
    (MEAN, Conv(192, 1, 1)),
)
STEM: Branch = (
    Conv(32, 3, 3, 2, "VALID"),
    Conv(32, 3, 3, 1, "VALID"),
    Conv(64, 3, 3),
    MAX,
    Conv(80, 1, 1),
    Conv(192, 3, 3, 1, "VALID"),
    MAX,
)

# The branches of every block; convolutions are in the order in which keras.applications creates
# them.
BLOCKS: dict[str, tuple[Branch, ...]] = {
    "stem": (STEM,),
    "mixed0": _fine(32),
    "mixed1": _fine(64),
    "mixed2": _fine(64),
    "mixed3": ((Conv(384, 3, 3, 2, "VALID"),), convs_3x3(64, 96, 96, stride=2), (MAX,)),
    "mixed4": _middle(128),
    "mixed5": _middle(160),
    "mixed6": _middle(160),
    "mixed7": _middle(192),
    "mixed8": (
        convs_3x3(192, 320, stride=2),
        (Conv(192, 1, 1), Conv(192, 1, 7), Conv(192, 7, 1), Conv(192, 3, 3, 2, "VALID")),
        (MAX,),
    ),
    "mixed9": _COARSE,
    "mixed10": _COARSE,
}


def count_convolutions(branches: tuple[Branch, ...]) -> int:
    """Number of convolutions in the branches.

    A block names them conv1, conv2, ... in the order of the table.
    """
    count = 0
    for step in itertools.chain.from_iterable(branches):
        if isinstance(step, Fork):
            count += count_convolutions(step.branches)
        elif isinstance(step, Conv):
            count += 1
    return count


class Mixed(nn.Module):
    """The concatenated outputs of a block's branches.

    Attributes:
        branches: rows of `BLOCKS`.
        width, dtype, axis_name: see `InceptionV3`.
    """

    branches: tuple[Branch, ...]
    width: float
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n i j d"]:
        """The output feature maps; `train` uses the batch's statistics."""
        return self._mixed(x, train)

    def _mixed(self, x: Array, train: bool) -> Array:
        names = (f"conv{number}" for number in itertools.count(1))
        return self._concatenated(self.branches, x, names, train)

    def _concatenated(
        self, branches: tuple[Branch, ...], x: Array, names: Iterator[str], train: bool
    ) -> Array:
        outputs = [self._along(branch, x, names, train) for branch in branches]
        return jnp.concatenate(outputs, axis=-1)

    def _along(self, branch: Branch, x: Array, names: Iterator[str], train: bool) -> Array:
        for step in branch:
            if isinstance(step, Fork):
                x = self._concatenated(step.branches, x, names, train)
            elif isinstance(step, Conv):
                conv = ConvBatchNorm(
                    max(1, int(step.features * self.width)),
                    (step.height, step.width),
                    step.stride,
                    step.padding,
                    relu=True,
                    scale=False,
                    dtype=self.dtype,
                    axis_name=self.axis_name,
                    name=next(names),
                )
                x = conv(x, train)
            elif step == MAX:
                x = max_pool(x, "VALID")
            else:
                x = mean_pool(x)
        return x


class InceptionV3(Backbone):
    """The whole network over the frames of clips; frames of at least 75 x 75 pixels."""

    COARSEST = "mixed8"

    def all_blocks(self, frames: int) -> tuple[BlockSpec, ...]:
        """The blocks of `BLOCKS`."""
        del frames
        blocks = []
        for name, branches in BLOCKS.items():
            blocks.append(BlockSpec(name, Mixed, {"branches": branches, "width": self.width}))
        return tuple(blocks)
