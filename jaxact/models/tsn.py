"""Temporal segment network (Wang et al., ECCV 2016): a baseline that knows a video by single
frames.

A clip is a few snippets, one from each of as many equal segments. One network scores every snippet,
and the segments' scores agree on the clip's class by a consensus. A second network does the same on
optical flow; the two-stream network (Simonyan and Zisserman, NeurIPS 2014) adds both: `jaxact train
--streams rgb,flow`.

    [b s h w c] -> backbone [b s i j d] -> mean [b s d] -> scores [b s k] -> consensus [b k]

The snippets are what the pipeline draws with `clip.sampling = "segments"`; the paper trains with
three and tests with
25. Any number of channels is taken: three of colour, two of a frame of flow, or, as in the paper,
    ten of five frames.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.models.layers.backbone import Backbone
from jaxact.models.layers.dropout import dropout
from jaxact.models.sc_xception import make_backbone

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
        top: segments that count with "top", all of them where there are fewer.

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
        raise UserError(f"the consensus 'top' was to take {top} segments; wanted at least 1")
    return jnp.mean(jnp.sort(scores, axis=1)[:, -top:], axis=1)


class TSN(nn.Module):
    """One network for all segments, and their consensus; any number of segments at run time.

    Departs from the paper where `backbone` does: BN-Inception is not among them.

    Attributes:
        num_classes: logits out.
        backbone: a key of `jaxact.models.sc_xception.BACKBONES`.
        consensus, top: see `consensus`.
        dropout: share of elements dropped before the scores, in [0, 1); the paper's is 0.8 for RGB
            and 0.7 for flow.
        width, depth: factors on the backbone's channels and on its repeated blocks, for toys.
        skip: names of the backbone's blocks that are left out, see
            `jaxact.models.layers.backbone.Backbone`.
        train_from, dtype, remat, chunk, axis_name, fast: see
            `jaxact.models.layers.backbone.Backbone`.
    """

    num_classes: int
    backbone: str = "inception_v3"
    consensus: str = "mean"
    top: int = 3
    dropout: float = 0.8
    train_from: str = "all"
    width: float = 1.0
    depth: float = 1.0
    skip: tuple[str, ...] = ()
    dtype: Any = "float32"
    remat: bool = False
    chunk: int = 0
    axis_name: str | None = None
    fast: bool | None = None

    @nn.compact
    def __call__(self, inputs: Snippets, *, train: bool = False) -> Float[Array, "b classes"]:
        """Logits of each clip; those of its segments are sown as `segments` [b s classes] in
        `intermediates`.

        Args:
            inputs: snippets from -1 to 1, or bytes.
            train: dropout (rng `dropout`), and batch statistics in what trains; `batch_stats` must
                then be mutable.

        Raises:
            UserError: a name that stands for nothing.
        """
        maps = self.frames_network(name="backbone")(inputs, train=train)
        features = jnp.mean(maps.astype(jnp.float32), axis=(2, 3))
        if train and self.dropout > 0:
            features = dropout(self.make_rng("dropout"), features, self.dropout)
        scores = nn.Dense(
            self.num_classes, kernel_init=nn.initializers.normal(0.001), name="scores"
        )(features)
        self.sow("intermediates", "segments", scores)
        return consensus(scores, self.consensus, self.top)

    def frames_network(self, **options: Any) -> Backbone:
        """The backbone as this network uses it."""
        names = (
            "depth",
            "width",
            "skip",
            "train_from",
            "dtype",
            "remat",
            "chunk",
            "axis_name",
            "fast",
        )
        return make_backbone(
            self.backbone, **{name: getattr(self, name) for name in names}, **options
        )

    def frozen(self, params: Any) -> Any:
        """A tree like `params` that is True where a parameter does not train."""
        return self.frames_network(parent=None).frozen(params)


def cross_modality(kernel: Float[Array, "y x 3 d"], channels: int) -> Float[Array, "y x c d"]:
    """A first convolution for flow out of one for colour: the mean over its three channels, once
    for each of flow's.
    """
    return jnp.repeat(jnp.mean(kernel, axis=2, keepdims=True), channels, axis=2)


def build_tsn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> TSN:
    """A temporal segment network; `options` are fields of `TSN`."""
    del layout, channels
    return TSN(num_classes=num_classes, axis_name=axis_name, **options)
