"""Actional-structural graph convolutional network, AS-GCN (Li, Chen, Chen, Zhang, Wang and Tian,
CVPR 2019, arXiv 1904.12659).

ST-GCN on two larger graphs. Structural links connect joints up to four bones apart. Actional links
connect joints that move together in a clip; a module that learns to predict motion infers them
(`jaxact.models.layers.link_inference`). A second head predicts the poses after the clip, so that
the features retain details of the motion.

    [b 300 m v c] -> 290 frames -> 50 of them -> actional links [bm 2 v v]
                                -> norm -> 9 units of both graphs and time [bm 73 v 256] -> [b k]
                                                                                         -> 10 poses
                                                                                         [bm v 10 c]

NTU RGB+D 86.8 % X-Sub and 94.2 % X-View (`configs/stagcn.py:ntu60`), Kinetics-skeleton 34.8 % top-1
(`configs/stagcn.py:kinetics_skeleton`), from the paper, as quoted in Table 4 of the STA-GCN paper.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float, Float32

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.models import stgcn
from jaxact.models.asgcn_pose_head import PoseHead, pose_loss
from jaxact.models.asgcn_unit import ASGCNUnit
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.link_inference import LinkInference
from jaxact.models.layers.stgcn_unit import STGCNUnit

STRUCTURES = ("powers", "hops")


def structural_links(
    layout: skeletons.Layout, order: int = 4, structure: str = "powers"
) -> Float32[np.ndarray, "k v v"]:
    """The graph of joints up to `order` bones apart, as parts [part][source][target].

    The first part is the joint itself; each order adds two parts.

    - `powers`: A_near^l and A_far^l for l = 1 ... order, of ST-GCN's partition into the joint
      itself, the neighbour nearer the centre and those farther. The joint itself has no powers but
      itself, so it is one part.
    - `hops`, as in the released code: the joints exactly l bones away, those nearer the centre and
      the others, each with weight 1 / (number of joints up to `order` away). Distances from the
      centre are computed up to `order` bones.

    Raises:
        UserError: an unknown structure.
    """
    if structure not in STRUCTURES:
        raise unknown("structure", structure, STRUCTURES)
    if structure == "powers":
        itself, near, far = skeletons.adjacency(layout, "spatial").astype(np.float64)
        parts = [itself]
        for power in range(1, order + 1):
            parts.append(np.linalg.matrix_power(near, power))
            parts.append(np.linalg.matrix_power(far, power))
        return np.stack(parts).astype(np.float32)
    count = len(layout.joints)
    reach = np.eye(count)
    for child, parent in layout.edges:
        reach[child, parent] = reach[parent, child] = 1
    # The smallest power of A + I that connects two joints is their distance; order + 1 means that
    # they are farther apart.
    hops = np.sum([np.linalg.matrix_power(reach, power) == 0 for power in range(order + 1)], axis=0)
    weight = (hops <= order) / np.sum(hops <= order, axis=0)
    nearer = hops[:, None, layout.centre] < hops[None, :, layout.centre]
    parts = [hops == 0]
    for hop in range(1, order + 1):
        parts.append((hops == hop) & ~nearer)
        parts.append((hops == hop) & nearer)
    return (np.stack(parts) * weight).astype(np.float32)


class ASGCN(stgcn.GraphNetwork):
    """AS-GCN, for any number of persons at run time, and of frames if no poses are predicted.

    The second head predicts the last `horizon` frames of a clip. The rest of the network never
    reads them, in evaluation either.

    Departs from the paper in its training: the inference module is trained with the classifier from
    the start, in one step with one optimiser, and by the classifier's loss too. The paper trains it
    alone for a few epochs (ten in the released code, by Adam) and not afterwards.

    Attributes:
        adjacency: structural links, `structural_links` through `Adjacency`.
        network: a key of `jaxact.models.stgcn.VARIANTS`; in the paper nine units, the first without
            a shortcut.
        edge_importance: learn a factor per structural link and unit, the paper's M.
        link_types: types of actional links, besides the empty type.
        link_frames: frames that the links are inferred from, evenly spaced in the clip; determines
            the shape of the parameters.
        link_width: features of the inference module.
        temperature, empty, variance: see `LinkInference`.
        actional: lambda, weight of the actional convolution relative to the structural one. The
            released code has another factor of 0.1 on the actional graphs.
        detached: train the inference module by its own loss alone.
        horizon: predicted frames; 0 omits the head.
        pose_weight: weight of the predicted poses' squared error in `penalty`; 0.01 in the released
            code.
        link_weight: weight of the inference module's loss in `penalty`. At 2 * variance its first
            term is the squared error.
    """

    network: str = "literal9"
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

    unit_class: ClassVar[type[STGCNUnit]] = ASGCNUnit

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """`logits` [b, classes], and in training `penalty` [b], a loss to add to cross-entropy.

        The actional graphs are sown as `links` [b, m, k, v, w] in `intermediates`. If that
        collection is mutable, the poses are sown as `predicted` [b, horizon, m, v, c], for clips of
        the length that the network was initialised with.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero; more
                than `horizon` frames.
            train: batch statistics, dropout and sampled links (rng `dropout`); `batch_stats` must
                then be mutable.
        """
        batch, length, persons, joints, channels = inputs.shape
        past_frames = self._past_frames(length)
        people = jnp.swapaxes(inputs, 1, 2).reshape(batch * persons, length, joints, channels)
        with_penalty = (
            train or self.is_initializing() or self.is_mutable_collection("intermediates")
        )
        link_frames = jnp.arange(self.link_frames) * past_frames // self.link_frames
        links, link_loss = self._inference()(
            jnp.take(people, link_frames, axis=1), train, with_penalty
        )
        self.sow("intermediates", "links", links.reshape(batch, persons, -1, joints, joints))
        if self.detached:
            links = jax.lax.stop_gradient(links)

        x = self.normalised(inputs[:, :past_frames], train)
        units: list[Any] = self.units(self.remat)
        for unit in units:
            x = unit(x, train, links)
        outputs = {"logits": self.head()(self.pooled(x, batch))}
        if not with_penalty:
            return outputs

        loss = self.link_weight * link_loss
        if self.horizon:
            last = people[:, past_frames - 1]
            future = jnp.swapaxes(people[:, past_frames:], 1, 2)
            head = PoseHead(
                self.horizon, self.unit_fields(), self.width, self.dropout, name="poses"
            )
            predicted = head(x, last, links, train)
            poses = predicted.reshape(batch, persons, joints, self.horizon, channels)
            self.sow("intermediates", "predicted", jnp.transpose(poses, (0, 3, 1, 2, 4)))
            loss = loss + self.pose_weight * pose_loss(predicted, future, last)
        present = jnp.any(people != 0, axis=(1, 2, 3)).reshape(batch, persons)
        total = jnp.sum(loss.reshape(batch, persons) * present, axis=1)
        outputs["penalty"] = total / jnp.maximum(jnp.sum(present, axis=1), 1)
        return outputs

    def _past_frames(self, length: Any) -> Any:
        """The number of frames before those that are predicted."""
        if not 0 < self.empty < 1:
            raise UserError(
                f"asgcn with model.empty={self.empty}: wanted a probability between 0 and 1, and "
                "neither"
            )
        if length <= self.horizon:
            raise UserError(
                f"asgcn predicts the last {self.horizon} frames of a clip from those before; got "
                f"clips of {length} frames. Wanted a smaller model.horizon (0 predicts nothing) or "
                "more clip.frames"
            )
        return length - self.horizon

    def _inference(self) -> LinkInference:
        return LinkInference(
            types=self.link_types,
            features=self.link_width,
            dropout=self.dropout,
            temperature=self.temperature,
            empty=self.empty,
            variance=self.variance,
            axis_name=self.axis_name,
            name="inference",
        )

    @nn.nowrap
    def unit_fields(self) -> dict[str, Any]:
        """The fields that all units share."""
        return super().unit_fields() | {"actional": self.actional}

    @nn.nowrap
    def has_shortcut(self, name: str) -> bool:
        """Whether the unit `name` has a shortcut."""
        first_unit, _, _ = stgcn.VARIANTS[self.network][0]
        return name != first_unit


def build_asgcn(
    spec: InputSpec,
    *,
    structure: str = "powers",
    order: int = 4,
    init: str = "v2",
    **options: Any,
) -> ASGCN:
    """AS-GCN whose structural links are the bones of `spec.layout`.

    Args:
        spec: the data.
        structure, order: see `structural_links`.
        init: the field `initial`.
        **options: other fields of `ASGCN`.
    """
    return ASGCN(
        num_classes=spec.num_classes,
        adjacency=Adjacency(structural_links(spec.layout, order, structure)),
        axis_name=spec.axis_name,
        initial=init,
        **options,
    )
