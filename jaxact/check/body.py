"""Anatomy of a layout, and a clip in the form that the rules read."""

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
    """Joints by their anatomical name. A part that the layout lacks is None or empty.

    Attributes:
        layout: the joints.
        dims: channels that are coordinates, 2 or 3.
        scored: whether a score follows them.
        head, feet: top and bottom of the body.
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
        """Returns the anatomy of a layout whose joints have these channels."""
        scored = channels[-1] == "score"
        pairs = _named_pairs(layout)
        heads = [layout.joints.index(name) for name in _HEADS if name in layout.joints]
        feet = [pairs[part] for part in _FEET if part in pairs]
        limbs = {}
        for limb, parts in _LIMBS.items():
            limbs[limb] = tuple(pairs[part] for part in parts if part in pairs)
        toes: tuple[Pair, ...] = ()
        if "ankle" in pairs and "foot" in pairs:
            toes = tuple(zip(pairs["ankle"], pairs["foot"], strict=True))
        return cls(
            layout=layout,
            dims=len(channels) - scored,
            scored=scored,
            head=heads[0] if heads else None,
            feet=feet[0] if feet else (),
            limbs=limbs,
            toes=toes,
            eyes=pairs.get("eye"),
            shoulders=pairs.get("shoulder"),
            hips=pairs.get("hip"),
        )


def _named_pairs(layout: Layout) -> dict[str, Pair]:
    """Returns part -> its (left, right) joints, for every part that has both sides."""
    joints = {name: joint for joint, name in enumerate(layout.joints)}
    pairs = {}
    for name, left in joints.items():
        side, _, part = name.partition("_")
        right = joints.get(f"right_{part}")
        if side == "left" and right is not None:
            pairs[part] = (left, right)
    return pairs


@dataclasses.dataclass(frozen=True, slots=True)
class Clip:
    """A record in the form that the rules read.

    Attributes:
        id: id of the record.
        joints: joints as recorded.
        points: coordinates; zero where a joint is missing.
        present: joints that are neither missing nor non-finite and, where there is a score,
            detected.
        occupied: persons with a joint that is not zero.
        size: median diagonal of the box around a person; 0 where no person has half of the joints.
    """

    id: str
    joints: Float[np.ndarray, "t m v c"]
    points: Float[np.ndarray, "t m v d"]
    present: Bool[np.ndarray, "t m v"]
    occupied: Bool[np.ndarray, "t m"]
    size: float

    @classmethod
    def of(cls, record: dict[str, Any], anatomy: Anatomy) -> "Clip":
        """Returns the clip of a record whose joints fit the layout."""
        joints = record["joints"]
        present = (joints != 0).any(-1) & np.isfinite(joints).all(-1)
        if anatomy.scored:
            present &= joints[..., -1] > 0
        points = np.where(present[..., None], joints[..., : anatomy.dims], 0.0).astype(np.float64)
        low = np.where(present[..., None], points, np.inf).min(2)
        high = np.where(present[..., None], points, -np.inf).max(2)
        complete = 2 * present.sum(2) >= len(anatomy.layout.joints)
        diagonals = np.linalg.norm(high[complete] - low[complete], axis=-1)
        return cls(
            id=record["id"],
            joints=joints,
            points=points,
            present=present,
            occupied=persons_present(joints),
            size=float(np.median(diagonals)) if len(diagonals) else 0.0,
        )
