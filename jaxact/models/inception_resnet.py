"""Inception-ResNet-v2 (Szegedy, Ioffe, Vanhoucke and Alemi, AAAI 2017), the topology of
keras.applications.

Inception blocks as the branch of a residual network: what the branches see is projected to the
width of the input, made small and added to it. Ten blocks on the fine grid, twenty on the middle
one, ten on the coarse one; the classifier is left out.

    [299 299 3] -> stem [35 35 320] -> block35 -> [17 17 1088] -> block17 -> [8 8 2080] -> block8 -> conv_7b [8 8 1536]

54 336 736 numbers (54 276 192 of them trained), 13.16 GMAC a frame of 299 x 299.
"""

import flax.linen as nn
from jaxtyping import Array, Float

from jaxact.models.inception import MAX, MEAN, STEM, Branch, Conv, Mixed, threes
from jaxact.models.layers.backbone import Backbone, Link
from jaxact.models.layers.conv_batch_norm import GLOROT

# Branches of every block that is no residual one, in the order in which keras.applications makes
# their convolutions.
PLAIN: dict[str, tuple[Branch, ...]] = {
    "stem": (STEM,),
    "mixed_5b": (
        (Conv(96, 1, 1),),
        (Conv(48, 1, 1), Conv(64, 5, 5)),
        threes(64, 96, 96),
        (MEAN, Conv(64, 1, 1)),
    ),
    "mixed_6a": ((Conv(384, 3, 3, 2, "VALID"),), threes(256, 256, 384, stride=2), (MAX,)),
    "mixed_7a": (
        threes(256, 384, stride=2),
        threes(256, 288, stride=2),
        threes(256, 288, 320, stride=2),
        (MAX,),
    ),
    "conv_7b": ((Conv(1536, 1, 1),),),
}
# Branches of the residual blocks, and the factor on what they add.
RESIDUAL: dict[str, tuple[tuple[Branch, ...], float]] = {
    "block35": (((Conv(32, 1, 1),), threes(32, 32), threes(32, 48, 64)), 0.17),
    "block17": (((Conv(192, 1, 1),), (Conv(128, 1, 1), Conv(160, 1, 7), Conv(192, 7, 1))), 0.1),
    "block8": (((Conv(192, 1, 1),), (Conv(192, 1, 1), Conv(224, 1, 3), Conv(256, 3, 1))), 0.2),
}


class Residual(Mixed):
    """x + factor * (W [branches of x] + b), and a ReLU.

    Attributes:
        factor: on what is added.
        relu: whether there is a ReLU; the network's last block has none.
    """

    factor: float
    relu: bool

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool = False) -> Float[Array, "n h w c"]:
        """Maps in, maps of the same shape out; `train` takes the batch's statistics."""
        up = nn.Dense(x.shape[-1], dtype=self.dtype, kernel_init=GLOROT, name="up")
        x = x + self.factor * up(self._mixed(x, train))
        return nn.relu(x) if self.relu else x


class InceptionResNetV2(Backbone):
    """The whole network over the frames of clips; 75 x 75 pixels at least.

    Attributes:
        repeats: residual blocks on each grid; 10, 20 and 10 are the published network's.
    """

    repeats: tuple[int, int, int] = (10, 20, 10)

    COARSEST = "mixed_7a"

    def chain(self, frames: int) -> tuple[Link, ...]:
        """The blocks under the names of keras.applications: block35_1 to block35_10 and so on."""
        del frames

        def plain(name: str) -> Link:
            return name, Mixed, {"branches": PLAIN[name], "width": self.width}

        def residual(kind: str, count: int) -> list[Link]:
            branches, factor = RESIDUAL[kind]
            fields = {"branches": branches, "width": self.width, "factor": factor, "relu": True}
            return [(f"{kind}_{number}", Residual, fields) for number in range(1, count + 1)]

        fine, middle, coarse = self.repeats
        *others, (name, kind, fields) = residual("block8", coarse)
        last = (name, kind, fields | {"factor": 1.0, "relu": False})
        return (
            plain("stem"),
            plain("mixed_5b"),
            *residual("block35", fine),
            plain("mixed_6a"),
            *residual("block17", middle),
            plain("mixed_7a"),
            *others,
            last,
            plain("conv_7b"),
        )
