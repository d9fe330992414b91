"""Actional links of AS-GCN: which joints of a moving person depend on each other, inferred from the
motion itself.

The inference module (AIM) is an autoencoder whose code is a graph. The encoder passes features from
joints to links and back and ends with a distribution over the types of every link, the empty one
among them; the decoder predicts every joint's next place from what the joints send each other along
links drawn from it, so that a link is worth its price where one joint's motion tells something
about another's.

    frames [n t v c] -> joints [n v h] -> links [n v v-1 h] -> joints -> links -> types [n v v-1
    1+C] -> graph [n C v v]
                                                                          drawn types, frames ->
                                                                          next places [n t-1 v c]

The form is that of neural relational inference (Kipf, Fetaya, Wang, Welling and Zemel, ICML 2018),
as AS-GCN's authors released it. The links into a joint v lie side by side on an axis u, in the
order of the joints that they come from.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.dropout import dropout

XAVIER = nn.initializers.xavier_normal()
START = nn.initializers.constant(0.1)  # of the encoder's biases


def senders(joints: int) -> Float32[np.ndarray, "v u s"]:
    """1 where link u into joint v comes from joint s: the other joints, in their order."""
    itself = np.eye(joints, dtype=np.float32)
    return np.stack([np.delete(itself, joint, axis=0) for joint in range(joints)])


def link_features(
    receiver: Float[Array, "... v d"], sender: Float[Array, "... v d"]
) -> Float[Array, "... v u d"]:
    """receiver[v] + sender[s] for each link from s to v: a linear map of both joints' features,
    made joint by joint.
    """
    sent = jnp.einsum("vus,...sd->...vud", senders(sender.shape[-2]), sender)
    return receiver[..., :, None, :] + sent


class Mlp(nn.Module):
    """Two layers with ELU, dropout between them, and batch normalisation.

    Attributes:
        features: of both layers.
        dropout: share of elements dropped, in [0, 1).
        axis_name: mapped axis whose devices share batch statistics.
    """

    features: int
    dropout: float
    axis_name: str | None

    @nn.compact
    def __call__(
        self, x: Float[Array, "n *rows d"], train: bool = False
    ) -> Float[Array, "n *rows h"]:
        """Features of joints or links."""
        return self._rest(
            nn.Dense(self.features, kernel_init=XAVIER, bias_init=START, name="first")(x), train
        )

    def _rest(self, x: Array, train: bool) -> Array:
        x = nn.elu(x)
        if train and self.dropout > 0:
            x = dropout(self.make_rng("dropout"), x, self.dropout)
        x = nn.elu(nn.Dense(self.features, kernel_init=XAVIER, bias_init=START, name="second")(x))
        return affine(x, *BatchNorm(axis_name=self.axis_name, name="norm")(x, train))


class LinkMlp(Mlp):
    """`Mlp` of what belongs to a link: its receiver's features, its sender's, and its own from the
    round before.
    """

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "n v d"],
        train: bool = False,
        before: Float[Array, "n v u h"] | None = None,
    ) -> Float[Array, "n v u h"]:
        """From joints to links."""
        width = x.shape[-1]
        kernel = self.param(
            "kernel",
            XAVIER,
            (2 * width + (0 if before is None else before.shape[-1]), self.features),
        )
        bias = self.param("bias", START, (self.features,))
        y = link_features(x @ kernel[:width] + bias[None, None], x @ kernel[width : 2 * width])
        return self._rest(y if before is None else y + before @ kernel[2 * width :], train)


class Encoder(nn.Module):
    """Scores of every link's types: joints -> links -> joints -> links.

        p_v = f1(x_v)    Q_vu = f2([p_v, p_u])    p'_v = f3(mean_u Q_vu)    scores_vu = S f4([p'_v, p'_u, Q_vu]) + s

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
        """Scores before the softmax; the number of frames is tied to the parameters."""
        people, _, joints, _ = frames.shape
        options = {"features": self.features, "dropout": self.dropout, "axis_name": self.axis_name}
        x = jnp.swapaxes(frames, 1, 2).reshape(people, joints, -1)
        x = Mlp(**options, name="joints1")(x, train)
        links = LinkMlp(**options, name="links1")(x, train)
        x = Mlp(**options, name="joints2")(jnp.mean(links, axis=2), train)
        links = LinkMlp(**options, name="links2")(x, train, links)
        return nn.Dense(self.types, kernel_init=XAVIER, bias_init=START, name="scores")(links)


def draw(
    key: Array, scores: Float[Array, "n v u types"], temperature: float
) -> Float[Array, "n v u types"]:
    """One type per link, drawn from softmax(scores), with the gradient of softmax((scores + r) /
    tau).

    The largest of scores + r, r Gumbel noise, is such a draw. Departs from the paper, whose links
    are the softmax itself: the released code takes the draw forward and the softmax's gradient
    backward (the straight-through estimator of Jang, Gu and Poole, ICLR 2017).
    """
    noisy = scores + jax.random.gumbel(key, scores.shape, scores.dtype)
    soft = jax.nn.softmax(noisy / temperature)
    hard = jax.nn.one_hot(jnp.argmax(noisy, axis=-1), scores.shape[-1], dtype=scores.dtype)
    return hard + soft - jax.lax.stop_gradient(soft)


def link_graph(types: Float[Array, "n v u types"]) -> Float[Array, "n c v w"]:
    """Graphs of the C types that are not empty, [source][target]: (A + I) / degree, of sum 1 into
    each joint.
    """
    joints = types.shape[1]
    graph = (
        jnp.einsum("nvuc,vus->ncsv", types[..., 1:], senders(joints)) + jnp.eye(joints)[None, None]
    )
    return graph / jnp.sum(graph, axis=2, keepdims=True)


