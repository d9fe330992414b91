"""STA-GCN's spatial attention network: which joints matter in which frame, learnt first from how
they move.

    [b t m v c] -> norm -> 3 causal units of graph and time -> F [n v t d], gate h = sigmoid(F w + b) [n v t 1]

Alone it is a predictor of displacements, `DisplacementNetwork`; beside a classifier its gate opens
the first features.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.models import stgcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import MOMENTUM, BatchNorm, affine
from jaxact.models.layers.temporal_conv import TAPS, temporal_conv
from jaxact.models.stgcn import scale_init


class CausalUnit(stgcn.Unit):
    """ST-GCN's unit whose convolution along time looks back only: at this frame and the eight
    before it.
    """

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array]:
        features = self.features
        kernel, bias = self._weights(
            "temporal", (TAPS, features, features), (features,), fan_out=TAPS * features
        )
        y = nn.relu(affine(y, factor, offset)).astype(y.dtype)
        y = jnp.pad(y, ((0, 0), (0, 0), (TAPS - 1, 0), (0, 0)))
        middle = TAPS // 2
        return temporal_conv(y, kernel)[:, :, middle:-middle], bias


class SpatialNetwork(nn.Module):
    """The spatial attention network: features, and a gate in (0, 1) for every joint and frame
    (section 1.2).

    Normalisation and three causal units of ST-GCN, the first without a shortcut; h = sigmoid(F w +
    b). It is first trained to predict the joints' displacements through h, so that h opens where
    joints move.

    Attributes:
        adjacency, width, initial, axis_name, fast: see `jaxact.models.stgcn.STGCN`.
    """

    adjacency: Adjacency
    width: int
    initial: str
    axis_name: str | None
    fast: bool

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], train: bool = False
    ) -> tuple[Float[Array, "n v t d"], Float[Array, "n v t 1"]]:
        """Features and gate of each person, n = b * m."""
        x = data_norm(inputs, train, self.initial, self.axis_name)
        for number in range(3):
            x = CausalUnit(
                features=self.width,
                stride=1,
                residual=number > 0,
                adjacency=self.adjacency,
                edge_importance=False,
                dropout=0.0,
                initial=self.initial,
                axis_name=self.axis_name,
                fast=self.fast,
                name=f"unit{number}",
            )(x, train)
        return x, nn.sigmoid(nn.Dense(1, name="gate")(x.astype(jnp.float32)))


class DisplacementNetwork(nn.Module):
    """The spatial attention network as it is trained first: from the frames so far, where does each
    joint go next?

    d_t = h_t (F_t w + b): the prediction passes the gate h, so that h opens where joints move. It
    is compared with p_{t+1} - p_t by `jaxact.losses.classification.displacement`; no label is used.
    The paper trains the network on optical flow and gives no equation.

    Attributes:
        dims: numbers of a place, the first channels of the input.
        score: whether the channel behind them is a score.
        adjacency, width, initial, dtype, axis_name, fast: see `jaxact.models.stgcn.STGCN`.
    """

    dims: int
    score: bool
    adjacency: Adjacency
    width: int = 64
    initial: str = "v2"
    axis_name: str | None = None
    fast: bool | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """`predicted` and `displacement` [b, t, m, v, dims], in units of the training set's
        deviation, and `confidence` [b, t, m, v] of the latter: the smaller score of its two frames,
        or 1 where both show the joint.

        The gate is sown as `gate` [b, t, m, v] in `intermediates`.
        """
        batch, frames, persons, joints = inputs.shape[:4]
        fast = jax.default_backend() == "cpu" if self.fast is None else self.fast
        options = {
            "adjacency": self.adjacency,
            "initial": self.initial,
            "axis_name": self.axis_name,
        }
        network = SpatialNetwork(**options, width=self.width, fast=fast, name="attention_network")
        features, gate = network(inputs, train)
        predicted = gate * nn.Dense(self.dims, name="readout")(features.astype(jnp.float32))
        predicted = predicted.reshape(batch, persons, joints, frames, self.dims)
        self.sow("intermediates", "gate", in_order(gate[..., 0], batch))
        target, confidence = displacements(inputs, self.dims, self.score)
        scale = self._deviation(target, confidence, train)
        return {
            "predicted": jnp.transpose(predicted, (0, 3, 1, 2, 4)),
            "displacement": target / scale,
            "confidence": confidence,
        }

    def _deviation(self, target: Array, confidence: Array, train: bool) -> Float[Array, ""]:
        """Of the displacements from zero: the batch's in training, which moves the running one, as
        in BatchNorm.
        """
        running = self.variable("batch_stats", "displacement_var", jnp.ones, ())
        if train and not self.is_initializing():
            there = (confidence > 0).astype(jnp.float32)
            sums = jnp.sum(jnp.square(target) * there[..., None]), self.dims * jnp.sum(there)
            if self.axis_name is not None:
                sums = jax.lax.psum(sums, self.axis_name)
            var = jnp.maximum(sums[0] / jnp.maximum(sums[1], 1.0), 1e-12)
            running.value = MOMENTUM * running.value + (1 - MOMENTUM) * var
        else:
            var = running.value
        return jnp.sqrt(var)


def displacements(
    inputs: Float[Array, "b t m v c"], dims: int, score: bool
) -> tuple[Float[Array, "b t m v d"], Float[Array, "b t m v"]]:
    """p_{t+1} - p_t and its confidence, both zero in the last frame and where either frame lacks
    the joint.

    Args:
        inputs: places in the first `dims` channels; a missing joint is zero.
        dims: numbers of a place.
        score: whether the channel behind them is a score; the confidence is then the smaller one of
            the two frames.
    """
    places = inputs[..., :dims]
    sure = inputs[..., dims] if score else jnp.any(places != 0, axis=-1).astype(inputs.dtype)
    sure = jnp.minimum(sure[:, :-1], sure[:, 1:])
    change = jnp.where(sure[..., None] > 0, places[:, 1:] - places[:, :-1], 0.0)
    end = ((0, 0), (0, 1), (0, 0), (0, 0))
    return jnp.pad(change, (*end, (0, 0))), jnp.pad(jnp.maximum(sure, 0.0), end)


def in_order(gate: Float[Array, "n v s"], batch: Any, segments: int = 1) -> Float[Array, "b t m v"]:
    """A gate of all persons of all segments, as whole clips."""
    joints, frames = gate.shape[1:]
    maps = jnp.transpose(gate.reshape(batch, segments, -1, joints, frames), (0, 1, 4, 2, 3))
    return maps.reshape(batch, segments * frames, -1, joints)


def data_norm(
    inputs: Float[Array, "b t m v c"], train: bool, initial: str, axis_name: str | None
) -> Float[Array, "n v t c"]:
    """Every joint's channels normalised, by a module `data_norm` of the calling one; the persons
    side by side.
    """
    batch, frames, persons, joints, channels = inputs.shape
    x = inputs.reshape(batch, frames, persons, joints * channels)
    norm = BatchNorm(axis_name=axis_name, scale_init=scale_init(initial), name="data_norm")
    x = affine(x, *norm(x, train)).reshape(inputs.shape)
    return jnp.transpose(x, (0, 2, 3, 1, 4)).reshape(batch * persons, joints, frames, channels)


def build_displacement(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    init: str = "v2",
    **options: Any,
) -> DisplacementNetwork:
    """STA-GCN's spatial attention network alone; `options` are fields of `DisplacementNetwork`."""
    del num_classes
    score = channels[-1] == "score"
    return DisplacementNetwork(
        dims=len(channels) - score,
        score=score,
        adjacency=Adjacency(skeletons.adjacency(layout, "spatial")),
        axis_name=axis_name,
        initial=init,
        **options,
    )
