"""SBU Kinect Interaction (Yun et al., CVPR Workshops 2012): two people, eight interactions, five folds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxact.datasets.builder import Found, Record, SkeletonBuilder, Source, dense, listed, record
from jaxact.datasets.numbers import read_numbers
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

LABELS = (
    *("approaching", "departing", "kicking", "pushing"),
    *("shaking hands", "hugging", "exchanging object", "punching"),
)
FOLDS = (
    ("s01s02", "s03s04", "s05s02", "s06s04"),
    ("s02s03", "s02s07", "s03s05", "s05s03"),
    ("s01s03", "s01s07", "s07s01", "s07s03"),
    ("s02s01", "s02s06", "s03s02", "s03s06"),
    ("s04s02", "s04s03", "s04s06", "s06s02", "s06s03"),
)
FIELDS = 1 + 2 * 15 * 3


class Sbu(SkeletonBuilder):
    """SBU Kinect Interaction: joints [t, 2, 15, 3] as the files have them (x and y in 0..1, y down), layout kinect-15.

    In pixels x = 1280 - 2560 x and y = 960 - 1920 y, and in millimetres z = z * 10000 / 7.8125. `fold1_test` is the
    first of the authors' five folds, `fold1_train` the other four.
    """

    EXPECTS = "the files sXXsYY/<class 01 to 08>/<take>/skeleton_pos.txt"
    LICENCE = "unknown; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> Found:
        """One source per take; the cells are the folds."""
        fold_of = {pair: fold for fold, pairs in enumerate(FOLDS, 1) for pair in pairs}
        sources = []
        for path in listed(raw, "skeleton_pos.txt", cls.EXPECTS):
            pair, action, take = path.parts[-4:-1] if len(path.parts) >= 4 else ("", "", "")
            if pair not in fold_of:
                raise UserError(f"{str(path)!r}: {pair!r} is in none of the five folds; expected {cls.EXPECTS}")
            if not (action.isdigit() and 1 <= int(action) <= len(LABELS)):
                raise UserError(f"{str(path)!r}: class {action!r} is outside the list; SBU has 01 to 08")
            sources.append(Source(f"{pair}/{action}/{take}", str(path), f"fold{fold_of[pair]}", int(action) - 1))
        folds = [f"fold{number}" for number in range(1, 6)]
        return Found(
            sources=sources,
            labels=LABELS,
            layout=get_layout("kinect-15"),
            unions={
                **{f"{fold}_train": tuple(other for other in folds if other != fold) for fold in folds},
                **{f"{fold}_test": (fold,) for fold in folds},
            },
        )

    @staticmethod
    def parse(source: Source) -> Iterator[Record]:
        """One take."""
        joints, frames = read_rows(source.path)
        yield record(source, joints, frame_number=frames)

    @classmethod
    def extras(cls, found: Found) -> dict[str, Any]:
        """The number that the recording gave each frame; numbers may be skipped."""
        return {"frame_number": dense((None,), np.int32)}


def read_rows(path: str) -> tuple[Float[np.ndarray, "t 2 15 3"], Int[np.ndarray, " t"]]:
    """Joints and frame numbers of one file: rows of frame, person 1 and person 2, comma-separated.

    Raises:
      UserError: a row has another length or holds something else than numbers; names the line.
    """
    table = read_numbers(path, FIELDS, ",")
    return table[:, 1:].reshape(len(table), 2, 15, 3).astype(np.float32), table[:, 0].astype(np.int32)
