"""Actional links of AS-GCN: which joints depend on each other, inferred from their motion.

The inference module (AIM) is an autoencoder whose latent code is a graph. The encoder passes
features from joints to links and back, and ends with a distribution over the types of each link,
one of which is the empty type. The decoder (`link_decoder`) predicts each joint's next position
from messages along links sampled from that distribution. A link lowers the loss where one joint's
motion helps to predict another's.

    frames [n t v c] -> joints [n v h] -> links [n v v-1 h] -> joints -> links
        -> types [n v v-1 1+C] -> graph [n C v v]
    sampled types, frames -> next positions [n t-1 v c]

The structure is that of neural relational inference (Kipf, Fetaya, Wang, Welling and Zemel, ICML
2018), as in the code released by AS-GCN's authors. The links into a joint v are stacked on an axis
u, in the order of the joints that they come from.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.link_decoder import Decoder, likelihood_loss, link_features, senders

XAVIER = nn.initializers.xavier_normal()
BIAS_INIT = nn.initializers.constant(0.1)  # of the encoder


class Mlp(nn.Module):
    """Two layers with ELU, dropout between them, and batch normalisation.

    Attributes:
        features: of both layers.
        dropout: probability of dropping an element, in [0, 1).
        axis_name: mapped axis whose devices share batch statistics.
    """

    features: int
    dropout: float
    axis_name: str | None

    @nn.compact
    def __call__(
        self, x: Float[Array, "n *rows d"], train: bool = False
    ) -> Float[Array, "n *rows h"]:
        """Features of joints or links; `train` turns on batch statistics and dropout."""
        first = nn.Dense(self.features, kernel_init=XAVIER, bias_init=BIAS_INIT, name="first")
        return self._second_layer(first(x), train)

    def _second_layer(self, x: Array, train: bool) -> Array:
        x = nn.elu(x)
        if train and self.dropout > 0:
            x = dropout(self.make_rng("dropout"), x, self.dropout)
        x = nn.elu(
            nn.Dense(self.features, kernel_init=XAVIER, bias_init=BIAS_INIT, name="second")(x)
        )
        return affine(x, *BatchNorm(axis_name=self.axis_name, name="norm")(x, train))


class LinkMlp(Mlp):
    """`Mlp` of the features of a link's receiver and sender, and the link's previous ones."""

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "n v d"],
        train: bool = False,
        previous: Float[Array, "n v u h"] | None = None,
    ) -> Float[Array, "n v u h"]:
        """Features of links, from those of joints."""
        width = x.shape[-1]
        rows = 2 * width
        if previous is not None:
            rows += previous.shape[-1]
        kernel = self.param("kernel", XAVIER, (rows, self.features))
        bias = self.param("bias", BIAS_INIT, (self.features,))
        receiver = x @ kernel[:width] + bias[None, None]
        sender = x @ kernel[width : 2 * width]
        y = link_features(receiver, sender)
        if previous is not None:
            y = y + previous @ kernel[2 * width :]
        return self._second_layer(y, train)


class Encoder(nn.Module):
    """Scores of each link's types: joints -> links -> joints -> links.

        p_v = f1(x_v)    Q_vu = f2([p_v, p_u])    p'_v = f3(mean_u Q_vu)
        scores_vu = S f4([p'_v, p'_u, Q_vu]) + s

    Attributes:
        types: link types, the empty one included.
        features, dropout, axis_name: see `Mlp`.
    """

    types: int
    features: int
    dropout: float
    axis_name: str | None

    @nn.compact
    def __call__(
        self, frames: Float[Array, "n t v c"], train: bool = False
    ) -> Float[Array, "n v u types"]:
        """Scores before the softmax. The parameters fix the number of frames."""
        people, _, joints, _ = frames.shape
        options = {"features": self.features, "dropout": self.dropout, "axis_name": self.axis_name}
        x = jnp.swapaxes(frames, 1, 2).reshape(people, joints, -1)
        x = Mlp(**options, name="joints1")(x, train)
        links = LinkMlp(**options, name="links1")(x, train)
        x = Mlp(**options, name="joints2")(jnp.mean(links, axis=2), train)
        links = LinkMlp(**options, name="links2")(x, train, links)
        return nn.Dense(self.types, kernel_init=XAVIER, bias_init=BIAS_INIT, name="scores")(links)


def sample_types(
    key: Array, scores: Float[Array, "n v u types"], temperature: float
) -> Float[Array, "n v u types"]:
    """One type per link, sampled from softmax(scores), with the gradient of a softmax.

    The index of the largest scores + r, with r Gumbel noise, is such a sample. The gradient is that
    of softmax((scores + r) / temperature). Departs from the paper, whose links are the softmax
    itself. The released code has the sample in the forward pass and the softmax's gradient in the
    backward pass (the straight-through estimator of Jang, Gu and Poole, ICLR 2017).
    """
    noisy = scores + jax.random.gumbel(key, scores.shape, scores.dtype)
    soft = jax.nn.softmax(noisy / temperature)
    hard = jax.nn.one_hot(jnp.argmax(noisy, axis=-1), scores.shape[-1], dtype=scores.dtype)
    return hard + soft - jax.lax.stop_gradient(soft)


def link_graph(types: Float[Array, "n v u types"]) -> Float[Array, "n c v w"]:
    """The graph of each non-empty type, [source][target]: (A + I) / degree, columns of sum 1."""
    joints = types.shape[1]
    graph = jnp.einsum("nvuc,vus->ncsv", types[..., 1:], senders(joints))
    graph = graph + jnp.eye(joints)[None, None]
    return graph / jnp.sum(graph, axis=2, keepdims=True)


def prior_loss(scores: Float[Array, "n v u types"], empty: float) -> Float[Array, " n"]:
    """sum of p log(p / p0) over a joint's links and their types, averaged over joints.

    The prior p0 is `empty` for the empty type and uniform over the others.
    """
    count = scores.shape[-1] - 1
    prior = jnp.log(jnp.asarray([empty, *[(1 - empty) / count] * count], scores.dtype))
    log_p = jax.nn.log_softmax(scores)
    divergence = jnp.sum(jnp.exp(log_p) * (log_p - prior[None, None, None]), axis=(2, 3))
    return jnp.mean(divergence, axis=1)


class LinkInference(nn.Module):
    """The inference module: graphs of persons from their frames, and the module's own loss.

    Departs from the released code, which also samples at test time. Here evaluation uses the mean
    of the samples, softmax(scores).

    Attributes:
        types: link types C besides the empty type.
        features, dropout, axis_name: see `Mlp`.
        temperature: see `sample_types`.
        empty: prior probability of the empty type.
        variance: sigma^2 of `likelihood_loss`, in squared units of the input.
    """

    types: int
    features: int
    dropout: float
    temperature: float
    empty: float
    variance: float
    axis_name: str | None

    @nn.compact
    def __call__(
        self, frames: Float[Array, "n t v c"], train: bool = False, decode: bool = False
    ) -> tuple[Float[Array, "n k v w"], Float[Array, " n"]]:
        """The graphs, and the loss of each person, which is zero unless `decode`."""
        encoder = Encoder(
            1 + self.types, self.features, self.dropout, self.axis_name, name="encoder"
        )
        scores = encoder(frames, train)
        if train:
            types = sample_types(self.make_rng("dropout"), scores, self.temperature)
        else:
            types = jax.nn.softmax(scores)
        loss = jnp.zeros(frames.shape[0])
        if decode:
            decoder = Decoder(self.features, self.dropout, train, name="decoder")
            memory = jnp.zeros((*frames.shape[::2], self.features), frames.dtype)
            _, expected = decoder(memory, frames[:, :-1], types)
            loss = likelihood_loss(frames, expected, self.variance) + prior_loss(scores, self.empty)
        return link_graph(types), loss
