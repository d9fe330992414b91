"""What the online recogniser's attention weighs: frames, and each number of its vectors (the
paper's Figure 8).
"""

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
class WeightShares:
    """The attention of a recogniser.

    Attributes:
      weights: of one clip, those of each number d sum to 1 over its frames.
      shares: part of each d in what the layer gives, sum over t of |y_td| by its sum over d; the
          mean of all clips.
      clips: how many these are.
      name, label, predicted: of the one clip.
      probability: of the predicted class.
    """

    weights: Float[np.ndarray, "t d"]
    shares: Float[np.ndarray, " d"]
    clips: int
    name: str
    label: str
    predicted: str
    probability: float


def look(
    net: trained_model.Trained, info: Any, split: str, *, id: str | None = None, index: int = 0
) -> WeightShares:
    """What a recogniser attends to in the clips of a split, and in one of them, by its id or its
    place.

    Departs from the paper, which draws "the weights' shares of the 128 numbers" without saying of
    what: a softmax over time gives every number the same sum, so that the shares are those of what
    leaves the layer.

    Raises:
      UserError: a network without this attention, no such split, or no such clip in it.
    """
    from jaxact.pipeline import batches

    if not isinstance(net.model, Recogniser) or not VARIANTS[net.model.network].attention:
        name = net.config.model.name
        raise UserError(
            f"the network {name!r} has no shared attention; wanted a checkpoint of recogniser with attention"
        )
    clip = {**dataclasses.asdict(net.config.clip), "views": 1}
    apply = jax.jit(lambda x: net.model.apply(net.weights, x, mutable=["intermediates"]))
    total, count, found = np.zeros(net.model.width), 0, None
    for batch in batches.eval_batches(
        info, split=split, batch_size=net.config.batch_size, clip=clip
    ):
        logits, sown = apply(jnp.asarray(batch["inputs"][:, 0]))
        weights, shares = (
            np.asarray(sown["intermediates"]["head"]["attention"][key][0])
            for key in ("attention", "shares")
        )
        for row in np.flatnonzero(batch["mask"]):
            if found is None and (str(batch["id"][row]) == id if id else count == index):
                chances = np.asarray(jax.nn.softmax(logits[row]))
                best = int(np.argmax(chances))
                label = net.labels[int(batch["targets"][row])]
                found = (
                    weights[row],
                    str(batch["id"][row]),
                    label,
                    net.labels[best],
                    float(chances[best]),
                )
            total += shares[row]
            count += 1
    if found is None:
        wanted = f"the id {id!r}" if id else f"the index {index}"
        raise UserError(
            f"no record with {wanted} in the split {split!r} of {info.name!r} ({count} records)"
        )
    weights, name, label, predicted, chance = found
    return WeightShares(
        weights, (total / count).astype(np.float32), count, name, label, predicted, chance
    )
