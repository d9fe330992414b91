"""HMDB51 (Kuehne et al., ICCV 2011): clips of 51 classes from films and the web, three official
splits.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxact.datasets.jhmdb import read_flags
from jaxact.datasets.preparation.builder import RawDataset, matching_files
from jaxact.datasets.preparation.video_builder import VideoBuilder, video_dataset, video_files
from jaxact.errors import UserError

HALVES = {1: "train", 2: "test"}  # 0 is unused
# <source>_<class>_<visible part>_<camera motion>_np<people>_<viewpoint>_<quality>_<number>
_NAME = re.compile(r"(.+)_[a-z]_[a-z]{2}_np\d+_[a-z]{2}_[a-z]{3}_\d+")


class Hmdb51(VideoBuilder):
    """HMDB51: JPEG frames; `official1_train` and `official1_test` are the first official split, 70
    and 30 of a class.

    A group is what the clips of one class and one film or video share. Classes are those of the
    lists, sorted.
    """

    EXPECTS = "the folders <class>/<clip>.avi and the lists <class>_test_split{1,2,3}.txt"
    LICENCE = "CC BY 4.0 by its owners; film and web sources"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip in a folder named after a class."""
        lists = matching_files(raw, "*_test_split[123].txt", cls.EXPECTS)
        names = sorted({path.name.rpartition("_test_split")[0] for path in lists})
        return found_by_flags(raw, names, cls.EXPECTS)


def found_by_flags(raw: Path, names: Sequence[str], expects: str) -> RawDataset:
    """What is found of a set whose lists flag each clip of a class 1 for training, 2 for test, or
    0.

    Args:
      raw: holds folders named after the classes, and the lists, at any depth.
      names: of the classes; videos in other folders are none of the set's.

    Raises:
      UserError: no clip, or one that is on no list.
    """
    flags = read_flags(raw, expects)
    paths = [path for path in video_files(raw, expects) if path.parent.name in names]
    if not paths:
        raise UserError(
            f"no video under {str(raw)!r} is in a folder named after a class; expected {expects}"
        )
    if unlisted := [path for path in paths if path.stem not in flags]:
        raise UserError(f"{str(unlisted[0])!r}: the clip {unlisted[0].stem!r} is in no split list")
    return video_dataset(
        ids=[f"{path.parent.name}/{path.stem}" for path in paths],
        paths=[str(path) for path in paths],
        labels=[names.index(path.parent.name) for path in paths],
        names=names,
        splits=[splits_of(flags[path.stem]) for path in paths],
        groups=[group_of(path.parent.name, path.stem) for path in paths],
        dropped={"listed, but without a file": len(flags.keys() - {path.stem for path in paths})},
    )


def splits_of(flags: Mapping[int, int]) -> tuple[str, ...]:
    """Names of the splits that a clip's flags (split -> flag) put it in."""
    return tuple(
        f"official{split}_{HALVES[flag]}" for split, flag in sorted(flags.items()) if flag in HALVES
    )


def group_of(action: str, clip: str) -> str:
    """The class and the film or video of a clip: brush_hair/April_09; a clip named otherwise is
    alone.
    """
    match = _NAME.fullmatch(clip)
    return f"{action}/{match[1].removesuffix(f'_{action}') if match else clip}"
