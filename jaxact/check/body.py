"""What the rules know of a layout's body, and a clip as they look at it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.datasets.preparation.presence import persons_present
from jaxact.skeletons import Layout, Pair

_HEADS = ("head", "face", "nose", "neck")
_FEET = ("foot", "ankle", "knee")
_LIMBS = {"arms": ("shoulder", "elbow", "wrist", "hand"), "legs": ("hip", "knee", "ankle", "foot")}


@dataclasses.dataclass(frozen=True, slots=True)
class Anatomy:
    """Joints by what they are; what a layout does not name is None or empty, and its rules have
    nothing to say.

    Attributes:
      layout: the joints.
      dims: channels that are coordinates, 2 or 3.
      scored: whether a score follows them.
      head, feet: ends of the body, told by name.
      limbs: "arms" and "legs" -> their (left, right) joints.
      toes: (ankle, foot) of either side.
      eyes, shoulders, hips: (left, right).
    """

    layout: Layout
    dims: int
    scored: bool
    head: int | None
    feet: tuple[int, ...]
    limbs: dict[str, tuple[Pair, ...]]
    toes: tuple[Pair, ...]
    eyes: Pair | None
    shoulders: Pair | None
    hips: Pair | None

    @classmethod
    def of(cls, layout: Layout, channels: Sequence[str]) -> "Anatomy":
        """The anatomy of a layout whose joints have these channels."""
        number = {name: joint for joint, name in enumerate(layout.joints)}
        side = {
            part: (number.get(f"left_{part}"), number.get(f"right_{part}"))
            for part in _parts(layout)
        }
        both = {
            part: (left, right)
            for part, (left, right) in side.items()
            if left is not None and right is not None
        }
        ends = next((both[part] for part in _FEET if part in both), ())
        return cls(
            layout=layout,
            dims=len(channels) - (channels[-1] == "score"),
            scored=channels[-1] == "score",
            head=next((number[name] for name in _HEADS if name in number), None),
            feet=ends,
            limbs={
                limb: tuple(both[part] for part in parts if part in both)
                for limb, parts in _LIMBS.items()
            },
            toes=tuple(zip(both["ankle"], both["foot"], strict=True))
            if "ankle" in both and "foot" in both
            else (),
            eyes=both.get("eye"),
            shoulders=both.get("shoulder"),
            hips=both.get("hip"),
        )


def _parts(layout: Layout) -> list[str]:
    return sorted(
        {name.partition("_")[2] for name in layout.joints if name.startswith(("left_", "right_"))}
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Clip:
    """A record under the lens.

    Attributes:
      id: of the record.
      joints: as recorded.
      places: coordinates, zero where a joint is missing.
      present: joints that are there, finite, and detected where there is a score.
      seen: persons with a joint that is not zero.
      size: median diagonal of the box around a person; 0 where nobody is complete enough to have
          one.
    """

    id: str
    joints: Float[np.ndarray, "t m v c"]
    places: Float[np.ndarray, "t m v d"]
    present: Bool[np.ndarray, "t m v"]
    seen: Bool[np.ndarray, "t m"]
    size: float

    @classmethod
    def of(cls, record: dict[str, Any], anatomy: Anatomy) -> "Clip":
        """The clip of a record whose joints fit the layout."""
        joints = record["joints"]
        present = (joints != 0).any(-1) & np.isfinite(joints).all(-1)
        if anatomy.scored:
            present &= joints[..., -1] > 0
        places = np.where(present[..., None], joints[..., : anatomy.dims], 0.0).astype(np.float64)
        low = np.where(present[..., None], places, np.inf).min(2)
        high = np.where(present[..., None], places, -np.inf).max(2)
        whole = 2 * present.sum(2) >= len(anatomy.layout.joints)
        diagonals = np.linalg.norm(high[whole] - low[whole], axis=-1)
        return cls(
            id=record["id"],
            joints=joints,
            places=places,
            present=present,
            seen=persons_present(joints),
            size=float(np.median(diagonals)) if len(diagonals) else 0.0,
        )
