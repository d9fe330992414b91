"""A frame in, everybody in it out: who they are, where their joints are, and what they are doing.

    Shot -> find (or read) -> follow -> recognise -> smooth -> Seen

What is kept of anybody goes when their track is given up; of tracks there are `MOST` at most.
"""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.errors import UserError
from jaxact.skeletons import get_layout
from jaxact.skeletons.tracking import Tracks, update_tracks
from jaxact.streaming.frame import Shot
from jaxact.streaming.online_classifier import Network
from jaxact.streaming.openpose_source import LAYOUTS
from jaxact.streaming.preprocessing import Reader
from jaxact.streaming.smoothing import Said, smooth

MOST = 64  # people who are followed, with those who are out of sight
SHARES = 2.0  # coordinates up to here are shares of the picture; of pixels it would be a corner


@runtime_checkable
class Finds(Protocol):
    """What finds people in a picture: `jaxact.streaming.pose_estimator.Finder`.

    Attributes:
      layout: name of the layout of their joints.
      seconds: spent so far, by stage.
    """

    layout: str
    seconds: dict[str, float]

    def __call__(self, picture: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n v 3"]:
        """The people, in pixels."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a frame.

    Attributes:
      id: theirs as long as they are followed.
      joints: x and y in pixels, or in shares where no size is known, and the score; zero where
          missing.
      said: the smoothed probabilities and the class; None where nothing is recognised.
    """

    id: int
    joints: Float[np.ndarray, "v 3"]
    said: Said | None


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What is known after a frame.

    Attributes:
      size: height and width that `joints` are measured in.
      people: those who are in it, by id.
      notes: what is wrong, or has changed.
    """

    shot: Shot
    size: tuple[int, int]
    people: Sequence[Person]
    notes: Sequence[str]


@dataclasses.dataclass(kw_only=True)
class Watcher:
    """Follows people through frames and recognises what they do.

    Attributes:
      find: finds people in a picture; None where poses are read.
      network: tells classes; None follows people only.
      reader: how the network reads joints, with it.
      size: height and width of the picture that poses were found in, where it is known.
      persons: people who are recognised at most, those who are followed for longest.
      keep: see `smooth`.
      patience: frames for which somebody out of sight is waited for.
      layout: of the joints; "" until poses have been read.
      seconds: spent so far, by stage.
      met: people so far.
    """

    find: Finds | None = None
    network: Network | None = None
    reader: Reader | None = None
    size: tuple[int, int] | None = None
    persons: int = 8
    keep: float = 0.8
    patience: int = 30
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self.layout = "" if self.find is None else self.find.layout
        self.seconds: dict[str, float] = defaultdict(float)
        self._tracks, self._said, self._crowded = Tracks(), {}, False

    @property
    def met(self) -> int:
        """How many different people there were."""
        return self._tracks.next_id

    @property
    def known(self) -> Collection[int]:
        """Those of whom something is known to be done."""
        return self._said.keys()

    def see(self, shot: Shot) -> Seen:
        """What there is in a frame.

        Raises:
          UserError: poses in pixels of a picture whose size nobody told, or in a layout the network
              cannot read.
        """
        notes = [shot.note] if shot.note else []
        poses = self._poses(shot, notes)
        if poses is None:
            return Seen(shot, self.size or (1, 1), (), notes)
        size = self.size or (1, 1)
        begun = self.clock()
        # In heights of the picture, so that a track outlives a change of its size.
        tracks, ids = update_tracks(
            self._tracks, poses / (size[0], size[0], 1), patience=self.patience, score=True
        )
        held = sorted(tracks.held, key=lambda track: (track.missed, track.id))[:MOST]
        self._tracks = tracks._replace(held=tuple(sorted(held, key=lambda track: track.id)))
        there = dict(zip(ids.tolist(), poses, strict=True))
        there.pop(-1, None)
        self.seconds["follow"] += self.clock() - begun
        begun = self.clock()
        self._recognise(there, size, notes)
        self.seconds["recognise"] += self.clock() - begun
        people = [Person(name, there[name], self._said.get(name)) for name in sorted(there)]
        return Seen(shot, size, people, notes)

    def _poses(self, shot: Shot, notes: list[str]) -> Float[np.ndarray, "n v 3"] | None:
        """The frame's people, x and y in pixels; None where the frame holds nothing."""
        if shot.picture is not None and self.find is not None:
            size = shot.picture.shape[:2]
            if self.size is not None and size != self.size:
                notes.append(
                    "the picture's size changed from {1} x {0} to {3} x {2}".format(
                        *self.size, *size
                    )
                )
            self.size = size
            return self.find(shot.picture)
        if shot.people is None:
            return None
        people, joints = shot.people, shot.people.shape[1]
        if not len(people):
            return np.zeros((0, len(get_layout(self.layout or LAYOUTS[18]).joints), 3), np.float32)
        if joints not in LAYOUTS or (self.layout and LAYOUTS[joints] != self.layout):
            wanted = (
                f"those of {self.layout!r}" if self.layout else f"{', '.join(map(str, LAYOUTS))}"
            )
            notes.append(f"people of {joints} joints; wanted {wanted}")
            return None
        if not self.layout:
            self.layout = LAYOUTS[joints]
            self._tracks = Tracks(next_id=self._tracks.next_id)
            if self.reader is not None:
                self.reader.check_layout(self.layout)
        if self.size is None and np.abs(people[..., :2]).max() > SHARES:
            raise UserError(
                "the poses are in pixels of a picture of unknown size; give it, --size WIDTHxHEIGHT"
            )
        return people.astype(np.float32)

    def _recognise(
        self, there: dict[int, np.ndarray], size: tuple[int, int], notes: list[str]
    ) -> None:
        """Moves on what is said of everybody who has a seat: the ids that are followed for
        longest.
        """
        held = [track.id for track in self._tracks.held]
        seats = set(held[: self.persons])
        if (crowded := len(held) > self.persons and self.network is not None) != self._crowded:
            self._crowded = crowded
            among = f"{len(held)} people are followed, {self.persons} of them recognised"
            notes.append(among if crowded else "everybody is recognised again")
        self._said = {name: said for name, said in self._said.items() if name in seats}
        if self.network is None or self.reader is None:
            return
        self.network.forget(seats)
        nobody = np.zeros((len(self.reader.layout.joints), len(self.reader.channels)), np.float32)
        frames = dict.fromkeys(self._said, nobody) if self.reader.clip["empty"] == "keep" else {}
        wanted = sorted(name for name in there if name in seats)
        if wanted:
            poses = np.stack([there[name] for name in wanted])
            frames |= dict(zip(wanted, self.reader.reads(poses, self.layout, size), strict=True))
        for name, found in self.network.step(frames, wanted).items():
            self._said[name] = smooth(self._said.get(name), found, keep=self.keep)
