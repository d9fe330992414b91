"""Spatio-temporal excitation (STE) and channel excitation (CE) of feature maps.

From ACTION-Net (Wang, She and Smolic, CVPR 2021) as the SC-Xception paper uses it, equations 1 to
9. Each computes attention weights M in (0, 1) from the maps X and returns Y = X + X o M.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import unknown
from jaxact.models.layers.conv_batch_norm import GLOROT

Maps = Float[Array, "b t h w c"]
REDUCTION = 16  # reduction factor of the bottleneck in CE

# How STE and CE are combined. The paper draws both arrows and no operator where they meet;
# ACTION-Net adds its paths.
EXCITATIONS = ("none", "ste", "ce", "sum", "mean", "sequential")


class SpatialTemporalExcitation(nn.Module):
    """Y = X + X o M, M = sigmoid(K * mean_c X): equations 1 to 4. K is one kernel of 3 frames x 3 x
    3 pixels.
    """

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """The excited feature maps."""
        mean = jnp.mean(x.astype(jnp.float32), axis=-1, keepdims=True)
        conv = nn.Conv(1, (3, 3, 3), use_bias=False, kernel_init=GLOROT, name="conv")
        return x + x * nn.sigmoid(conv(mean)).astype(x.dtype)


class ChannelExcitation(nn.Module):
    """Y = X + X o M, M = sigmoid(W2 (K * W1 mean_hw X)): equations 5 to 9.

    W1 maps c channels to c / 16, K is a kernel over 3 frames, W2 maps back to c. The paper prints
    the shapes of F_r and F_t in exchanged order.

    Attributes:
        relu: a ReLU behind K, as in ACTION-Net's code; the equations have none.
    """

    relu: bool = False

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """The excited feature maps."""
        channels = x.shape[-1]
        reduced = max(1, channels // REDUCTION)
        y = jnp.mean(x.astype(jnp.float32), axis=(2, 3))
        y = nn.Dense(reduced, use_bias=False, kernel_init=GLOROT, name="squeeze")(y)
        y = nn.Conv(reduced, (3,), use_bias=False, kernel_init=GLOROT, name="conv")(y)
        if self.relu:
            y = nn.relu(y)
        y = nn.Dense(channels, use_bias=False, kernel_init=GLOROT, name="expand")(y)
        return x + x * nn.sigmoid(y)[:, :, None, None].astype(x.dtype)


class Excitation(nn.Module):
    """A combination of STE and CE.

    Attributes:
        how: "ste" or "ce" alone; "sum" Y_STE + Y_CE, about three times X at initialisation, which
            the normalisation behind it must learn; "mean", half of the sum; "sequential"
            CE(STE(X)). One of `EXCITATIONS`.
        ce_relu: see `ChannelExcitation`.
    """

    how: str
    ce_relu: bool = False

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """The excited feature maps.

        Raises:
            UserError: `how` is not in `EXCITATIONS`.
        """
        if self.how not in EXCITATIONS:
            raise unknown("excitation", self.how, EXCITATIONS)
        if self.how == "none":
            return x
        ste = SpatialTemporalExcitation(name="ste")
        ce = ChannelExcitation(self.ce_relu, name="ce")
        if self.how == "ste":
            return ste(x)
        if self.how == "ce":
            return ce(x)
        if self.how == "sequential":
            return ce(ste(x))
        total = ste(x) + ce(x)
        if self.how == "mean":
            return total / 2
        return total
