"""What becomes of a person's joints before a recogniser reads them: the clip section of its run, in
numpy.

    people of a frame [n v 3], pixels -> reads: another layout, shares of the picture [n w c]
    -> a window of them [t w c] -> inputs: place, size, streams [t w d]

`inputs` does to a window what `jaxact.pipeline.skeleton` does to a record of one person. Some of it
needs a whole clip; what a network that reads every frame once cannot have is refused beforehand.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.skeletons import Layout
from jaxact.skeletons.conversion import conversion_path

STREAMS = ("joint", "bone", "joint_motion", "bone_motion")
FOUND = ("x", "y", "score")  # of a pose
Joints = Float[np.ndarray, "t v c"]
Present = Bool[np.ndarray, "t v"]


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """How one recogniser reads poses.

    Attributes:
      layout: of the recogniser's joints.
      channels: of a joint.
      clip: its run's clip section.
    """

    layout: Layout
    channels: tuple[str, ...]
    clip: dict[str, Any]

    @property
    def absolute(self) -> bool:
        """Whether it reads shares of the picture, so that the picture's size must be known."""
        return self.channels == FOUND

    def check_layout(self, source: str) -> None:
        """Raises UserError where no way leads from the layout called `source` to the
        recogniser's.
        """
        conversion_path(source, self.layout.name)

    def check(self, *, carried: bool) -> None:
        """Raises UserError where poses in a picture, as they come, cannot become what the
        recogniser reads.

        Args:
          carried: each frame is read once, so that there is no window.
        """
        if self.clip["align"]:
            raise UserError(
                "clip.align turns a whole clip in space, which frames of a picture do not have; train without"
            )
        if "z" in self.channels:
            raise UserError(
                f"the recogniser reads joints in space, {', '.join(self.channels)}; poses in a picture have x, y and a "
                "score; wanted a run on such"
            )
        unitless = self.clip["center"] != "none" and self.clip["scale"] == "skeleton"
        if not self.absolute and not unitless:
            raise UserError(
                f"the recogniser reads {', '.join(self.channels)}, and its checkpoint does not tell in what unit; "
                "wanted a run on x, y, score, or one with clip.center and clip.scale='skeleton'"
            )
        for name in (names := self.clip["stream"].split("+")):
            if name not in STREAMS:
                raise UserError(
                    f"the stream {name!r} is not made frame by frame; those that are: {', '.join(STREAMS)}"
                )
        if self.clip["empty"] == "loop":
            raise UserError(
                "clip.empty='loop' repeats a whole clip, which a stream never is; train with 'keep' or 'drop'"
            )
        if carried:
            late = [
                f"clip.stream={name!r}, the way to the next frame"
                for name in names
                if name.endswith("motion")
            ]
            late += ["clip.center='first', a frame that is past"] * (self.clip["center"] == "first")
            late += ["clip.scale='skeleton', the mean of a clip"] * (
                self.clip["scale"] == "skeleton"
            )
            if late:
                raise UserError(
                    f"the recogniser reads every frame once and forgets it, but its run has {late[0]}; "
                    "take one that reads windows"
                )

    def reads(
        self, people: Float[np.ndarray, "n v 3"], source: str, size: tuple[int, int]
    ) -> Float[np.ndarray, "n w c"]:
        """People of the layout `source` in pixels of a picture of this height and width, as records
        hold them.
        """
        people = np.where(
            np.isfinite(people).all(axis=-1, keepdims=True) & (people[..., 2:] != 0), people, 0
        )
        people = skeletons.convert(
            people.astype(np.float32), source, self.layout.name, channels=FOUND
        )
        if not self.absolute:
            return people[..., :2]
        return people / np.array([size[1], size[0], 1], np.float32)

    def inputs(self, joints: Joints) -> Float[np.ndarray, "t v d"]:
        """What the network reads of one person's frames.

        Centring and scaling take the window for the clip. A single frame without the joint that is
        centred on stays where it is, as does every frame before the first one that has it.
        """
        present = np.any(joints != 0, axis=-1)
        if self.absolute:
            present &= joints[..., 2] > self.clip["min_score"]
            joints = _kept(joints - np.array([0.5, 0.5, 0], np.float32), present)
        places, rest = joints[..., :2], joints[..., 2:]
        if self.clip["flip_y"]:
            places = places * np.array([1, -1], np.float32)
        if self.clip["center"] != "none":
            places = _kept(places - self._origin(places, present), present)
        if self.clip["scale"] == "frame":
            places = 2 * places
        elif self.clip["scale"] == "skeleton":
            places = places / self._size(places, present)
        joints = np.concatenate([places, rest], axis=-1).astype(np.float32)
        return np.concatenate(
            [self._stream(name, joints, present) for name in self.clip["stream"].split("+")],
            axis=-1,
        )

    def _origin(self, places: Joints, present: Present) -> Float[np.ndarray, "_ 1 2"]:
        layout = self.layout
        joint = (
            layout.spine[1] if self.clip["origin"] == "spine" and layout.spine else layout.centre
        )
        first = places[np.argmax(present[:, joint]), joint]
        if self.clip["center"] == "first":
            return first[None, None]
        return np.where(present[:, joint, None], places[:, joint], first)[:, None]

    def _size(self, places: Joints, present: Present) -> np.float32:
        """The mean length of a bone times the number of bones; 1 where there is none."""
        ends, roots = zip(
            *((joint, parent) for joint, parent in self.layout.bones if joint != parent),
            strict=True,
        )
        both = present[:, ends] & present[:, roots]
        lengths = np.linalg.norm(places[:, ends] - places[:, roots], axis=-1)
        size = lengths[both].mean() * len(ends) if both.any() else 0.0
        return np.float32(size if size > 0 else 1.0)

    def _stream(self, name: str, joints: Joints, present: Present) -> Joints:
        """One of `STREAMS`; coordinates are differences, a score is the mean of the two ends'."""
        if name.startswith("bone"):
            parents = [parent for _, parent in self.layout.bones]
            present = present & present[:, parents]
            joints = _difference(joints[:, parents], joints, present)
        if name.endswith("motion"):
            later, there = np.zeros_like(joints), np.zeros_like(present)
            later[:-1], there[:-1] = joints[1:], present[1:]
            joints = _difference(joints, later, present & there)
        return joints


def _difference(start: Joints, end: Joints, present: Present) -> Joints:
    change = np.concatenate(
        [end[..., :2] - start[..., :2], (end[..., 2:] + start[..., 2:]) / 2], axis=-1
    )
    return _kept(change, present)


def _kept(joints: Joints, present: Present) -> Joints:
    return joints * present[..., None]
