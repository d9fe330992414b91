"""Classification heads over feature maps: a multilayer perceptron, or two layers joined by
attentional feature fusion (Dai, Gieseke, Oehmcke, Wu and Barnard, WACV 2021; equations 14 to 20 of
the SC-Xception paper).

Fusion blends two feature maps X and Y at every pixel and channel: Z = M o X + (1 - M) o Y. The
weights M come from X + Y by multi-scale channel attention: a local branch over each pixel and a
global branch over their mean.

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
Weights = Float[Array, "b h w d"]  # in (0, 1)

REDUCTION = 4  # reduction factor r of a bottleneck
KERNELS = (3, 5, 7)  # 2 i + 1, i = 1, 2, 3
HEADS = ("mlp", "aff", "mcam_aff")
GLOBAL_BRANCHES = ("shared", "separate")


class Bottleneck(nn.Module):
    """B(PW2 relu(B(PW1 X))): equation 17; PW are 1 x 1 convolutions, B batch normalisation.

    Attributes:
        inner, outer: output channels of PW1 and of PW2.
        dtype, axis_name: see `Head`.
    """

    inner: int
    outer: int
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b h w d"]:
        """The output feature maps in float32; `train` uses the batch's statistics."""
        y = nn.Dense(self.inner, dtype=self.dtype, kernel_init=GLOROT, name="reduce")(x)
        y = nn.relu(affine(y, *BatchNorm(self.axis_name, name="reduce_norm")(y, train)))
        y = nn.Dense(self.outer, dtype=self.dtype, kernel_init=GLOROT, name="expand")(y)
        return affine(y, *BatchNorm(self.axis_name, name="expand_norm")(y, train))


class MSCAM(nn.Module):
    """Multi-scale channel attention: M = sigmoid(L(X) + G(mean_hw X)), L and G two bottlenecks.

    Attributes:
        dtype, axis_name: see `Head`.
    """

    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Maps, train: bool = False) -> Weights:
        """The weight of every pixel and channel, in float32."""
        channels = x.shape[-1]
        options = (channels // REDUCTION, channels, self.dtype, self.axis_name)
        local_branch = Bottleneck(*options, name="local")(x, train)
        mean = jnp.mean(x, axis=(1, 2), keepdims=True)
        global_branch = Bottleneck(*options, name="global")(mean, train)
        return nn.sigmoid(local_branch + global_branch)


class MCAM(nn.Module):
    """The paper's MCAM, whose local branch has larger receptive fields: equations 14 to 19.

        X0 = W X    Xi = relu(B(Ki * X0)), Ki of 3, 5 and 7 pixels
        L = bottleneck of [X0 X1 X2 X3]    M = sigmoid(L + g)

    Departs from the paper: the sigmoid, which equation 19 leaves out; equation 20 takes M and 1 - M
    as shares.

    Attributes:
        global_branch: "shared": g is the mean of L over the pixels, as printed. "separate": a
            second bottleneck on the mean of X, as in `MSCAM`; its batch normalisation then has one
            row per clip.
        dtype, axis_name: see `Head`.
    """

    global_branch: str = "shared"
    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Maps, train: bool = False) -> Weights:
        """The weight of every pixel and channel, in float32.

        Raises:
            UserError: `global_branch` is not in `GLOBAL_BRANCHES`.
        """
        if self.global_branch not in GLOBAL_BRANCHES:
            raise unknown("global branch", self.global_branch, GLOBAL_BRANCHES)
        channels = x.shape[-1]
        reduced = channels // REDUCTION
        narrow = nn.Dense(reduced, dtype=self.dtype, kernel_init=GLOROT, name="narrow")(x)
        scales = [narrow]
        for size in KERNELS:
            conv = nn.Conv(
                reduced, (size, size), dtype=self.dtype, kernel_init=GLOROT, name=f"conv{size}"
            )
            y = conv(narrow)
            norm = BatchNorm(self.axis_name, name=f"conv{size}_norm")
            scales.append(nn.relu(affine(y, *norm(y, train))).astype(narrow.dtype))
        options = (reduced, channels, self.dtype, self.axis_name)
        local_branch = Bottleneck(*options, name="local")(jnp.concatenate(scales, axis=-1), train)
        if self.global_branch == "shared":
            return nn.sigmoid(local_branch + jnp.mean(local_branch, axis=(1, 2), keepdims=True))
        mean = jnp.mean(x, axis=(1, 2), keepdims=True)
        return nn.sigmoid(local_branch + Bottleneck(*options, name="global")(mean, train))


def fuse(x: Maps, y: Maps, weights: Weights, scale2: bool = False) -> Maps:
    """Z = M o X + (1 - M) o Y: equation 20; `scale2` doubles it, as AFF's released code does."""
    z = weights * x + (1 - weights) * y
    if scale2:
        return 2 * z
    return z


class Head(nn.Module):
    """Two hidden layers and the class scores: one of `HEADS`.

    "mlp" works on the mean over the pixels. The others keep the pixels: their layers are 1 x 1
    convolutions, the only reading under which the kernels of MCAM see more than their own centre.

    Attributes:
        num_classes: number of logits.
        kind: "mlp"; "aff", fused by `MSCAM`; "mcam_aff", fused by `MCAM`.
        hidden: channels of the two layers; the paper does not give them.
        dropout: rate behind each of the two layers, in [0, 1).
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
        """Logits; `train` uses the batch's statistics and dropout (rng `dropout`).

        Raises:
            UserError: `kind` is not in `HEADS`.
        """
        if self.kind not in HEADS:
            raise unknown("head", self.kind, HEADS)
        if self.kind == "mlp":
            maps = jnp.mean(maps, axis=(1, 2), keepdims=True)
        x = self._layer("layer1", maps, train)
        y = self._layer("layer2", x, train)
        if self.kind == "aff":
            weights = MSCAM(self.dtype, self.axis_name, name="attention")(x + y, train)
            y = fuse(x, y, weights, self.scale2)
        elif self.kind == "mcam_aff":
            attention = MCAM(self.global_branch, self.dtype, self.axis_name, name="attention")
            y = fuse(x, y, attention(x + y, train), self.scale2)
        pooled = jnp.mean(y.astype(jnp.float32), axis=(1, 2))
        return nn.Dense(self.num_classes, kernel_init=GLOROT, name="scores")(pooled)

    def _layer(self, name: str, x: Maps, train: bool) -> Float[Array, "b h w e"]:
        x = nn.relu(nn.Dense(self.hidden, dtype=self.dtype, kernel_init=GLOROT, name=name)(x))
        if train and self.dropout > 0:
            return dropout(self.make_rng("dropout"), x, self.dropout)
        return x
