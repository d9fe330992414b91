"""Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, CVPR 2016), the topology of
keras.applications.

A block looks at its input through several branches of different reach and lays what they see side
by side. The network is the table `BLOCKS`, read by one module; its classifier and auxiliary
classifier are left out.

    [299 299 3] -> stem [35 35 192] -> mixed0-2 [35 35 288] -> mixed3-7 [17 17 768] -> mixed8-10 [8 8 2048]

21 802 784 numbers (21 768 352 of them trained), 5.71 GMAC a frame of 299 x 299.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.backbone import Backbone, Link
from jaxact.models.layers.conv_batch_norm import ConvNorm, max_pool, mean_pool


class Conv(NamedTuple):
    """Convolution, normalisation without a scale, ReLU."""

    features: int
    height: int
    width: int
    stride: int = 1
    padding: str = "SAME"


class Fork(NamedTuple):
    """Branches at the end of a branch, side by side."""

    ends: tuple["Branch", ...]


MAX, MEAN = (
    "max",
    "mean",
)  # the largest of 3 x 3 pixels at stride 2 without padding; the mean of 3 x 3 at stride 1
Branch = tuple[Conv | Fork | str, ...]


def threes(features: int, *others: int, stride: int = 1) -> Branch:
    """1 x 1, then one 3 x 3 for each of `others`, the last at `stride` (without padding where it is
    2).
    """
    padding = "SAME" if stride == 1 else "VALID"
    *inner, last = others
    return (
        Conv(features, 1, 1),
        *(Conv(other, 3, 3) for other in inner),
        Conv(last, 3, 3, stride, padding),
    )


def _fine(pool: int) -> tuple[Branch, ...]:
    return (
        (Conv(64, 1, 1),),
        (Conv(48, 1, 1), Conv(64, 5, 5)),
        threes(64, 96, 96),
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

# Branches of every block; their convolutions stand in the order in which keras.applications makes
# them.
BLOCKS: dict[str, tuple[Branch, ...]] = {
    "stem": (STEM,),
    "mixed0": _fine(32),
    "mixed1": _fine(64),
    "mixed2": _fine(64),
    "mixed3": ((Conv(384, 3, 3, 2, "VALID"),), threes(64, 96, 96, stride=2), (MAX,)),
    "mixed4": _middle(128),
    "mixed5": _middle(160),
    "mixed6": _middle(160),
    "mixed7": _middle(192),
    "mixed8": (
        threes(192, 320, stride=2),
        (Conv(192, 1, 1), Conv(192, 1, 7), Conv(192, 7, 1), Conv(192, 3, 3, 2, "VALID")),
        (MAX,),
    ),
    "mixed9": _COARSE,
    "mixed10": _COARSE,
}


def count_convolutions(branches: tuple[Branch, ...]) -> int:
    """How many convolutions the branches hold; a block names them conv1, conv2, ... in the order of
    the table.
    """
    steps = itertools.chain.from_iterable(branches)
    return sum(
        count_convolutions(step.ends) if isinstance(step, Fork) else isinstance(step, Conv)
        for step in steps
    )


class Mixed(nn.Module):
    """The branches of a block side by side.

    Attributes:
        branches: what they are made of.
        width, dtype, axis_name: see `InceptionV3`.
    """

    branches: tuple[Branch, ...]
    width: float
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n i j d"]:
        """Maps in, maps out; `train` takes the batch's statistics."""
        return self._mixed(x, train)

    def _mixed(self, x: Array, train: bool) -> Array:
        names = (f"conv{number}" for number in itertools.count(1))
        return jnp.concatenate(
            [self._along(branch, x, names, train) for branch in self.branches], axis=-1
        )

    def _along(self, branch: Branch, x: Array, names: Iterator[str], train: bool) -> Array:
        for step in branch:
            if isinstance(step, Fork):
                x = jnp.concatenate(
                    [self._along(end, x, names, train) for end in step.ends], axis=-1
                )
            elif isinstance(step, Conv):
                features = max(1, int(step.features * self.width))
                options = (step.stride, step.padding, True, False, self.dtype, self.axis_name)
                x = ConvNorm(features, (step.height, step.width), *options, name=next(names))(
                    x, train
                )
            else:
                x = max_pool(x, "VALID") if step == MAX else mean_pool(x)
        return x


class InceptionV3(Backbone):
    """The whole network over the frames of clips; 75 x 75 pixels at least."""

    COARSEST = "mixed8"

    def chain(self, frames: int) -> tuple[Link, ...]:
        """The blocks of `BLOCKS`."""
        del frames
        return tuple(
            (name, Mixed, {"branches": branches, "width": self.width})
            for name, branches in BLOCKS.items()
        )
