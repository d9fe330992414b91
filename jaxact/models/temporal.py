"""Convolution along time: `t` frames of every joint, channels last."""

import jax
from jaxtyping import Array, Float

TAPS = 9  # the paper's temporal kernel size


def temporal_conv(
    x: Float[Array, "n t v c"], kernel: Float[Array, "taps c d"], bias: Float[Array, " d"], stride: int = 1
) -> Float[Array, "n s v d"]:
    """y[n, s, v] = bias + sum_i x[n, stride * s + i - taps // 2, v] @ kernel[i], zeros outside the clip.

    Args:
        x: features, each joint's sequence convolved on its own.
        kernel: an odd number of taps.
        bias: added to every output.
        stride: distance of output frames; s = ceil(t / stride).
    """
    half = kernel.shape[0] // 2
    y = jax.lax.conv_general_dilated(
        x,
        kernel[:, None].astype(x.dtype),
        window_strides=(stride, 1),
        padding=((half, half), (0, 0)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return y + bias.astype(x.dtype).reshape(1, 1, 1, -1)