class Step(nn.Module):
    """Every joint's next place: messages along the links, a gated recurrent unit, and a step from
    where the joint is.

        m_v = mean_u sum_c z_vuc tanh(W_c tanh(V_c [h_v, h_u] + b_c) + d_c) / C
        r = sigmoid(x R + m R')    k = sigmoid(x K + m K')    h' = (1 - k) tanh(x N + r (m N')) + k h    x' = x + f(h')

    Attributes:
        features: of the memory and the messages.
        dropout: share of elements dropped in messages and in f, in [0, 1).
        train: whether they are.
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
        """The memory after the frame `x`, and the places expected in the next one."""
        count, features = types.shape[-1] - 1, self.features
        init = nn.initializers.lecun_normal(batch_axis=0)
        first = self.param("message_first", init, (count, 2 * features, features))
        second = self.param("message_second", init, (count, features, features))
        biases = self.param("message_biases", nn.initializers.zeros, (2, count, features))
        sides = jnp.einsum("nvh,csho->sncvo", memory, first.reshape(count, 2, features, features))
        messages = self._dropped(
            jnp.tanh(link_features(sides[0], sides[1]) + biases[0][None, :, None, None])
        )
        messages = jnp.tanh(
            jnp.einsum("ncvuh,cho->ncvuo", messages, second) + biases[1][None, :, None, None]
        )
        message = jnp.einsum("ncvuo,nvuc->nvo", messages, types[..., 1:]) / (count * types.shape[2])

        own = jnp.split(nn.Dense(3 * features, name="own")(x), 3, axis=-1)
        sent = jnp.split(nn.Dense(3 * features, use_bias=False, name="sent")(message), 3, axis=-1)
        reset, keep = nn.sigmoid(own[0] + sent[0]), nn.sigmoid(own[1] + sent[1])
        memory = (1 - keep) * jnp.tanh(own[2] + reset * sent[2]) + keep * memory
        y = self._dropped(nn.relu(nn.Dense(features, name="out1")(memory)))
        y = self._dropped(nn.relu(nn.Dense(features, name="out2")(y)))
        return memory, x + nn.Dense(x.shape[-1], name="out3")(y)

    def _dropped(self, x: Array) -> Array:
        return (
            dropout(self.make_rng("dropout"), x, self.dropout)
            if self.train and self.dropout > 0
            else x
        )


# The decoder: the step along the second axis of the frames, each of them true. What it makes of a
# link is not kept but made again going back.
OverTime = nn.scan(
    nn.remat(Step),
    variable_broadcast="params",
    split_rngs={"params": False, "dropout": True},
    in_axes=(1, nn.broadcast),  # pyright: ignore[reportArgumentType]
    out_axes=1,
)


def likelihood_loss(
    frames: Float[Array, "n t v c"], expected: Float[Array, "n s v c"], variance: float
) -> Float[Array, " n"]:
    """sum_t |x_t - mu_t|^2 / (2 sigma^2), the mean over joints: how badly the next places are
    foretold.

    Departs from the paper: a joint that is missing in a frame or the one before it is left out, and
    the others count for it, so that nothing is learnt from jumps to zero.
    """
    there = jnp.any(frames != 0, axis=-1)
    there = (there[:, 1:] & there[:, :-1]).astype(frames.dtype)
    error = jnp.sum(jnp.square(expected - frames[:, 1:]), axis=-1) / (2 * variance)
    return (
        expected.shape[1]
        * jnp.sum(error * there, axis=(1, 2))
        / jnp.maximum(jnp.sum(there, axis=(1, 2)), 1)
    )


def prior_loss(scores: Float[Array, "n v u types"], empty: float) -> Float[Array, " n"]:
    """sum of p log(p / p0) over a joint's links and their types, the mean over joints: what the
    links cost.

    p0 is `empty` for the empty type and the same for each of the others, 1 in all.
    """
    count = scores.shape[-1] - 1
    prior = jnp.log(jnp.asarray([empty, *[(1 - empty) / count] * count], scores.dtype))
    log_p = jax.nn.log_softmax(scores)
    return jnp.mean(
        jnp.sum(jnp.exp(log_p) * (log_p - prior[None, None, None]), axis=(2, 3)), axis=1
    )


class LinkInference(nn.Module):
    """The whole module: frames of persons -> their graphs, and its own loss.

    Departs from the released code, which also draws at random when it is tested: evaluation takes
    the mean of the draws, softmax(scores).

    Attributes:
        types: link types C beside the empty one.
        features, dropout, axis_name: see `Mlp`.
        temperature: tau of `draw`.
        empty: probability of an empty link before anything is seen.
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
        """Graphs, and the loss of each person where `decode` asks for it, else zero."""
        encoder = Encoder(
            1 + self.types, self.features, self.dropout, self.axis_name, name="encoder"
        )
        scores = encoder(frames, train)
        drawn = (
            draw(self.make_rng("dropout"), scores, self.temperature)
            if train
            else jax.nn.softmax(scores)
        )
        loss = jnp.zeros(frames.shape[0])
        if decode:
            decoder = OverTime(self.features, self.dropout, train, name="decoder")
            memory = jnp.zeros((*frames.shape[::2], self.features), frames.dtype)
            _, expected = decoder(memory, frames[:, :-1], drawn)
            loss = likelihood_loss(frames, expected, self.variance) + prior_loss(scores, self.empty)
        return link_graph(drawn), loss
