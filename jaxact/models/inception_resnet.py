"""Inception-ResNet-v2 (Szegedy, Ioffe, Vanhoucke and Alemi, AAAI 2017), the topology of
keras.applications.

A residual network whose branches are Inception blocks: the concatenated outputs are projected to
the width of the input, scaled down and added to it. Ten blocks on the fine grid, twenty on the
middle one, ten on the coarse one; the classifier is left out.

    [299 299 3] -> stem [35 35 320] -> block35 -> [17 17 1088] -> block17 -> [8 8 2080]
      -> block8 -> conv_7b [8 8 1536]

54 336 736 parameters and statistics (54 276 192 of them trained), 13.16 GMAC per frame of 299 x
299.
"""

import flax.linen as nn
from jaxtyping import Array, Float

from jaxact.models.inception import MAX, MEAN, STEM, Branch, Conv, Mixed, convs_3x3
from jaxact.models.layers.backbone import Backbone, BlockSpec
from jaxact.models.layers.conv_batch_norm import GLOROT

# The branches of the blocks without a shortcut; convolutions are in the order in which
# keras.applications creates them.
PLAIN: dict[str, tuple[Branch, ...]] = {
    "stem": (STEM,),
    "mixed_5b": (
        (Conv(96, 1, 1),),
        (Conv(48, 1, 1), Conv(64, 5, 5)),
        convs_3x3(64, 96, 96),
        (MEAN, Conv(64, 1, 1)),
    ),
    "mixed_6a": ((Conv(384, 3, 3, 2, "VALID"),), convs_3x3(256, 256, 384, stride=2), (MAX,)),
    "mixed_7a": (
        convs_3x3(256, 384, stride=2),
        convs_3x3(256, 288, stride=2),
        convs_3x3(256, 288, 320, stride=2),
        (MAX,),
    ),
    "conv_7b": ((Conv(1536, 1, 1),),),
}
# The branches of the residual blocks, and the factor that scales the residual.
RESIDUAL: dict[str, tuple[tuple[Branch, ...], float]] = {
    "block35": (((Conv(32, 1, 1),), convs_3x3(32, 32), convs_3x3(32, 48, 64)), 0.17),
    "block17": (((Conv(192, 1, 1),), (Conv(128, 1, 1), Conv(160, 1, 7), Conv(192, 7, 1))), 0.1),
    "block8": (((Conv(192, 1, 1),), (Conv(192, 1, 1), Conv(224, 1, 3), Conv(256, 3, 1))), 0.2),
}


class Residual(Mixed):
    """x + factor * (W [branches of x] + b), and a ReLU.

    Attributes:
        factor: scales the residual.
        relu: end with a ReLU; the network's last block has none.
    """

    factor: float
    relu: bool

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n h w c"]:
        """Feature maps of the same shape; `train` uses the batch's statistics."""
        project = nn.Dense(x.shape[-1], dtype=self.dtype, kernel_init=GLOROT, name="up")
        x = x + self.factor * project(self._mixed(x, train))
        if self.relu:
            x = nn.relu(x)
        return x


class InceptionResNetV2(Backbone):
    """The whole network over the frames of clips; frames of at least 75 x 75 pixels.

    Attributes:
        repeats: number of residual blocks on each grid; 10, 20 and 10 in the published network.
    """

    repeats: tuple[int, int, int] = (10, 20, 10)

    COARSEST = "mixed_7a"

    def all_blocks(self, frames: int) -> tuple[BlockSpec, ...]:
        """The blocks under the names of keras.applications: block35_1 to block35_10 and so on."""
        del frames
        fine, middle, coarse = self.repeats
        last = self._residual("block8", coarse)
        last.fields.update(factor=1.0, relu=False)
        return (
            self._plain("stem"),
            self._plain("mixed_5b"),
            *[self._residual("block35", number) for number in range(1, fine + 1)],
            self._plain("mixed_6a"),
            *[self._residual("block17", number) for number in range(1, middle + 1)],
            self._plain("mixed_7a"),
            *[self._residual("block8", number) for number in range(1, coarse)],
            last,
            self._plain("conv_7b"),
        )

    def _plain(self, name: str) -> BlockSpec:
        return BlockSpec(name, Mixed, {"branches": PLAIN[name], "width": self.width})

    def _residual(self, kind: str, number: int) -> BlockSpec:
        branches, factor = RESIDUAL[kind]
        fields = {"branches": branches, "width": self.width, "factor": factor, "relu": True}
        return BlockSpec(f"{kind}_{number}", Residual, fields)
