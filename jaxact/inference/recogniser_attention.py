"""Attention weights of the online recogniser, per frame and feature (the paper's Figure 8)."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.models.recogniser import VARIANTS, Recogniser
from jaxact.runs import trained_model


@dataclasses.dataclass(frozen=True, slots=True)
class AttentionWeights:
    """Attention weights of one clip, and the mean feature shares of a split.

    Attributes:
        weights: attention weights of the clip; for each feature d they sum to 1 over the frames.
        shares: share of each feature d in the layer's output, the sum over t of |y_td| divided by
            its sum over d; mean over all clips.
        clips: number of clips in that mean.
        name: id of the clip.
        label: true class of the clip.
        predicted: predicted class of the clip.
        probability: probability of the predicted class.
    """

    weights: Float[np.ndarray, "t d"]
    shares: Float[np.ndarray, " d"]
    clips: int
    name: str
    label: str
    predicted: str
    probability: float


def attention_weights(
    net: trained_model.TrainedModel, info: Any, split: str, *, id: str | None = None, index: int = 0
) -> AttentionWeights:
    """Computes the attention weights of one clip of a split, and the split's mean feature shares.

    Departs from the paper, which draws "the weights' shares of the 128 numbers" without stating a
    share of what: a softmax over time gives every feature the same sum. The shares here are those
    of the layer's output.

    Args:
        net: a recogniser with attention.
        info: the `jaxact.datasets.dataset_info.DatasetInfo` of the data set.
        split: the split whose clips are read.
        id: id of the clip.
        index: position of the clip in the split, where `id` is not given.

    Raises:
        UserError: a network without shared attention, an unknown split, or no such clip in it.
    """
    from jaxact.pipeline import batches

    if not isinstance(net.model, Recogniser) or not VARIANTS[net.model.network].attention:
        raise UserError(
            f"the network {net.config.model.name!r} has no shared attention; "
            "wanted a checkpoint of recogniser with attention"
        )
    clip = {**dataclasses.asdict(net.config.clip), "views": 1}
    apply = jax.jit(lambda x: net.model.apply(net.weights, x, mutable=["intermediates"]))
    share_sum, count, selected = np.zeros(net.model.width), 0, None
    for batch in batches.eval_batches(
        info, split=split, batch_size=net.config.batch_size, clip=clip
    ):
        logits, sown = apply(jnp.asarray(batch["inputs"][:, 0]))
        attention = sown["intermediates"]["head"]["attention"]
        weights = np.asarray(attention["attention"][0])
        shares = np.asarray(attention["shares"][0])
        for row in np.flatnonzero(batch["mask"]):
            name = str(batch["id"][row])
            matches = name == id if id else count == index
            if selected is None and matches:
                selected = (name, weights[row], logits[row], int(batch["targets"][row]))
            share_sum += shares[row]
            count += 1
    if selected is None:
        query = f"the id {id!r}" if id else f"the index {index}"
        raise UserError(
            f"no record with {query} in the split {split!r} of {info.name!r} ({count} records)"
        )
    name, weights, clip_logits, target = selected
    probabilities = np.asarray(jax.nn.softmax(clip_logits))
    best = int(np.argmax(probabilities))
    return AttentionWeights(
        weights=weights,
        shares=(share_sum / count).astype(np.float32),
        clips=count,
        name=name,
        label=net.labels[target],
        predicted=net.labels[best],
        probability=float(probabilities[best]),
    )
