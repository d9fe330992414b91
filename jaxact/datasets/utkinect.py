"""UTKinect-Action3D (Xia, Chen and Aggarwal, CVPR Workshops 2012): 10 actions cut out of 20
recordings by a list.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxact.datasets.formats.number_table import read_numbers
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    compressed_tensor,
    matching_files,
    skeleton_record,
)
from jaxact.errors import UserError, unknown
from jaxact.skeletons import get_layout

# As the list spells them.
LABELS = (
    "walk",
    "sitDown",
    "standUp",
    "pickUp",
    "carry",
    "throw",
    "push",
    "pull",
    "waveHands",
    "clapHands",
)
FIELDS = 1 + 20 * 3
_RECORDING = re.compile(r"s\d+_e\d+")
_ACTION = re.compile(r"(\w+)\s*:\s*(\S+)\s+(\S+)")


class Utkinect(SkeletonBuilder):
    """UTKinect-Action3D: joints [t, 1, 20, 3] in metres from the sensor, layout kinect-20-hip.

    A recording skips the frames in which nobody was tracked; a frame that is there twice, which is
    one person found twice, is its first row. `s01_e01_test` is one recording, `s01_e01_train` the
    nineteen others.
    """

    EXPECTS = "the list actionLabel.txt and the files joints_s<subject>_e<take>.txt"
    LICENCE = "unknown; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per line of the list; the cells are the recordings."""
        files = {
            path.stem.removeprefix("joints_"): path
            for path in matching_files(raw, "joints_s*_e*.txt", cls.EXPECTS)
        }
        listing = matching_files(raw, "actionLabel.txt", cls.EXPECTS)[0]
        sources, without = [], 0
        for recording, action, start, stop in read_list(listing):
            if "nan" in (start.lower(), stop.lower()):
                without += 1
                continue
            if not (start.isdigit() and stop.isdigit() and int(start) <= int(stop)):
                raise UserError(
                    f"{str(listing)!r}, {recording}: {action} is from {start} to {stop}, wanted two frames"
                )
            if recording not in files:
                raise UserError(
                    f"{str(listing)!r} lists {recording!r}, but {str(raw)!r} has no joints_{recording}.txt"
                )
            facts = {"start": int(start), "stop": int(stop)}
            label = LABELS.index(action)
            sources.append(
                RawClip(f"{recording}/{action}", str(files[recording]), recording, label, facts)
            )
        cells = sorted({source.cell for source in sources})
        return RawDataset(
            sources=sources,
            labels=LABELS,
            layout=get_layout("kinect-20-hip"),
            unions={
                **{
                    f"{cell}_train": tuple(other for other in cells if other != cell)
                    for cell in cells
                },
                **{f"{cell}_test": (cell,) for cell in cells},
            },
            dropped={"listed without frames": without} if without else {},
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One action of a recording."""
        joints, numbers = read_recording(source.path)
        start, stop = source.facts["start"], source.facts["stop"]
        inside = (numbers >= start) & (numbers <= stop)
        if not inside.any():
            raise UserError(
                f"{source.path!r} has no frame from {start} to {stop}, where the list has {source.id!r}"
            )
        yield skeleton_record(source, joints[inside], frame_number=numbers[inside])

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """The number that the recording gave each frame."""
        return {"frame_number": compressed_tensor((None,), np.int32)}


def read_list(path: Path) -> list[tuple[str, str, str, str]]:
    """(recording, action, first frame, last frame) of every line of the list.

    Raises:
      UserError: a line is neither a recording nor an action with two frames; names the line.
    """
    found, recording = [], ""
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        text = line.strip()
        if not text:
            continue
        if _RECORDING.fullmatch(text):
            recording = text
            continue
        match = _ACTION.fullmatch(text)
        if not match or not recording:
            raise UserError(
                f"{str(path)!r}, line {number}: wanted s01_e01 or 'walk: 252 390', found {text[:60]!r}"
            )
        if match[1] not in LABELS:
            raise unknown(f"action in {str(path)!r}, line {number}:", match[1], LABELS)
        found.append((recording, *match.groups()))
    if not found:
        raise UserError(f"{str(path)!r} lists no actions")
    return found


def read_recording(path: str) -> tuple[Float[np.ndarray, "t 1 20 3"], Int[np.ndarray, " t"]]:
    """Joints and frame numbers of a recording, by frame; rows are a number and x, y, z of each
    joint.
    """
    table = read_numbers(path, FIELDS)
    numbers, first = np.unique(table[:, 0].astype(np.int32), return_index=True)
    return table[first, 1:].reshape(len(first), 1, 20, 3).astype(np.float32), numbers
