"""SC-Xception, ConvGRU and MCAM-AFF (Cheng, Zhang, Liu, Liu, Liu and Yang): a network over the
frames of a video.

Xception computes feature maps of each frame; two excitations at the start of its last residual
branch mix in the neighbouring frames (STE) and reweight the channels by their change over time
(CE). A ConvGRU reads the feature maps along time and keeps their spatial layout. Two layers joined
by attentional feature fusion classify its last state.

    [b 40 299 299 3] -> Xception [b 40 10 10 2048] -> ConvGRU [b 10 10 40]
      -> MCAM-AFF [b 10 10 256] -> mean -> [b k]

UCF101 95.66 % top-1, HMDB51 69.82 % (the paper's Table 3, random 3:1 splits of clips). 23 681 227
parameters and backbone statistics with 101 classes, 23 668 377 with 51; 343 GMAC per clip. Where
the paper is silent, the option's description states the choice.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact.errors import UserError, unknown
from jaxact.models.backbones import BACKBONES, VideoNetwork, build_video_network
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.attentional_fusion import Head
from jaxact.models.layers.backbone import Backbone
from jaxact.models.layers.conv_batch_norm import GLOROT
from jaxact.models.layers.conv_gru import ConvGRU
from jaxact.models.xception import Xception

RECURRENT = ("convgru", "lstm")
LSTM_UNITS = 256  # of the LSTM row; the paper does not give them: those of LRCN on RGB frames


class SCXception(VideoNetwork):
    """The whole network; the number of frames is free at run time.

    Attributes:
        backbone: a key of `jaxact.models.backbones.BACKBONES`.
        excitation: how STE and CE are combined at the start of Xception's last residual branch, one
            of `jaxact.models.layers.excitation.EXCITATIONS`; "none" for plain Xception and for the
            other backbones.
        ce_relu: see `jaxact.models.layers.excitation.ChannelExcitation`.
        recurrent: "convgru"; or "lstm", 256 units over the frames' mean features, with the "mlp"
            head.
        filters: channels of the ConvGRU's state.
        reset_after, swap_z: see `jaxact.models.layers.conv_gru.ConvGRU`.
        head: one of `jaxact.models.layers.attentional_fusion.HEADS`.
        hidden, dropout, global_branch, scale2: see `jaxact.models.layers.attentional_fusion.Head`.
        train_from: see `VideoNetwork`. The paper does not say; 1280 frames of 299 x 299 per step do
            not fit its 24 GB card with the whole backbone in training. "none" also freezes the
            excitation at its initial values.
        num_classes, width, depth, skip, dtype, remat, chunk, axis_name: see `VideoNetwork`.
    """

    train_from: str = "last"
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

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t h w c"] | UInt8[Array, "b t h w c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip; the recurrent layer's last state is sown as `memory` [b i j f] in
        `intermediates`.

        Args:
            inputs: frames in [-1, 1], or bytes, which are scaled to that range by x / 127.5 - 1.
            train: dropout (rng `dropout`), and batch statistics in the blocks that train;
                `batch_stats` must then be mutable.

        Raises:
            UserError: an unknown name, or options that do not go together.
        """
        if self.recurrent not in RECURRENT:
            raise unknown("recurrent layer", self.recurrent, RECURRENT)
        if self.recurrent == "lstm" and self.head != "mlp":
            raise UserError(
                f"an LSTM has no spatial layout, which the head {self.head!r} needs; "
                "wanted head 'mlp'"
            )
        maps = self.make_backbone(name="backbone")(inputs, train=train)
        if self.recurrent == "convgru":
            gru = ConvGRU(
                self.filters,
                reset_after=self.reset_after,
                swap_z=self.swap_z,
                dtype=self.dtype,
                name="convgru",
            )
            state = gru(maps)
        else:
            cell = nn.OptimizedLSTMCell(LSTM_UNITS, kernel_init=GLOROT, name="lstm")
            features = jnp.mean(maps.astype(jnp.float32), axis=(2, 3))
            (_, output), _ = nn.RNN(cell, return_carry=True)(features)
            state = output[:, None, None]
        self.sow("intermediates", "memory", state)
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
        return head(state, train)

    def make_backbone(self, **options: Any) -> Backbone:
        """The backbone with this network's options.

        Raises:
            UserError: an unknown backbone, or excitation in a backbone that has no place for it.
        """
        if self.backbone == "xception":
            options |= {"excitation": self.excitation, "ce_relu": self.ce_relu}
            if self.excitation != "none" and Xception.COARSEST in self.skip:
                raise UserError(
                    f"excitation {self.excitation!r} belongs to {Xception.COARSEST}, which is "
                    "skipped; wanted excitation 'none', or other blocks to skip"
                )
        elif self.excitation != "none" and self.backbone in BACKBONES:
            raise UserError(
                f"excitation {self.excitation!r} belongs to Xception's last residual block, which "
                f"{self.backbone!r} does not have; wanted excitation 'none', or the backbone "
                "'xception'"
            )
        return super().make_backbone(**options)


def build_sc_xception(spec: InputSpec, **options: Any) -> SCXception:
    """SC-Xception, ConvGRU and MCAM-AFF; `options` are fields of `SCXception`."""
    return build_video_network(SCXception, spec, options)
