"""Frames of JHMDB's clips (Jhuang et al., ICCV 2013) with the joints of the person who acts."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats import video_encoding, video_file
from jaxact.datasets.formats.matlab import load_mat
from jaxact.datasets.hmdb51 import class_videos, dataset_of_videos
from jaxact.datasets.jhmdb import LABELS, read_flags
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record
from jaxact.datasets.preparation.picture_builder import CHANNELS, PictureBuilder, picture_record
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

SIZE = (240, 320)  # height and width of every frame, pixels
ARRAYS = ("joints_px", "offset", "clip")


class JhmdbPose(PictureBuilder):
    """JHMDB frame by frame: joints in pixels, layout jhmdb-15, splits of `jhmdb_video`.

    Clips without joints are left out. One person of a picture is annotated; others are not. Joints
    that are annotated outside of the frame count as hidden.
    """

    EXPECTS = (
        "the clips <class>/<clip>.avi (or .mp4), the lists <class>_test_split{1,2,3}.txt, and the "
        "joints: joint_positions/<class>/<clip>/joint_positions.mat, or .npz files of "
        "joints_px [t 15 2], offset [n + 1] and clip [n]"
    )
    LICENCE = "clips cut from HMDB51, CC BY 4.0 by its owners; annotations without stated terms"
    CHUNK = 8

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip with joints in a folder named after a class."""
        del layout
        video_file.need_av()
        flags = read_flags(raw, cls.EXPECTS)
        joint_files = _find_joints(raw)
        paths = class_videos(raw, LABELS, flags, cls.EXPECTS)
        annotated = [path for path in paths if path.stem in joint_files]
        if not annotated:
            raise UserError(f"no clip under {str(raw)!r} has joints; expected {cls.EXPECTS}")
        videos = dataset_of_videos(
            annotated, LABELS, flags, dropped={"clips without joints": len(paths) - len(annotated)}
        )
        raw_clips = []
        for raw_clip in videos.clips:
            facts = joint_files[Path(raw_clip.path).stem]
            raw_clips.append(dataclasses.replace(raw_clip, facts=facts))
        return dataclasses.replace(
            videos,
            clips=raw_clips,
            layout=get_layout("jhmdb-15"),
            channels=CHANNELS,
            stored={"jpeg_quantiser": video_encoding.QUANTISER},
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """The frames of one clip."""
        joints = load_joints(**raw_clip.facts)
        clip = video_encoding.encode(raw_clip.path, short_side=min(SIZE))
        if (clip.height, clip.width) != SIZE:
            raise UserError(
                f"{raw_clip.path!r} is {clip.width} x {clip.height}, "
                f"but the joints are pixels of {SIZE[1]} x {SIZE[0]}"
            )
        # A clip may be longer than its joints; frames without joints are left out.
        if len(clip.frames) < len(joints):
            raise UserError(
                f"{raw_clip.path!r} has {len(clip.frames)} frames, but joints for {len(joints)}"
            )
        inside = ((joints >= 0) & (joints <= SIZE[::-1])).all(axis=-1, keepdims=True)
        people = np.concatenate([joints, np.where(inside, 2, 1)], axis=-1)
        for number, (frame, person) in enumerate(zip(clip.frames, people, strict=False)):
            name = f"{raw_clip.id}/{number:03d}"
            yield picture_record(name, raw_clip.label, frame, SIZE, person[None])


def _find_joints(raw: Path) -> dict[str, dict[str, object]]:
    """Clip -> the file of its joints and, in an .npz file, the rows."""
    joint_files: dict[str, dict[str, object]] = {}
    for path in sorted(raw.rglob("joint_positions.mat")):
        joint_files[path.parent.name] = {"path": str(path), "rows": None}
    for path in sorted(raw.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            if not set(ARRAYS) <= set(arrays.files):
                continue
            offset = arrays["offset"].tolist()
            clips = arrays["clip"].tolist()
            shape = arrays["joints_px"].shape
        if len(offset) != len(clips) + 1 or shape != (offset[-1], 15, 2):
            raise UserError(
                f"{str(path)!r} holds joints {shape} of {len(clips)} clips that end at row "
                f"{offset[-1]}; wanted joints_px [t 15 2], offset [n + 1] up to t, and clip [n]"
            )
        for index, clip in enumerate(clips):
            rows = (offset[index], offset[index + 1])
            joint_files.setdefault(clip, {"path": str(path), "rows": rows})
    return joint_files


def load_joints(path: str, rows: tuple[int, int] | None) -> Float[np.ndarray, "t 15 2"]:
    """Joints of one clip in pixels from the top left corner of the frame."""
    if rows is not None:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["joints_px"][slice(*rows)].astype(np.float64)
    pixels = load_mat(path, "pos_img")["pos_img"]
    if pixels.ndim != 3 or pixels.shape[:2] != (2, 15):
        raise UserError(f"{path!r}: pos_img has the shape {pixels.shape}, wanted (2, 15, frames)")
    # In MATLAB the centre of the first pixel is at 1.
    return pixels.transpose(2, 1, 0).astype(np.float64) - 0.5
