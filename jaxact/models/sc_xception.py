"""SC-Xception, ConvGRU and MCAM-AFF (Cheng, Zhang, Liu, Liu, Liu and Yang): a network over the
frames of a video.

Xception sees each frame; two excitations let its last residual block know what the neighbouring
frames show (STE) and which channels move (CE). A ConvGRU reads the frames' maps along time and
remembers in place, and two layers joined by attentional feature fusion read the class off what it
remembers.

    [b 40 299 299 3] -> Xception [b 40 10 10 2048] -> ConvGRU [b 10 10 40] -> MCAM-AFF [b 10 10 256] -> mean -> [b k]

UCF101 95.66 % top-1, HMDB51 69.82 % (the paper's Table 3, random 3:1 splits of clips). 23 681 227
numbers with 101 classes, 23 668 377 with 51; 343 GMAC a clip. What the paper leaves open, and what
was decided, stands with each option.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.models.inception import InceptionV3
from jaxact.models.inception_resnet import InceptionResNetV2
from jaxact.models.layers.attentional_fusion import Head
from jaxact.models.layers.backbone import Backbone
from jaxact.models.layers.conv_batch_norm import GLOROT
from jaxact.models.layers.conv_gru import ConvGRU
from jaxact.models.xception import Xception

BACKBONES: dict[str, type[Backbone]] = {
    "xception": Xception,
    "inception_v3": InceptionV3,
    "inception_resnet_v2": InceptionResNetV2,
}
RECURRENT = ("convgru", "lstm")
LSTM_UNITS = (
    256  # of the LSTM row, whose size the paper does not give: that of LRCN's on RGB frames
)

# Rows of the paper's Tables 1, 2 and 4 as fields of `SCXception`; Table 2 is "full" with 20, 30, 40
# or 50 filters.
VARIANTS: dict[str, dict[str, str]] = {
    "inception_v3": {
        "backbone": "inception_v3",
        "excitation": "none",
        "head": "mlp",
    },  # Table 1, 85.74 %
    "inception_resnet_v2": {
        "backbone": "inception_resnet_v2",
        "excitation": "none",
        "head": "mlp",
    },  # 90.26 %
    "xc_lstm": {
        "excitation": "none",
        "recurrent": "lstm",
        "head": "mlp",
    },  # Table 4, row 1, 88.47 %
    "xc_convgru": {
        "excitation": "none",
        "head": "mlp",
    },  # Table 1, row 3, and Table 4, row 2, 92.76 %
    "sc_convgru": {"head": "mlp"},  # Table 4, row 3, 93.58 %
    "sc_convgru_aff": {"head": "aff"},  # row 4, 94.71 %
    "full": {},  # row 5, 95.66 %
}


def make_backbone(kind: str, /, *, depth: float = 1.0, **options: Any) -> Backbone:
    """The backbone `kind`, its repeated blocks fewer by the factor `depth`; `options` are its other
    fields.

    Raises:
        UserError: no such backbone.
    """
    if kind not in BACKBONES:
        raise unknown("backbone", kind, BACKBONES)
    if kind == "xception":
        options["middle"] = int(Xception.middle * depth)
    elif kind == "inception_resnet_v2":
        options["repeats"] = tuple(
            max(1, int(count * depth)) for count in InceptionResNetV2.repeats
        )
    return BACKBONES[kind](**options)


class SCXception(nn.Module):
    """The whole network; any number of frames at run time.

    Attributes:
        num_classes: logits out.
        backbone: a key of `BACKBONES`: what sees the frames.
        excitation: how STE and CE are put together at the start of Xception's last residual branch,
            one of `jaxact.models.layers.excitation.EXCITATIONS`; "none" for Xception itself and for
            the other backbones.
        ce_relu: see `jaxact.models.layers.excitation.ChannelExcitation`.
        recurrent: "convgru"; or "lstm", 256 units over the frames' mean features, with the "mlp"
            head.
        filters: maps that the ConvGRU remembers.
        reset_after, swap_z: see `jaxact.models.layers.conv_gru.ConvGRU`.
        head: one of `jaxact.models.layers.attentional_fusion.HEADS`.
        hidden, dropout, global_branch, scale2: see `jaxact.models.layers.attentional_fusion.Head`.
        train_from: the backbone's first block that trains, "all", "none", or "last": block13 of
            Xception and what makes the coarsest grid in the others. The paper is silent; 1280
            frames of 299 x 299 a step do not fit its 24 GB card with all of the backbone in
            training. "none" keeps the excitation, too, as it was drawn.
        width, depth: factors on the backbone's channels and on its repeated blocks, for toys.
        skip: names of the backbone's blocks that are left out, see
            `jaxact.models.layers.backbone.Backbone`.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        remat, chunk, fast: see `jaxact.models.layers.backbone.Backbone`.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
    """

    num_classes: int
    backbone: str = "xception"
    excitation: str = "sum"
    ce_relu: bool = False
    recurrent: str = "convgru"
    filters: int = 40
    reset_after: bool = True
    swap_z: bool = False
    head: str = "mcam_aff"
    hidden: int = 256
    dropout: float = 0.5
    global_branch: str = "shared"
    scale2: bool = False
    train_from: str = "last"
    width: float = 1.0
    depth: float = 1.0
    skip: tuple[str, ...] = ()
    dtype: Any = "float32"
    remat: bool = False
    chunk: int = 0
    axis_name: str | None = None
    fast: bool | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t h w c"] | UInt8[Array, "b t h w c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip; what the recurrent layer remembers is sown as `memory` [b i j f] in
        `intermediates`.

        Args:
            inputs: frames from -1 to 1, or bytes from 0 to 255, which are brought to that range by
                x / 127.5 - 1.
            train: dropout (rng `dropout`), and batch statistics in what trains; `batch_stats` must
                then be mutable.

        Raises:
            UserError: a name that stands for nothing, or options that do not go together.
        """
        if self.recurrent not in RECURRENT:
            raise unknown("recurrent layer", self.recurrent, RECURRENT)
        if self.recurrent == "lstm" and self.head != "mlp":
            raise UserError(
                f"an LSTM remembers no places, which the head {self.head!r} works on; wanted head 'mlp'"
            )
        maps = self.frames_network(name="backbone")(inputs, train=train)
        if self.recurrent == "convgru":
            options = {"reset_after": self.reset_after, "swap_z": self.swap_z, "dtype": self.dtype}
            memory = ConvGRU(self.filters, **options, name="convgru")(maps)
        else:
            cell = nn.OptimizedLSTMCell(LSTM_UNITS, kernel_init=GLOROT, name="lstm")
            features = jnp.mean(maps.astype(jnp.float32), axis=(2, 3))
            (_, last), _ = nn.RNN(cell, return_carry=True)(features)
            memory = last[:, None, None]
        self.sow("intermediates", "memory", memory)
        head = Head(
            self.num_classes,
            kind=self.head,
            hidden=self.hidden,
            dropout=self.dropout,
            global_branch=self.global_branch,
            scale2=self.scale2,
            dtype=self.dtype,
            axis_name=self.axis_name,
            name="head",
        )
        return head(memory, train)

    def frames_network(self, **options: Any) -> Backbone:
        """The backbone as this network uses it.

        Raises:
            UserError: no such backbone, or excitation in one that has no place for it.
        """
        if self.backbone == "xception":
            options |= {"excitation": self.excitation, "ce_relu": self.ce_relu}
            if self.excitation != "none" and Xception.COARSEST in self.skip:
                raise UserError(
                    f"excitation {self.excitation!r} stands in {Xception.COARSEST}, which is skipped; wanted "
                    "excitation 'none', or other blocks to skip"
                )
        elif self.excitation != "none" and self.backbone in BACKBONES:
            raise UserError(
                f"excitation {self.excitation!r} stands in Xception's last residual block, which {self.backbone!r} has "
                "not; wanted excitation 'none', or the backbone 'xception'"
            )
        names = ("width", "skip", "train_from", "dtype", "remat", "chunk", "axis_name", "fast")
        options |= {name: getattr(self, name) for name in names}
        return make_backbone(self.backbone, depth=self.depth, **options)

    def frozen(self, params: Any) -> Any:
        """A tree like `params` that is True where a parameter does not train: in the backbone's
        frozen blocks.
        """
        return self.frames_network(parent=None).frozen(params)


def build_sc_xception(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> SCXception:
    """SC-Xception, ConvGRU and MCAM-AFF; `options` are fields of `SCXception`."""
    del layout, channels  # a picture has no joints, and its channels are read off the input
    return SCXception(num_classes=num_classes, axis_name=axis_name, **options)
