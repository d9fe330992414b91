"""Xception (Chollet, CVPR 2017), the topology of keras.applications, without its classifier.

A residual network of depthwise separable convolutions: 3 x 3 within each channel, then 1 x 1 across
channels. Three blocks halve the grid, eight keep it, a last one halves it again, and two layers
widen the result.

    [299 299 3] -> block1 [147 147 64] -> blocks 2-4 [19 19 728] -> blocks 5-12
      -> blocks 13, 14 [10 10 2048]

20 861 480 parameters and statistics (20 806 952 of them trained), 8.36 GMAC per frame of 299 x 299.
"""

from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float

from jaxact.models.layers.backbone import Backbone, BlockSpec
from jaxact.models.layers.conv_batch_norm import ConvBatchNorm, SeparableConvBatchNorm
from jaxact.models.layers.convolution import max_pool_by_axis
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
        """Feature maps of the frames; `train` uses the batch's statistics."""
        for number, (features, stride) in enumerate(zip(self.features, (2, 1), strict=True), 1):
            conv = ConvBatchNorm(
                features,
                (3, 3),
                stride,
                "VALID",
                relu=True,
                scale=True,
                dtype=self.dtype,
                axis_name=self.axis_name,
                name=f"conv{number}",
            )
            x = conv(x, train)
        return x


class Block(nn.Module):
    """Separable convolutions, each behind a ReLU, and a shortcut: the identity, or a 1 x 1
    projection.

    Attributes:
        features: output channels of each convolution.
        pool: halve the grid at the end, also in the shortcut, which is then a projection.
        excitation: a key of `layers.excitation.EXCITATIONS`: the first layer of the residual
            branch. The shortcut takes the input without it.
        ce_relu: see `Excitation`.
        frames: frames per clip; only excitation needs it.
        dtype, axis_name: see `Xception`.
    """

    features: tuple[int, ...]
    pool: bool
    excitation: str
    ce_relu: bool
    frames: int
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n i j d"]:
        """The output feature maps; `train` uses the batch's statistics."""
        y = x
        if self.excitation != "none":
            clips = x.reshape(-1, self.frames, *x.shape[1:])
            y = Excitation(self.excitation, self.ce_relu, name="excitation")(clips).reshape(x.shape)
        for number, features in enumerate(self.features, 1):
            conv = SeparableConvBatchNorm(
                features, self.dtype, self.axis_name, name=f"sepconv{number}"
            )
            # block2 of the published network has no ReLU here, but the output of one as its input.
            y = conv(nn.relu(y), train)
        if not self.pool:
            return x + y
        shortcut = ConvBatchNorm(
            self.features[-1],
            (1, 1),
            2,
            "SAME",
            relu=False,
            scale=True,
            dtype=self.dtype,
            axis_name=self.axis_name,
            name="shortcut",
        )
        return max_pool_by_axis(y) + shortcut(x, train)


class Exit(nn.Module):
    """Separable convolutions, each followed by a ReLU, without a shortcut.

    Attributes:
        features: output channels of each.
        dtype, axis_name: see `Xception`.
    """

    features: tuple[int, ...]
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n h w d"]:
        """The output feature maps; `train` uses the batch's statistics."""
        for number, features in enumerate(self.features, 1):
            conv = SeparableConvBatchNorm(
                features, self.dtype, self.axis_name, name=f"sepconv{number}"
            )
            x = nn.relu(conv(x, train))
        return x


class Xception(Backbone):
    """The whole network over the frames of clips; frames of at least 71 x 71 pixels.

    Attributes:
        middle: number of blocks that keep the grid; 8 is the published network.
        excitation, ce_relu: of the last block with a residual branch, see `Block`.
    """

    middle: int = 8
    excitation: str = "none"
    ce_relu: bool = False

    COARSEST = "block13"

    def all_blocks(self, frames: int) -> tuple[BlockSpec, ...]:
        """block1 to block14; with a smaller `middle`, numbers before 13 are absent."""

        def block(
            name: str, *features: int, pool: bool = True, excitation: str = "none"
        ) -> BlockSpec:
            fields = {
                "features": tuple(self.scaled(channels) for channels in features),
                "pool": pool,
                "excitation": excitation,
                "ce_relu": self.ce_relu,
                "frames": frames,
            }
            return BlockSpec(name, Block, fields)

        blocks = [
            BlockSpec("block1", Stem, {"features": (self.scaled(32), self.scaled(64))}),
            block("block2", 128, 128),
            block("block3", 256, 256),
            block("block4", 728, 728),
        ]
        for number in range(5, 5 + self.middle):
            blocks.append(block(f"block{number}", 728, 728, 728, pool=False))
        blocks.append(block("block13", 728, 1024, excitation=self.excitation))
        exit_features = (self.scaled(1536), self.scaled(2048))
        blocks.append(BlockSpec("block14", Exit, {"features": exit_features}))
        return tuple(blocks)
