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

LABELS = (
    *(
        "brush_hair",
        "catch",
        "clap",
        "climb_stairs",
        "golf",
        "jump",
        "kick_ball",
        "pick",
        "pour",
        "pullup",
        "push",
    ),
    *(
        "run",
        "shoot_ball",
        "shoot_bow",
        "shoot_gun",
        "sit",
        "stand",
        "swing_baseball",
        "throw",
        "walk",
        "wave",
    ),
)
_LIST = re.compile(r"(.+)_test_split([123])\.txt")


class Jhmdb(SkeletonBuilder):
    """JHMDB: joints [t, 1, 15, 2] are the annotation's pos_world, (pixel - frame centre) / person
    scale, y down.

    The pixels (pos_img) are beside them. `split1_train` and `split1_test` are the first of the
    three official splits.
    """

    EXPECTS = "the folders joint_positions/<class>/<clip>/joint_positions.mat and the lists <class>_test_split{1,2,3}.txt"
    LICENCE = "annotations without stated terms; the clips are HMDB51's, CC BY 4.0"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per annotated clip; the cells are the flags of the three splits in a row."""
        flags = read_flags(raw, cls.EXPECTS)
        sources = []
        for path in matching_files(raw, "joint_positions.mat", cls.EXPECTS):
            action, clip = path.parts[-3:-1] if len(path.parts) >= 3 else ("", "")
            if action not in LABELS:
                raise unknown(f"class folder of {str(path)!r}:", action, LABELS)
            if clip not in flags:
                raise UserError(f"{str(path)!r}: the clip {clip!r} is in no split list")
            cell = "splits" + "".join(str(flags[clip].get(split, 0)) for split in (1, 2, 3))
            sources.append(RawClip(f"{action}/{clip}", str(path), cell, LABELS.index(action)))
        cells = sorted({source.cell for source in sources})
        return RawDataset(
            sources=sources,
            labels=LABELS,
            layout=get_layout("jhmdb-15"),
            channels=XY,
            unions={
                f"split{split}_{half}": tuple(cell for cell in cells if cell[5 + split] == flag)
                for split in (1, 2, 3)
                for half, flag in (("train", "1"), ("test", "2"))
            },
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One annotation file."""
        content = load_mat(source.path, "pos_world", "pos_img")
        world, pixels = content["pos_world"], content["pos_img"]
        for key, array in (("pos_world", world), ("pos_img", pixels)):
            if array.ndim != 3 or array.shape[:2] != (2, 15) or array.shape != world.shape:
                raise UserError(
                    f"{source.path!r}: {key} has the shape {array.shape}, wanted (2, 15, frames)"
                )
        scale = np.ravel(content.get("scale", np.zeros(world.shape[2])))
        if len(scale) != world.shape[2]:
            raise UserError(
                f"{source.path!r}: scale has {len(scale)} values, wanted one for each of {world.shape[2]} frames"
            )
        yield skeleton_record(
            source,
            world.transpose(2, 1, 0)[:, None],
            pixels=np.ascontiguousarray(pixels.transpose(2, 1, 0), np.float32),
            scale=scale.astype(np.float32),
            viewpoint=str(np.ravel(content.get("viewpoint", [""]))[0]),
        )

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Pixels, the person's scale per frame (0 where the file does not tell) and the camera's
        side ("" likewise).
        """
        return {
            "pixels": compressed_tensor((None, 15, 2), np.float32, "t v c: pixels of a 320x240 frame"),
            "scale": compressed_tensor((None,), np.float32),
            "viewpoint": tfds.features.Text(),
        }


def read_flags(raw: Path, expects: str) -> dict[str, dict[int, int]]:
    """Flag (1 train, 2 test) of every clip in every split."""
    flags: dict[str, dict[int, int]] = {}
    for path in matching_files(raw, "*_test_split[123].txt", expects):
        match = _LIST.fullmatch(path.name)
        if not match:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip():
                continue
            name, _, flag = line.strip().rpartition(" ")
            if flag not in ("0", "1", "2") or not name:
                raise UserError(
                    f"{str(path)!r}, line {number}: wanted '<clip>.avi <1 or 2>', found {line.strip()!r}"
                )
            flags.setdefault(name.strip().removesuffix(".avi"), {})[int(match[2])] = int(flag)
    return flags
