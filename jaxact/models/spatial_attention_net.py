"""STA-GCN's spatial attention network, which predicts how much each joint matters in each frame.

    [b t m v c] -> norm -> 3 causal units of graph and time -> features F [n v t d]
                                                            -> gate sigmoid(F w + b) [n v t 1]

It is first trained alone to predict the joints' displacements, as `DisplacementNetwork`. Beside a
classifier its gate then scales the first unit's features.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import MOMENTUM
from jaxact.models.layers.data_norm import data_norm
from jaxact.models.layers.stgcn_unit import CausalUnit, scale_init


class SpatialNetwork(nn.Module):
    """Features and a gate in (0, 1) for every joint and frame (section 1.2).

    Normalisation and three causal units of ST-GCN, the first without a shortcut; h = sigmoid(F w +
    b). It is first trained to predict the joints' displacements through h, so that h is large where
    joints move.

    Attributes:
        adjacency, width, initial, axis_name: see `jaxact.models.stgcn.STGCN`.
    """

    adjacency: Adjacency
    width: int
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], train: bool = False
    ) -> tuple[Float[Array, "n v t d"], Float[Array, "n v t 1"]]:
        """Features and gate of each person, n = b * m."""
        x = data_norm(inputs, train, axis_name=self.axis_name, scale_init=scale_init(self.initial))
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
                name=f"unit{number}",
            )(x, train)
        return x, nn.sigmoid(nn.Dense(1, name="gate")(x.astype(jnp.float32)))


class DisplacementNetwork(nn.Module):
    """The pretraining of the spatial attention network: predicts each joint's next displacement.

    d_t = h_t (F_t w + b): the prediction is multiplied by the gate h, so that h is large where
    joints move. A loss of `jaxact.losses.classification` compares it with p_{t+1} - p_t; no label
    is used. Departs from the paper, which trains the network on optical flow without an equation.

    Attributes:
        dims: coordinates of a joint, the first channels of the input.
        score: whether the channel after them is a score.
        adjacency, width, initial, axis_name: see `jaxact.models.stgcn.STGCN`.
    """

    dims: int
    score: bool
    adjacency: Adjacency
    width: int = 64
    initial: str = "v2"
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """The predictions and their targets, as a dictionary.

        - `predicted`, `displacement` [b, t, m, v, dims]: in units of the training set's standard
          deviation.
        - `confidence` [b, t, m, v] of the displacement: the smaller score of its two frames, or 1
          if the joint is present in both.

        The gate is sown as `gate` [b, t, m, v] in `intermediates`.
        """
        batch, frames, persons, joints = inputs.shape[:4]
        network = SpatialNetwork(
            adjacency=self.adjacency,
            width=self.width,
            initial=self.initial,
            axis_name=self.axis_name,
            name="attention_network",
        )
        features, gate = network(inputs, train)
        predicted = gate * nn.Dense(self.dims, name="readout")(features.astype(jnp.float32))
        predicted = predicted.reshape(batch, persons, joints, frames, self.dims)
        self.sow("intermediates", "gate", clip_order(gate[..., 0], batch))
        target, confidence = displacements(inputs, self.dims, self.score)
        scale = self._deviation(target, confidence, train)
        return {
            "predicted": jnp.transpose(predicted, (0, 3, 1, 2, 4)),
            "displacement": target / scale,
            "confidence": confidence,
        }

    def _deviation(self, target: Array, confidence: Array, train: bool) -> Float[Array, ""]:
        """The root mean square of the displacements.

        Training uses the batch's and updates the running one, as in `BatchNorm`.
        """
        running = self.variable("batch_stats", "displacement_var", jnp.ones, ())
        if not train or self.is_initializing():
            return jnp.sqrt(running.value)
        present = (confidence > 0).astype(jnp.float32)
        total = jnp.sum(jnp.square(target) * present[..., None])
        count = self.dims * jnp.sum(present)
        if self.axis_name is not None:
            total, count = jax.lax.psum((total, count), self.axis_name)
        var = jnp.maximum(total / jnp.maximum(count, 1.0), 1e-12)
        running.value = MOMENTUM * running.value + (1 - MOMENTUM) * var
        return jnp.sqrt(var)


def displacements(
    inputs: Float[Array, "b t m v c"], dims: int, score: bool
) -> tuple[Float[Array, "b t m v d"], Float[Array, "b t m v"]]:
    """p_{t+1} - p_t and its confidence, zero in the last frame and if either frame lacks the joint.

    Args:
        inputs: coordinates in the first `dims` channels; a missing joint is zero.
        dims: coordinates of a joint.
        score: whether the channel after them is a score; the confidence is then the smaller score
            of the two frames.
    """
    positions = inputs[..., :dims]
    if score:
        confidence = inputs[..., dims]
    else:
        confidence = jnp.any(positions != 0, axis=-1).astype(inputs.dtype)
    confidence = jnp.minimum(confidence[:, :-1], confidence[:, 1:])
    difference = positions[:, 1:] - positions[:, :-1]
    difference = jnp.where(confidence[..., None] > 0, difference, 0.0)
    one_frame = ((0, 0), (0, 1), (0, 0), (0, 0))
    displacement = jnp.pad(difference, (*one_frame, (0, 0)))
    return displacement, jnp.pad(jnp.maximum(confidence, 0.0), one_frame)


def clip_order(
    gate: Float[Array, "n v s"], batch: Any, segments: int = 1
) -> Float[Array, "b t m v"]:
    """The gate of all persons and segments, n = b * segments * m, rearranged as whole clips."""
    joints, frames = gate.shape[1:]
    maps = jnp.transpose(gate.reshape(batch, segments, -1, joints, frames), (0, 1, 4, 2, 3))
    return maps.reshape(batch, segments * frames, -1, joints)


def build_displacement(spec: InputSpec, *, init: str = "v2", **options: Any) -> DisplacementNetwork:
    """STA-GCN's spatial attention network alone, on the graph of `spec.layout`.

    Args:
        spec: the data.
        init: the field `initial`.
        **options: other fields of `DisplacementNetwork`.
    """
    score = spec.channels[-1] == "score"
    return DisplacementNetwork(
        dims=len(spec.channels) - score,
        score=score,
        adjacency=Adjacency(skeletons.adjacency(spec.layout, "spatial")),
        axis_name=spec.axis_name,
        initial=init,
        **options,
    )
