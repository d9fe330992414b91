"""Attention over time with weights per feature, which random features share (Li, Computer Science
and Application 14(1), 2024; equations 5 to 7 and Figure 4).
"""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact.models.layers.dropout import position_bits
from jaxact.models.layers.keras_lstm import GLOROT


class SharedAttention(nn.Module):
    """Attention over time for each of d features, shared by a random subset of them.

        a_d = softmax over time of (W h_d + b)        m = mean over d of a_d
        r_d ~ Bernoulli(p)        a'_d = r_d m + (1 - r_d) a_d        y_td = a'_dt h_td

    r is drawn for each clip and each d. Evaluation uses the expectation, (1 - p) a_d + p m. W is a
    matrix over all frames, which ties a network to one number of frames.

    Equations 6 and 7 are missing from the paper; these follow its text. Departs from its equation
    5: the sum over time is left to the dense layer behind, as in Table 2, which reads all frames.
    Equation 4's attention of the previous frame has no counterpart in Figure 4 and Table 2 and is
    left out.

    Attributes:
        shared: p, in [0, 1]; 0 gives every feature separate weights, 1 all the same.
    """

    shared: float

    @nn.compact
    def __call__(self, x: Float[Array, "b t d"], train: bool = False) -> Float[Array, "b t d"]:
        """The weighted frames.

        Sown in `intermediates`: `attention` [b t d], which sums to 1 over t, and `shares` [b d],
        the contribution of each d to the output, sum over t of |y_td| divided by its sum over d.
        """
        frames = x.shape[1]
        kernel = self.param("kernel", GLOROT, (frames, frames))
        bias = self.param("bias", nn.initializers.zeros, (frames,))
        weights = nn.softmax(jnp.einsum("btd,ts->bsd", x, kernel) + bias[None, :, None], axis=1)
        mean = jnp.mean(weights, axis=2, keepdims=True)
        share: Array | float = self.shared
        if train and 0 < self.shared < 1:
            bits = position_bits(self.make_rng("dropout"), (x.shape[0], 1, x.shape[2]))
            share = (bits < np.uint32(self.shared * 2**32)).astype(jnp.float32)
        weights = share * mean + (1 - share) * weights
        y = weights * x
        self.sow("intermediates", "attention", weights)
        sizes = jnp.sum(jnp.abs(y), axis=1)
        total = jnp.maximum(jnp.sum(sizes, axis=1, keepdims=True), 1e-12)
        self.sow("intermediates", "shares", sizes / total)
        return y
