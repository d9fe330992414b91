"""Xception (Chollet, CVPR 2017), the topology of keras.applications, without its classifier.

A residual network whose convolutions look at space and at channels in turn: 3 x 3 within each
channel, then 1 x 1 across them. Three blocks halve the grid, eight keep it, a last one halves it
again, and two layers widen what is left.

    [299 299 3] -> block1 [147 147 64] -> blocks 2-4 [19 19 728] -> blocks 5-12 -> blocks 13, 14 [10 10 2048]

20 861 480 numbers (20 806 952 of them trained), 8.36 GMAC a frame of 299 x 299.
"""

from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float

from jaxact.models.layers.backbone import Backbone, Link
from jaxact.models.layers.conv_batch_norm import ConvNorm, SeparableConvNorm, max_pool
from jaxact.models.layers.excitation import Excitation


class Stem(nn.Module):
    """Two plain convolutions, the first of stride 2.

    Attributes:
        features: channels of each.
        dtype, axis_name: see `Xception`.
    """

    features: tuple[int, int]
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n i j d"]:
        """Frames in, maps out; `train` takes the batch's statistics."""
        for number, (features, stride) in enumerate(zip(self.features, (2, 1), strict=True), 1):
            options = (True, True, self.dtype, self.axis_name)
            x = ConvNorm(features, (3, 3), stride, "VALID", *options, name=f"conv{number}")(
                x, train
            )
        return x


class Block(nn.Module):
    """Separable convolutions, each behind a ReLU, and a shortcut: the input itself, or its 1 x 1
    projection.

    Attributes:
        features: channels out of each convolution.
        pool: halve the grid at the end, the shortcut too, which is then a projection.
        excitation: a key of `layers.excitation.EXCITATIONS`: what the residual branch starts with.
            The shortcut takes the input as it is.
        ce_relu: see `Excitation`.
        frames: of a clip; only excitation needs it.
        fast, dtype, axis_name: see `Xception`.
    """

    features: tuple[int, ...]
    pool: bool
    excitation: str
    ce_relu: bool
    frames: int
    fast: bool
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n i j d"]:
        """Maps in, maps out; `train` takes the batch's statistics."""
        y = x
        if self.excitation != "none":
            clips = x.reshape(-1, self.frames, *x.shape[1:])
            y = Excitation(self.excitation, self.ce_relu, name="excitation")(clips).reshape(x.shape)
        for number, features in enumerate(self.features, 1):
            layer = SeparableConvNorm(
                features, self.dtype, self.axis_name, self.fast, name=f"sepconv{number}"
            )
            y = layer(
                nn.relu(y), train
            )  # block2, which has no ReLU at its head, sees what comes from one
        if not self.pool:
            return x + y
        options = (False, True, self.dtype, self.axis_name)
        shortcut = ConvNorm(self.features[-1], (1, 1), 2, "SAME", *options, name="shortcut")
        return max_pool(y, fast=self.fast) + shortcut(x, train)


class Exit(nn.Module):
    """Separable convolutions with a ReLU behind each, without a shortcut.

    Attributes:
        features: channels out of each.
        fast, dtype, axis_name: see `Xception`.
    """

    features: tuple[int, ...]
    fast: bool
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n h w d"]:
        """Maps in, maps out; `train` takes the batch's statistics."""
        for number, features in enumerate(self.features, 1):
            layer = SeparableConvNorm(
                features, self.dtype, self.axis_name, self.fast, name=f"sepconv{number}"
            )
            x = nn.relu(layer(x, train))
        return x


class Xception(Backbone):
    """The whole network over the frames of clips; 71 x 71 pixels at least.

    Attributes:
        middle: blocks that keep the grid; 8 is the published network.
        excitation, ce_relu: what the residual branch of the last block that has one starts with,
            see `Block`.
    """

    middle: int = 8
    excitation: str = "none"
    ce_relu: bool = False

    COARSEST = "block13"

    def chain(self, frames: int) -> tuple[Link, ...]:
        """block1 to block14; with fewer blocks in the middle, numbers are left out before
        block13.
        """
        fast = self.is_fast()

        def block(name: str, *features: int, pool: bool = True, excitation: str = "none") -> Link:
            fields = {
                "features": tuple(map(self.scaled, features)),
                "pool": pool,
                "excitation": excitation,
                "ce_relu": self.ce_relu,
                "frames": frames,
                "fast": fast,
            }
            return name, Block, fields

        return (
            ("block1", Stem, {"features": (self.scaled(32), self.scaled(64))}),
            block("block2", 128, 128),
            block("block3", 256, 256),
            block("block4", 728, 728),
            *(
                block(f"block{number}", 728, 728, 728, pool=False)
                for number in range(5, 5 + self.middle)
            ),
            block("block13", 728, 1024, excitation=self.excitation),
            ("block14", Exit, {"features": (self.scaled(1536), self.scaled(2048)), "fast": fast}),
        )
