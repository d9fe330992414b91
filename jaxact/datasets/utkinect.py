"""UTKinect-Action3D (Xia, Chen and Aggarwal, CVPR Workshops 2012): 10 actions, 20 recordings.

A list states the frames of each action in a recording.
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

# fmt: off
# As the list spells them.
LABELS = (
    "walk", "sitDown", "standUp", "pickUp", "carry", "throw", "push", "pull", "waveHands",
    "clapHands",
)
# fmt: on
FIELDS = 1 + 20 * 3
_RECORDING = re.compile(r"s\d+_e\d+")
_ACTION = re.compile(r"(\w+)\s*:\s*(\S+)\s+(\S+)")


class Utkinect(SkeletonBuilder):
    """UTKinect-Action3D: joints [t, 1, 20, 3] in metres from the sensor, layout kinect-20-hip.

    A recording skips the frames without a tracked person. A frame that occurs twice is one person
    detected twice; its first row counts. `s01_e01_test` is one recording, `s01_e01_train` the
    nineteen others.
    """

    EXPECTS = "the list actionLabel.txt and the files joints_s<subject>_e<take>.txt"
    LICENCE = "unknown; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per line of the list; the cells are the recordings."""
        files = {}
        for path in matching_files(raw, "joints_s*_e*.txt", cls.EXPECTS):
            files[path.stem.removeprefix("joints_")] = str(path)
        action_list = matching_files(raw, "actionLabel.txt", cls.EXPECTS)[0]
        where = repr(str(action_list))
        raw_clips = []
        without_frames = 0
        for recording, action, start, stop in read_list(action_list):
            if "nan" in (start.lower(), stop.lower()):
                without_frames += 1
                continue
            if not start.isdigit() or not stop.isdigit() or int(start) > int(stop):
                raise UserError(
                    f"{where}, {recording}: {action} is from {start} to {stop}, wanted two frames"
                )
            if recording not in files:
                raise UserError(
                    f"{where} lists {recording!r}, but {str(raw)!r} has no joints_{recording}.txt"
                )
            clip = f"{recording}/{action}"
            facts = {"start": int(start), "stop": int(stop)}
            label = LABELS.index(action)
            raw_clips.append(RawClip(clip, files[recording], recording, label, facts))
        recordings = sorted({raw_clip.cell for raw_clip in raw_clips})
        unions = {}
        for recording in recordings:
            unions[f"{recording}_train"] = tuple(r for r in recordings if r != recording)
        for recording in recordings:
            unions[f"{recording}_test"] = (recording,)
        return RawDataset(
            clips=raw_clips,
            labels=LABELS,
            layout=get_layout("kinect-20-hip"),
            unions=unions,
            dropped={"listed without frames": without_frames} if without_frames else {},
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One action of a recording."""
        joints, frame_numbers = read_recording(raw_clip.path)
        start = raw_clip.facts["start"]
        stop = raw_clip.facts["stop"]
        inside = (frame_numbers >= start) & (frame_numbers <= stop)
        if not inside.any():
            raise UserError(
                f"{raw_clip.path!r} has no frame from {start} to {stop}, "
                f"where the list has {raw_clip.id!r}"
            )
        yield skeleton_record(raw_clip, joints[inside], frame_number=frame_numbers[inside])

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """The number of each frame in the recording."""
        return {"frame_number": compressed_tensor((None,), np.int32)}


def read_list(path: Path) -> list[tuple[str, str, str, str]]:
    """(recording, action, first frame, last frame) of every action of the list.

    Raises:
        UserError: A line is neither a recording nor an action with two frames; names the line.
    """
    actions: list[tuple[str, str, str, str]] = []
    recording = ""
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
                f"{str(path)!r}, line {number}: wanted s01_e01 or 'walk: 252 390', "
                f"found {text[:60]!r}"
            )
        action, start, stop = match.groups()
        if action not in LABELS:
            raise unknown(f"action in {str(path)!r}, line {number}:", action, LABELS)
        actions.append((recording, action, start, stop))
    if not actions:
        raise UserError(f"{str(path)!r} lists no actions")
    return actions


def read_recording(path: str) -> tuple[Float[np.ndarray, "t 1 20 3"], Int[np.ndarray, " t"]]:
    """Joints and frame numbers of a recording, sorted by frame number.

    A row is the frame number and x, y and z of each joint.
    """
    table = read_numbers(path, FIELDS)
    frame_numbers, rows = np.unique(table[:, 0].astype(np.int32), return_index=True)
    joints = table[rows, 1:].reshape(len(rows), 1, 20, 3).astype(np.float32)
    return joints, frame_numbers
