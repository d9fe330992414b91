"""JHMDB (Jhuang et al., ICCV 2013): annotated 2-D joints of 928 clips, 21 classes, three splits."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats.matlab import load_mat
from jaxact.datasets.preparation.builder import (
    XY,
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
LABELS = (
    "brush_hair", "catch", "clap", "climb_stairs", "golf", "jump", "kick_ball", "pick", "pour",
    "pullup", "push", "run", "shoot_ball", "shoot_bow", "shoot_gun", "sit", "stand",
    "swing_baseball", "throw", "walk", "wave",
)
# fmt: on
SPLITS = (1, 2, 3)
_LIST = re.compile(r"(.+)_test_split([123])\.txt")


class Jhmdb(SkeletonBuilder):
    """JHMDB: joints [t, 1, 15, 2], (pixel - frame centre) / person scale, y down.

    The joints are the annotation's pos_world; its pixels (pos_img) are stored as well.
    `split1_train` and `split1_test` are the first of the three official splits.
    """

    EXPECTS = (
        "the folders joint_positions/<class>/<clip>/joint_positions.mat "
        "and the lists <class>_test_split{1,2,3}.txt"
    )
    LICENCE = "annotations without stated terms; the clips are HMDB51's, CC BY 4.0"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per annotated clip; a cell holds the clips with the same three flags."""
        flags = read_flags(raw, cls.EXPECTS)
        raw_clips = []
        for path in matching_files(raw, "joint_positions.mat", cls.EXPECTS):
            action, clip = path.parts[-3:-1] if len(path.parts) >= 3 else ("", "")
            if action not in LABELS:
                raise unknown(f"class folder of {str(path)!r}:", action, LABELS)
            if clip not in flags:
                raise UserError(f"{str(path)!r}: the clip {clip!r} is in no split list")
            clip_flags = flags[clip]
            cell = "splits" + "".join(str(clip_flags.get(split, 0)) for split in SPLITS)
            raw_clips.append(RawClip(f"{action}/{clip}", str(path), cell, LABELS.index(action)))
        cells = sorted({raw_clip.cell for raw_clip in raw_clips})
        unions = {}
        for split in SPLITS:
            for half, flag in (("train", "1"), ("test", "2")):
                digit = len("splits") + split - 1
                unions[f"split{split}_{half}"] = tuple(c for c in cells if c[digit] == flag)
        return RawDataset(
            clips=raw_clips,
            labels=LABELS,
            layout=get_layout("jhmdb-15"),
            channels=XY,
            unions=unions,
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One annotation file."""
        content = load_mat(raw_clip.path, "pos_world", "pos_img")
        world = content["pos_world"]
        pixels = content["pos_img"]
        for key, array in (("pos_world", world), ("pos_img", pixels)):
            if array.ndim != 3 or array.shape[:2] != (2, 15) or array.shape != world.shape:
                raise UserError(
                    f"{raw_clip.path!r}: {key} has the shape {array.shape}, wanted (2, 15, frames)"
                )
        frames = world.shape[2]
        scale = np.ravel(content.get("scale", np.zeros(frames)))
        if len(scale) != frames:
            raise UserError(
                f"{raw_clip.path!r}: scale has {len(scale)} values, "
                f"wanted one for each of {frames} frames"
            )
        yield skeleton_record(
            raw_clip,
            world.transpose(2, 1, 0)[:, None],
            pixels=np.ascontiguousarray(pixels.transpose(2, 1, 0), np.float32),
            scale=scale.astype(np.float32),
            viewpoint=str(np.ravel(content.get("viewpoint", [""]))[0]),
        )

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Pixels, scale of the person in each frame, and the side from which the camera looks.

        The scale is 0 and the side "" where the file does not state them.
        """
        return {
            "pixels": compressed_tensor(
                (None, 15, 2), np.float32, "t v c: pixels of a 320x240 frame"
            ),
            "scale": compressed_tensor((None,), np.float32),
            "viewpoint": tfds.features.Text(),
        }


def read_flags(raw: Path, expects: str) -> dict[str, dict[int, int]]:
    """Reads the split lists <class>_test_split{1,2,3}.txt.

    Args:
        raw: Folder that holds the lists at any depth.
        expects: What the folder should hold, for errors.

    Returns:
        Clip -> split -> flag: 1 train, 2 test, 0 unused.

    Raises:
        UserError: There is no list, or a line has another form; names the line.
    """
    flags: dict[str, dict[int, int]] = {}
    for path in matching_files(raw, "*_test_split[123].txt", expects):
        match = _LIST.fullmatch(path.name)
        if not match:
            continue
        split = int(match[2])
        for number, line in enumerate(path.read_text().splitlines(), 1):
            text = line.strip()
            if not text:
                continue
            name, _, flag = text.rpartition(" ")
            if flag not in ("0", "1", "2") or not name:
                raise UserError(
                    f"{str(path)!r}, line {number}: wanted '<clip>.avi <1 or 2>', found {text!r}"
                )
            clip = name.strip().removesuffix(".avi")
            flags.setdefault(clip, {})[split] = int(flag)
    return flags
