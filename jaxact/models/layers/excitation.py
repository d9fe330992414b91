"""Excitation of maps by where and when something happens (STE) and by which channels show it (CE).

From ACTION-Net (Wang, She and Smolic, CVPR 2021) as the SC-Xception paper takes it up, equations 1
to 9. Either makes a weight M in (0, 1) out of the maps X and gives Y = X + X o M.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import unknown
from jaxact.models.layers.conv_batch_norm import GLOROT

Maps = Float[Array, "b t h w c"]
REDUCTION = 16  # channels to channels of the bottleneck in CE

# How the two are put together: the paper shows both arrows and no sign where they meet. ACTION-Net
# adds its paths.
EXCITATIONS = ("none", "ste", "ce", "sum", "mean", "sequential")


class SpatialTemporalExcitation(nn.Module):
    """Y = X + X o M, M = sigmoid(K * mean_c X): equations 1 to 4. K is one kernel of 3 frames x 3 x
    3 pixels.
    """

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Maps in, excited maps out."""
        mean = jnp.mean(x.astype(jnp.float32), axis=-1, keepdims=True)
        conv = nn.Conv(1, (3, 3, 3), use_bias=False, kernel_init=GLOROT, name="conv")
        return x + x * nn.sigmoid(conv(mean)).astype(x.dtype)


class ChannelExcitation(nn.Module):
    """Y = X + X o M, M = sigmoid(W2 (K * W1 mean_hw X)): equations 5 to 9.

    W1 takes c channels to c / 16, K is a kernel of 3 frames, W2 takes them back. The shapes that
    the paper prints for F_r and F_t are each other's.

    Attributes:
        relu: a ReLU behind K, as in ACTION-Net's code; the equations have none.
    """

    relu: bool = False

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Maps in, excited maps out."""
        channels = x.shape[-1]
        few = max(1, channels // REDUCTION)
        y = jnp.mean(x.astype(jnp.float32), axis=(2, 3))
        y = nn.Dense(few, use_bias=False, kernel_init=GLOROT, name="squeeze")(y)
        y = nn.Conv(few, (3,), use_bias=False, kernel_init=GLOROT, name="conv")(y)
        y = nn.relu(y) if self.relu else y
        y = nn.Dense(channels, use_bias=False, kernel_init=GLOROT, name="expand")(y)
        return x + x * nn.sigmoid(y)[:, :, None, None].astype(x.dtype)


class Excitation(nn.Module):
    """STE and CE together.

    Attributes:
        how: "ste" or "ce" alone; "sum" Y_STE + Y_CE, about three times X at the start, which the
            normalisation that follows must learn; "mean", half of it; "sequential" CE(STE(X)). See
            `EXCITATIONS`.
        ce_relu: see `ChannelExcitation`.
    """

    how: str
    ce_relu: bool = False

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Maps in, excited maps out.

        Raises:
            UserError: `how` is none of `EXCITATIONS`.
        """
        if self.how not in EXCITATIONS:
            raise unknown("excitation", self.how, EXCITATIONS)
        if self.how == "none":
            return x
        ste, ce = SpatialTemporalExcitation(name="ste"), ChannelExcitation(self.ce_relu, name="ce")
        if self.how in ("ste", "ce"):
            return ste(x) if self.how == "ste" else ce(x)
        if self.how == "sequential":
            return ce(ste(x))
        both = ste(x) + ce(x)
        return both if self.how == "sum" else both / 2
