"""The frames of JHMDB's clips (Jhuang et al., ICCV 2013) with the fifteen joints of the person who
acts in them.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats import video_encoding, video_file
from jaxact.datasets.formats.matlab import load_mat
from jaxact.datasets.hmdb51 import group_of, splits_of
from jaxact.datasets.jhmdb import LABELS, read_flags
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record
from jaxact.datasets.preparation.picture_builder import CHANNELS, PictureBuilder, picture_record
from jaxact.datasets.preparation.video_builder import video_dataset, video_files
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

SIZE = (240, 320)  # height and width of every frame, pixels
ARRAYS = ("joints_px", "offset", "clip")


class JhmdbPose(PictureBuilder):
    """JHMDB, picture by picture: joints in pixels, layout jhmdb-15; splits are those of the set
    `jhmdb_video`.

    Clips without joints are left out. One person is marked; others in the picture are not. Joints
    that were marked beyond the frame count as hidden.
    """

    EXPECTS = (
        "the clips <class>/<clip>.avi (or .mp4), the lists <class>_test_split{1,2,3}.txt, and the joints: "
        "joint_positions/<class>/<clip>/joint_positions.mat, or .npz files of joints_px [t 15 2], offset [n + 1] and "
        "clip [n]"
    )
    LICENCE = "clips cut from HMDB51, CC BY 4.0 by its owners; annotations without stated terms"
    CHUNK = 8

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip that has joints, in a folder named after a class."""
        del layout
        video_file.need_av()
        flags, joints = read_flags(raw, cls.EXPECTS), _joints_under(raw)
        paths = [path for path in video_files(raw, cls.EXPECTS) if path.parent.name in LABELS]
        if unlisted := [path for path in paths if path.stem not in flags]:
            raise UserError(
                f"{str(unlisted[0])!r}: the clip {unlisted[0].stem!r} is in no split list"
            )
        marked = [path for path in paths if path.stem in joints]
        if not marked:
            raise UserError(f"no clip under {str(raw)!r} has joints; expected {cls.EXPECTS}")
        found = video_dataset(
            ids=[f"{path.parent.name}/{path.stem}" for path in marked],
            paths=[str(path) for path in marked],
            labels=[LABELS.index(path.parent.name) for path in marked],
            names=LABELS,
            splits=[splits_of(flags[path.stem]) for path in marked],
            groups=[group_of(path.parent.name, path.stem) for path in marked],
            dropped={"clips without joints": len(paths) - len(marked)},
        )
        sources = [
            dataclasses.replace(source, facts=joints[Path(source.path).stem])
            for source in found.sources
        ]
        stored = {"jpeg_quantiser": video_encoding.QUANTISER}
        shown = get_layout("jhmdb-15")
        return dataclasses.replace(
            found, sources=sources, layout=shown, channels=CHANNELS, stored=stored
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """The frames of one clip."""
        joints = _joints(**source.facts)
        clip = video_encoding.encode(source.path, short_side=min(SIZE))
        if (clip.height, clip.width) != SIZE:
            raise UserError(
                f"{source.path!r} is {clip.width} x {clip.height}, but the joints are pixels of {SIZE[1]} x {SIZE[0]}"
            )
        # A clip may be longer than its joints; frames without any are left out.
        if len(clip.frames) < len(joints):
            raise UserError(
                f"{source.path!r} has {len(clip.frames)} frames, but joints for {len(joints)}"
            )
        inside = ((joints >= 0) & (joints <= SIZE[::-1])).all(axis=-1, keepdims=True)
        people = np.concatenate([joints, np.where(inside, 2, 1)], axis=-1)
        for number, (frame, person) in enumerate(zip(clip.frames, people, strict=False)):
            yield picture_record(f"{source.id}/{number:03d}", source.label, frame, SIZE, person[None])


def _joints_under(raw: Path) -> dict[str, dict[str, object]]:
    """Clip -> where its joints are: a file and, of an .npz file, the rows."""
    found: dict[str, dict[str, object]] = {
        path.parent.name: {"path": str(path), "rows": None}
        for path in sorted(raw.rglob("joint_positions.mat"))
    }
    for path in sorted(raw.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as held:
            if not set(ARRAYS) <= set(held.files):
                continue
            ends, clips, frames = (
                held["offset"].tolist(),
                held["clip"].tolist(),
                held["joints_px"].shape,
            )
        if len(ends) != len(clips) + 1 or frames != (ends[-1], 15, 2):
            raise UserError(
                f"{str(path)!r} holds joints {frames} of {len(clips)} clips that end at row {ends[-1]}; wanted "
                "joints_px [t 15 2], offset [n + 1] up to t, and clip [n]"
            )
        for clip, start, end in zip(clips, ends[:-1], ends[1:], strict=True):
            found.setdefault(clip, {"path": str(path), "rows": (start, end)})
    return found


def _joints(path: str, rows: tuple[int, int] | None) -> Float[np.ndarray, "t 15 2"]:
    """Pixels of one clip's joints, from the frame's top left corner."""
    if rows is not None:
        with np.load(path, allow_pickle=False) as held:
            return held["joints_px"][slice(*rows)].astype(np.float64)
    pixels = load_mat(path, "pos_img")["pos_img"]
    if pixels.ndim != 3 or pixels.shape[:2] != (2, 15):
        raise UserError(f"{path!r}: pos_img has the shape {pixels.shape}, wanted (2, 15, frames)")
    return (
        pixels.transpose(2, 1, 0).astype(np.float64) - 0.5
    )  # MATLAB's first pixel has its middle at 1
