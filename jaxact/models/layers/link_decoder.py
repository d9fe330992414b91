"""The decoder of AS-GCN's inference module: next positions of joints, from messages along links."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from jaxact.models.layers.dropout import dropout


def senders(joints: int) -> Float32[np.ndarray, "v u s"]:
    """1 where link u into joint v comes from joint s; u runs over the other joints in order."""
    identity = np.eye(joints, dtype=np.float32)
    return np.stack([np.delete(identity, joint, axis=0) for joint in range(joints)])


def link_features(
    receiver: Float[Array, "... v d"], sender: Float[Array, "... v d"]
) -> Float[Array, "... v u d"]:
    """receiver[v] + sender[s] for each link u from s to v.

    With linear maps of the joints' features, this is a linear map of both joints' features.
    """
    sent = jnp.einsum("vus,...sd->...vud", senders(sender.shape[-2]), sender)
    return receiver[..., :, None, :] + sent


class DecoderStep(nn.Module):
    """Each joint's next position x': messages along the links, a gated recurrent unit, an offset.

        m_v = mean_u sum_c z_vuc tanh(W_c tanh(V_c [h_v, h_u] + b_c) + d_c) / C
        r = sigmoid(x R + m R')    k = sigmoid(x K + m K')
        h' = (1 - k) tanh(x N + r (m N')) + k h    x' = x + f(h')

    Attributes:
        features: of the memory and the messages.
        dropout: probability of dropping an element in messages and in f, in [0, 1).
        train: turn on dropout (rng `dropout`).
    """

    features: int
    dropout: float
    train: bool

    @nn.compact
    def __call__(
        self,
        memory: Float[Array, "n v h"],
        x: Float[Array, "n v c"],
        types: Float[Array, "n v u types"],
    ) -> tuple[Float[Array, "n v h"], Float[Array, "n v c"]]:
        """The memory after the frame `x`, and the positions predicted for the next frame."""
        count, features = types.shape[-1] - 1, self.features
        init = nn.initializers.lecun_normal(batch_axis=0)
        first = self.param("message_first", init, (count, 2 * features, features))
        second = self.param("message_second", init, (count, features, features))
        biases = self.param("message_biases", nn.initializers.zeros, (2, count, features))
        halves = first.reshape(count, 2, features, features)
        sides = jnp.einsum("nvh,csho->sncvo", memory, halves)
        messages = link_features(sides[0], sides[1]) + biases[0][None, :, None, None]
        messages = jnp.tanh(messages)
        messages = jnp.einsum("ncvuh,cho->ncvuo", self._dropped(messages), second)
        messages = jnp.tanh(messages + biases[1][None, :, None, None])
        message = jnp.einsum("ncvuo,nvuc->nvo", messages, types[..., 1:]) / (count * types.shape[2])

        own = jnp.split(nn.Dense(3 * features, name="own")(x), 3, axis=-1)
        sent = jnp.split(nn.Dense(3 * features, use_bias=False, name="sent")(message), 3, axis=-1)
        reset = nn.sigmoid(own[0] + sent[0])
        keep = nn.sigmoid(own[1] + sent[1])
        memory = (1 - keep) * jnp.tanh(own[2] + reset * sent[2]) + keep * memory
        y = self._dropped(nn.relu(nn.Dense(features, name="out1")(memory)))
        y = self._dropped(nn.relu(nn.Dense(features, name="out2")(y)))
        return memory, x + nn.Dense(x.shape[-1], name="out3")(y)

    def _dropped(self, x: Array) -> Array:
        if not self.train or self.dropout == 0:
            return x
        return dropout(self.make_rng("dropout"), x, self.dropout)


# The step along the frames' second axis; each step reads a true frame, not a predicted one. The
# backward pass recomputes the activations of links.
Decoder = nn.scan(
    nn.remat(DecoderStep),
    variable_broadcast="params",
    split_rngs={"params": False, "dropout": True},
    in_axes=(1, nn.broadcast),  # pyright: ignore[reportArgumentType]
    out_axes=1,
)


def likelihood_loss(
    frames: Float[Array, "n t v c"], expected: Float[Array, "n s v c"], variance: float
) -> Float[Array, " n"]:
    """sum_t |x_t - mu_t|^2 / (2 sigma^2), averaged over joints: the error of the next positions.

    Departs from the paper: a joint that is missing in a frame or in the one before is left out of
    the average, so that the module does not learn jumps to zero.
    """
    present = jnp.any(frames != 0, axis=-1)
    present = (present[:, 1:] & present[:, :-1]).astype(frames.dtype)
    error = jnp.sum(jnp.square(expected - frames[:, 1:]), axis=-1) / (2 * variance)
    total = expected.shape[1] * jnp.sum(error * present, axis=(1, 2))
    return total / jnp.maximum(jnp.sum(present, axis=(1, 2)), 1)
