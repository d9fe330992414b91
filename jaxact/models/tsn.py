"""Temporal segment network (Wang et al., ECCV 2016): a baseline that classifies a video by single
frames.

A clip is a few snippets, one from each of as many equal segments. One network scores every snippet,
and a consensus of the segments' scores classifies the clip. A second network does the same on
optical flow; the two-stream network (Simonyan and Zisserman, NeurIPS 2014) adds both: `jaxact train
--streams rgb,flow`.

    [b s h w c] -> backbone [b s i j d] -> mean [b s d] -> scores [b s k] -> consensus [b k]

The pipeline draws the snippets with `clip.sampling = "segments"`; the paper trains with three
segments and tests with 25. The number of channels is free: three of colour, two of a frame of flow,
or, as in the paper, ten of five frames of flow.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact.errors import UserError, unknown
from jaxact.models.backbones import VideoNetwork, build_video_network
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.dropout import dropout

CONSENSUS = ("mean", "max", "top")
Snippets = Float[Array, "b s h w c"] | UInt8[Array, "b s h w c"]


def consensus(
    scores: Float[Array, "b s classes"], kind: str = "mean", top: int = 3
) -> Float[Array, "b classes"]:
    """G of the segments' scores, class by class: their mean, their maximum, or the mean of the
    `top` highest.

    Args:
        scores: before the softmax.
        kind: one of `CONSENSUS`.
        top: number of segments that "top" averages; all of them where there are fewer.

    Raises:
        UserError: an unknown kind, or `top` below 1.
    """
    if kind not in CONSENSUS:
        raise unknown("consensus", kind, CONSENSUS)
    if kind == "mean":
        return jnp.mean(scores, axis=1)
    if kind == "max":
        return jnp.max(scores, axis=1)
    if top < 1:
        raise UserError(f"the consensus 'top' was to average {top} segments; wanted at least 1")
    return jnp.mean(jnp.sort(scores, axis=1)[:, -top:], axis=1)


class TSN(VideoNetwork):
    """One network for all segments, and their consensus; the number of segments is free at run
    time.

    Departs from the paper in `backbone`: BN-Inception is not available.

    Attributes:
        consensus, top: see `consensus`.
        dropout: rate before the scores, in [0, 1); the paper's is 0.8 for RGB and 0.7 for flow.
        num_classes, backbone, train_from, width, depth, skip, dtype, remat, chunk, axis_name: see
            `VideoNetwork`.
    """

    backbone: str = "inception_v3"
    consensus: str = "mean"
    top: int = 3
    dropout: float = 0.8

    @nn.compact
    def __call__(self, inputs: Snippets, *, train: bool = False) -> Float[Array, "b classes"]:
        """Logits of each clip; those of its segments are sown as `segments` [b s classes] in
        `intermediates`.

        Args:
            inputs: snippets in [-1, 1], or bytes, which are scaled to that range.
            train: dropout (rng `dropout`), and batch statistics in the blocks that train;
                `batch_stats` must then be mutable.

        Raises:
            UserError: an unknown name.
        """
        maps = self.make_backbone(name="backbone")(inputs, train=train)
        features = jnp.mean(maps.astype(jnp.float32), axis=(2, 3))
        if train and self.dropout > 0:
            features = dropout(self.make_rng("dropout"), features, self.dropout)
        init = nn.initializers.normal(0.001)
        scores = nn.Dense(self.num_classes, kernel_init=init, name="scores")(features)
        self.sow("intermediates", "segments", scores)
        return consensus(scores, self.consensus, self.top)


def cross_modality(kernel: Float[Array, "y x 3 d"], channels: int) -> Float[Array, "y x c d"]:
    """Initial kernel of a flow network's first convolution, from one for colour.

    The mean over the three colour channels, repeated for each of the flow's channels.
    """
    return jnp.repeat(jnp.mean(kernel, axis=2, keepdims=True), channels, axis=2)


def build_tsn(spec: InputSpec, **options: Any) -> TSN:
    """A temporal segment network; `options` are fields of `TSN`."""
    return build_video_network(TSN, spec, options)
