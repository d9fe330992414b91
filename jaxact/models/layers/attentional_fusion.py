"""Classifiers of maps: a multilayer perceptron, or two layers joined by attentional feature fusion
(Dai, Gieseke, Oehmcke, Wu and Barnard, WACV 2021; equations 14 to 20 of the SC-Xception paper).

Fusion takes of two maps X and Y, at every place and channel, one or the other: Z = M o X + (1 - M)
o Y, with the weight M made of X + Y by multi-scale channel attention: of every place alone (local)
and of all of them (global).

    [b h w f] -> layer [b h w 256] = X -> layer [b h w 256] = Y -> Z -> mean [b 256] -> [b k]
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import unknown
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.conv_batch_norm import GLOROT
from jaxact.models.layers.dropout import dropout

Maps = Float[Array, "b h w d"]
Weight = Float[Array, "b h w d"]  # in (0, 1)

REDUCTION = 4  # channels to channels of a bottleneck, r
KERNELS = (3, 5, 7)  # 2 i + 1, i = 1, 2, 3
HEADS = ("mlp", "aff", "mcam_aff")
GLOBAL_BRANCHES = ("shared", "separate")


class Bottleneck(nn.Module):
    """B(PW2 relu(B(PW1 X))): equation 17; PW are 1 x 1 convolutions, B batch normalisation.

    Attributes:
        inner, outer: channels between the two and behind them.
        dtype, axis_name: see `Head`.
    """

    inner: int
    outer: int
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b h w d"]:
        """Maps in, maps out in float32; `train` takes the batch's statistics."""
        y = nn.Dense(self.inner, dtype=self.dtype, kernel_init=GLOROT, name="reduce")(x)
        y = nn.relu(affine(y, *BatchNorm(self.axis_name, name="reduce_norm")(y, train)))
        y = nn.Dense(self.outer, dtype=self.dtype, kernel_init=GLOROT, name="expand")(y)
        return affine(y, *BatchNorm(self.axis_name, name="expand_norm")(y, train))


class MSCAM(nn.Module):
    """Multi-scale channel attention: M = sigmoid(L(X) + G(mean_hw X)), L and G bottlenecks of their
    own.

    Attributes:
        dtype, axis_name: see `Head`.
    """

    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Maps, train: bool = False) -> Weight:
        """The weight of every place and channel, in float32."""
        sizes = x.shape[-1] // REDUCTION, x.shape[-1]
        local = Bottleneck(*sizes, self.dtype, self.axis_name, name="local")(x, train)
        mean = jnp.mean(x, axis=(1, 2), keepdims=True)
        return nn.sigmoid(
            local + Bottleneck(*sizes, self.dtype, self.axis_name, name="global")(mean, train)
        )


class MCAM(nn.Module):
    """The paper's MCAM, which looks at a place's surroundings too: equations 14 to 19.

        X0 = W X    Xi = relu(B(Ki * X0)), Ki of 3, 5 and 7 pixels
        L = bottleneck of [X0 X1 X2 X3]    M = sigmoid(L + g)

    Departs from the paper: the sigmoid, which equation 19 leaves out; equation 20 takes M and 1 - M
    as shares.

    Attributes:
        global_branch: "shared": g is the mean of L over the places, as printed. "separate": a
            bottleneck of its own on the mean of X, as in `MSCAM`; its normalisation then sees one
            row a clip.
        dtype, axis_name: see `Head`.
    """

    global_branch: str = "shared"
    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Maps, train: bool = False) -> Weight:
        """The weight of every place and channel, in float32.

        Raises:
            UserError: `global_branch` is none of `GLOBAL_BRANCHES`.
        """
        if self.global_branch not in GLOBAL_BRANCHES:
            raise unknown("global branch", self.global_branch, GLOBAL_BRANCHES)
        channels = x.shape[-1]
        few = channels // REDUCTION
        narrow = nn.Dense(few, dtype=self.dtype, kernel_init=GLOROT, name="narrow")(x)
        scales = [narrow]
        for size in KERNELS:
            y = nn.Conv(
                few, (size, size), dtype=self.dtype, kernel_init=GLOROT, name=f"conv{size}"
            )(narrow)
            norm = BatchNorm(self.axis_name, name=f"conv{size}_norm")
            scales.append(nn.relu(affine(y, *norm(y, train))).astype(narrow.dtype))
        options = (few, channels, self.dtype, self.axis_name)
        local = Bottleneck(*options, name="local")(jnp.concatenate(scales, axis=-1), train)
        if self.global_branch == "shared":
            return nn.sigmoid(local + jnp.mean(local, axis=(1, 2), keepdims=True))
        mean = jnp.mean(x, axis=(1, 2), keepdims=True)
        return nn.sigmoid(local + Bottleneck(*options, name="global")(mean, train))


def fuse(x: Maps, y: Maps, weight: Weight, scale2: bool = False) -> Maps:
    """Z = M o X + (1 - M) o Y: equation 20; twice that with `scale2`, as in the released code of
    AFF.
    """
    z = weight * x + (1 - weight) * y
    return 2 * z if scale2 else z


class Head(nn.Module):
    """Two hidden layers and the class scores: one of `HEADS`.

    "mlp" works on the mean over the places. The others keep the places: their layers are 1 x 1
    convolutions, the only reading under which the kernels of MCAM see more than their own centre.

    Attributes:
        num_classes: logits out.
        kind: "mlp"; "aff", fused by `MSCAM`; "mcam_aff", fused by `MCAM`.
        hidden: channels of the two layers; the paper is silent.
        dropout: share of elements dropped behind each of them, in [0, 1).
        global_branch: see `MCAM`.
        scale2: see `fuse`.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        axis_name: mapped axis whose devices share batch statistics.
    """

    num_classes: int
    kind: str = "mcam_aff"
    hidden: int = 256
    dropout: float = 0.5
    global_branch: str = "shared"
    scale2: bool = False
    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(self, maps: Maps, train: bool = False) -> Float[Array, "b classes"]:
        """Logits; `train` takes the batch's statistics and drops elements (rng `dropout`).

        Raises:
            UserError: `kind` is none of `HEADS`.
        """
        if self.kind not in HEADS:
            raise unknown("head", self.kind, HEADS)
        if self.kind == "mlp":
            maps = jnp.mean(maps, axis=(1, 2), keepdims=True)
        x = self._layer("layer1", maps, train)
        y = self._layer("layer2", x, train)
        if self.kind == "aff":
            y = fuse(
                x, y, MSCAM(self.dtype, self.axis_name, name="attention")(x + y, train), self.scale2
            )
        elif self.kind == "mcam_aff":
            attention = MCAM(self.global_branch, self.dtype, self.axis_name, name="attention")
            y = fuse(x, y, attention(x + y, train), self.scale2)
        pooled = jnp.mean(y.astype(jnp.float32), axis=(1, 2))
        return nn.Dense(self.num_classes, kernel_init=GLOROT, name="scores")(pooled)

    def _layer(self, name: str, x: Maps, train: bool) -> Float[Array, "b h w e"]:
        x = nn.relu(nn.Dense(self.hidden, dtype=self.dtype, kernel_init=GLOROT, name=name)(x))
        return (
            dropout(self.make_rng("dropout"), x, self.dropout) if train and self.dropout > 0 else x
        )
