"""Actional-structural graph convolutional network, AS-GCN (Li, Chen, Chen, Zhang, Wang and Tian,
CVPR 2019, arXiv 1904.12659).

ST-GCN on two richer graphs. Structural links join joints up to four bones apart; actional links
join whichever joints move together in this clip, and are inferred from it by a module that learns
to foretell motion (`jaxact.models.layers.link_inference`). A second head predicts the poses after
the clip, so that the features keep the motion's detail.

    [b 300 m v c] -> 290 frames -> 50 of them -> actional links [bm 2 v v]
                                -> norm -> 9 units of both graphs and time [bm 73 v 256] -> [b k]
                                                                                         -> 10 poses
                                                                                         [bm v 10 c]

NTU RGB+D 86.8 % X-Sub and 94.2 % X-View (`configs/stagcn.py:ntu60`), Kinetics-skeleton 34.8 % top-1
(`configs/stagcn.py:kinetics_skeleton`), from the paper, as Table 4 of the STA-GCN paper quotes them.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.models import stgcn
from jaxact.models.asgcn_unit import Unit
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.link_inference import LinkInference
from jaxact.models.layers.temporal_conv import TAPS
from jaxact.models.spatial_attention_net import data_norm
from jaxact.models.stgcn import kernel_init

STRUCTURES = ("powers", "hops")
UNITS = stgcn.VARIANTS["literal9"]  # nine, the first without a shortcut
# Width factor, stride and taps of the units that lead from the last features to the poses; then one
# over what is left.
POSE_UNITS = ((2, 1, TAPS), (2, 2, TAPS), (2, 2, TAPS), (2, 2, TAPS), (2, 2, 3))


def structural_links(
    layout: skeletons.Layout, order: int = 4, structure: str = "powers"
) -> Float32[np.ndarray, "k v v"]:
    """Parts of the graph of joints up to `order` bones apart, [part][source][target]: itself, then
    two of each order.

    - `powers`: A_near^l and A_far^l for l = 1 ... order, of ST-GCN's partition into the joint
      itself, the neighbour nearer the centre and those farther. As a power of the joint itself is
      the joint itself, it is taken once.
    - `hops`: the released code's: the joints exactly l bones away, those nearer the centre and the
      others, each with 1 / (number of joints up to `order` away). Distances from the centre are
      known up to `order` bones.

    Raises:
        UserError: an unknown structure.
    """
    if structure not in STRUCTURES:
        raise unknown("structure", structure, STRUCTURES)
    if structure == "powers":
        itself, near, far = skeletons.adjacency(layout, "spatial").astype(np.float64)
        powers = [
            np.linalg.matrix_power(part, power)
            for power in range(1, order + 1)
            for part in (near, far)
        ]
        return np.stack([itself, *powers]).astype(np.float32)
    count = len(layout.joints)
    reach = np.eye(count)
    for child, parent in layout.edges:
        reach[child, parent] = reach[parent, child] = 1
    # The least power of A + I that joins two joints is their distance; 1 + order stands for all
    # beyond.
    hops = np.sum([np.linalg.matrix_power(reach, power) == 0 for power in range(order + 1)], axis=0)
    weight = (hops <= order) / np.sum(hops <= order, axis=0)
    nearer = hops[:, None, layout.centre] < hops[None, :, layout.centre]
    parts = [(hops == hop) & side for hop in range(1, order + 1) for side in (~nearer, nearer)]
    return (np.stack([hops == 0, *parts]) * weight).astype(np.float32)


class PoseHead(nn.Module):
    """The poses of the next frames: units that shorten the clip to one frame, and steps from the
    last pose.

    Attributes:
        horizon: frames.
        options: the fields of `Unit` that all units share.
        width, dropout: see `ASGCN`; the last unit, whose outputs are places, drops nothing.
    """

    horizon: int
    options: dict[str, Any]
    width: int
    dropout: float

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "n v t d"],
        last: Float[Array, "n v c"],
        links: Float[Array, "n k v w"],
        train: bool = False,
    ) -> Float[Array, "n v s c"]:
        """Places in the frames after the pose `last`, s = horizon.

        Departs from the released code, which adds the last pose's coordinates to the wrong ones of
        the steps.
        """
        for number, (factor, stride, taps) in enumerate((*POSE_UNITS, (2, 1, 0))):
            sizes = {
                "features": factor * self.width,
                "stride": stride,
                "taps": taps,
                "residual": taps > 0,
            }
            x = Unit(**self.options, **sizes, dropout=self.dropout, name=f"unit{number}")(
                x, train, links
            )
        x = jnp.concatenate([x, last[:, :, None].astype(x.dtype)], axis=-1)
        sizes = {
            "features": self.horizon * last.shape[-1],
            "stride": 1,
            "taps": 1,
            "residual": False,
        }
        x = Unit(**self.options, **sizes, dropout=0.0, activated=False, name="steps")(
            x, train, links
        )
        return last[:, :, None] + x.astype(jnp.float32).reshape(*last.shape[:2], self.horizon, -1)


def pose_loss(
    predicted: Float[Array, "n v s c"], true: Float[Array, "n v s c"], last: Float[Array, "n v c"]
) -> Float[Array, " n"]:
    """mean |predicted - true|^2 over coordinates, frames and joints; joints missing there or in
    `last` are left out.
    """
    there = jnp.any(true != 0, axis=-1) & jnp.any(last != 0, axis=-1)[:, :, None]
    error = jnp.mean(jnp.square(predicted - true), axis=-1) * there
    return jnp.sum(error, axis=(1, 2)) / jnp.maximum(jnp.sum(there, axis=(1, 2)), 1)


class ASGCN(nn.Module):
    """The whole network; any number of persons at run time, and of frames where no poses are asked
    for.

    The last `horizon` frames of a clip are what the second head predicts; the rest of the network
    never sees them, in evaluation either.

    Departs from the paper in how it is trained: the inference module learns beside the classifier
    from the start, in one step with one optimiser, and from the classifier's loss too. The paper
    trains it alone for a few epochs (ten in the released code, by Adam, and not again afterwards).

    Attributes:
        num_classes: logits out.
        adjacency: structural links, `structural_links` through `Adjacency`.
        edge_importance: learn a factor per structural link and unit, the paper's M.
        link_types: types of actional links, beside the empty one.
        link_frames: frames that they are inferred from, evenly out of the clip; ties the parameters
            to it.
        link_width: features of the inference module.
        temperature, empty, variance: see `LinkInference`.
        actional: lambda, weight of the actional convolution beside the structural one. The released
            code has another factor of 0.1 on the actional graphs.
        detached: the inference module learns from its own loss alone.
        horizon: frames predicted; 0 leaves the head out.
        pose_weight: of the predicted poses' squared error in `penalty`; 0.01 is the released
            code's.
        link_weight: of the inference module's loss in `penalty`. With 2 * variance its first term
            is the squared error.
        width, dropout, initial, dtype, remat, axis_name, fast: see `jaxact.models.stgcn.STGCN`.
    """

    num_classes: int
    adjacency: Adjacency
    edge_importance: bool = True
    link_types: int = 2
    link_frames: int = 50
    link_width: int = 128
    temperature: float = 0.5
    empty: float = 0.95
    variance: float = 5e-4
    actional: float = 0.5
    detached: bool = False
    horizon: int = 10
    pose_weight: float = 0.01
    link_weight: float = 1e-3
    width: int = 64
    dropout: float = 0.5
    initial: str = "v2"
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None
    fast: bool | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """`logits` [b, classes]; in training also `penalty` [b], what is added to their
        cross-entropy.

        The actional graphs are sown as `links` [b, m, k, v, w] in `intermediates`, and where that
        collection is asked for the poses as `predicted` [b, horizon, m, v, c], for clips as long as
        those of the start.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero; more
                than `horizon` frames.
            train: batch statistics, dropout and drawn links (rng `dropout`); `batch_stats` must
                then be mutable.
        """
        batch, length, persons, joints, channels = inputs.shape
        seen = self._seen(length)
        people = jnp.swapaxes(inputs, 1, 2).reshape(batch * persons, length, joints, channels)
        whole = train or self.is_initializing() or self.is_mutable_collection("intermediates")
        picked = jnp.arange(self.link_frames) * seen // self.link_frames
        links, link_loss = LinkInference(
            types=self.link_types,
            features=self.link_width,
            dropout=self.dropout,
            temperature=self.temperature,
            empty=self.empty,
            variance=self.variance,
            axis_name=self.axis_name,
            name="inference",
        )(jnp.take(people, picked, axis=1), train, whole)
        self.sow("intermediates", "links", links.reshape(batch, persons, -1, joints, joints))
        links = jax.lax.stop_gradient(links) if self.detached else links

        x = data_norm(inputs[:, :seen], train, self.initial, self.axis_name).astype(self.dtype)
        x = self._features(x, links, train)
        pooled = jnp.mean(x.astype(jnp.float32).reshape(batch, -1, x.shape[-1]), axis=1)
        init = kernel_init(self.initial, self.num_classes)
        outputs = {"logits": nn.Dense(self.num_classes, kernel_init=init, name="head")(pooled)}
        if not whole:
            return outputs
        loss = self.link_weight * link_loss
        if self.horizon:
            last, future = people[:, seen - 1], jnp.swapaxes(people[:, seen:], 1, 2)
            head = PoseHead(self.horizon, self._shared(), self.width, self.dropout, name="poses")
            predicted = head(x, last, links, train)
            poses = predicted.reshape(batch, persons, joints, self.horizon, channels)
            self.sow("intermediates", "predicted", jnp.transpose(poses, (0, 3, 1, 2, 4)))
            loss = loss + self.pose_weight * pose_loss(predicted, future, last)
        there = jnp.any(people != 0, axis=(1, 2, 3)).reshape(batch, persons)
        loss = jnp.sum(loss.reshape(batch, persons) * there, axis=1) / jnp.maximum(
            jnp.sum(there, axis=1), 1
        )
        return outputs | {"penalty": loss}

    def _seen(self, length: Any) -> Any:
        """Frames before those that are predicted."""
        if not 0 < self.empty < 1:
            raise UserError(
                f"asgcn with model.empty={self.empty}: wanted a probability between 0 and 1, and neither"
            )
        if length <= self.horizon:
            raise UserError(
                f"asgcn predicts the last {self.horizon} frames of a clip from those before; got clips of {length} "
                "frames. Wanted a smaller model.horizon (0 predicts nothing) or more clip.frames"
            )
        return length - self.horizon

    def _shared(self) -> dict[str, Any]:
        """The fields that all units have in common."""
        return {
            "adjacency": self.adjacency,
            "edge_importance": self.edge_importance,
            "initial": self.initial,
            "axis_name": self.axis_name,
            "fast": jax.default_backend() == "cpu" if self.fast is None else self.fast,
            "actional": self.actional,
        }

    def _features(self, x: Array, links: Array, train: bool) -> Float[Array, "n v t d"]:
        kind = nn.remat(Unit, static_argnums=(2,)) if self.remat else Unit
        for number, (name, factor, stride) in enumerate(UNITS):
            sizes = {"features": factor * self.width, "stride": stride, "residual": number > 0}
            x = kind(**self._shared(), **sizes, dropout=self.dropout, name=name)(x, train, links)
        return x


def build_asgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    structure: str = "powers",
    order: int = 4,
    init: str = "v2",
    **options: Any,
) -> ASGCN:
    """AS-GCN whose structural links are the bones of `layout`; `options` are fields of `ASGCN`."""
    del channels
    adjacency = Adjacency(structural_links(layout, order, structure))
    return ASGCN(
        num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, initial=init, **options
    )
