"""HMDB51 (Kuehne et al., ICCV 2011): clips of 51 classes from films and the web, three splits."""

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
    """HMDB51: JPEG frames, 51 classes, three official splits.

    `official1_train` and `official1_test` are the first official split, with 70 and 30 clips per
    class. Clips of one class and one film or video are a group. Classes are those of the lists,
    sorted.
    """

    EXPECTS = "the folders <class>/<clip>.avi and the lists <class>_test_split{1,2,3}.txt"
    LICENCE = "CC BY 4.0 by its owners; film and web raw_clips"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip in a folder named after a class."""
        lists = matching_files(raw, "*_test_split[123].txt", cls.EXPECTS)
        names = sorted({path.name.rpartition("_test_split")[0] for path in lists})
        return dataset_from_flags(raw, names, cls.EXPECTS)


def dataset_from_flags(raw: Path, names: Sequence[str], expects: str) -> RawDataset:
    """The clips of a set whose lists flag each clip of a class 1 (train), 2 (test) or 0 (unused).

    Args:
        raw: Folder that holds folders named after the classes, and the lists, at any depth.
        names: Names of the classes; videos in other folders do not belong to the set.
        expects: What the folder should hold, for errors.

    Raises:
        UserError: There is no clip, or a clip is on no list.
    """
    flags = read_flags(raw, expects)
    paths = class_videos(raw, names, flags, expects)
    if not paths:
        raise UserError(
            f"no video under {str(raw)!r} is in a folder named after a class; expected {expects}"
        )
    clips = {path.stem for path in paths}
    return dataset_of_videos(
        paths, names, flags, dropped={"listed, but without a file": len(flags.keys() - clips)}
    )


def class_videos(
    raw: Path, names: Sequence[str], flags: Mapping[str, Mapping[int, int]], expects: str
) -> list[Path]:
    """The videos in folders named after a class.

    Args:
        raw: Folder that holds the folders of the classes.
        names: Names of the classes.
        flags: Clip -> split -> flag.
        expects: What the folder should hold, for errors.

    Raises:
        UserError: A video is on no list.
    """
    paths = [path for path in video_files(raw, expects) if path.parent.name in names]
    for path in paths:
        if path.stem not in flags:
            raise UserError(f"{str(path)!r}: the clip {path.stem!r} is in no split list")
    return paths


def dataset_of_videos(
    paths: Sequence[Path],
    names: Sequence[str],
    flags: Mapping[str, Mapping[int, int]],
    dropped: Mapping[str, int],
) -> RawDataset:
    """The set of these videos, with the official splits of their flags.

    Args:
        paths: Videos in folders named after their classes.
        names: Names of the classes.
        flags: Clip -> split -> flag.
        dropped: Reason -> number of clips that are left out.
    """
    return video_dataset(
        ids=[f"{path.parent.name}/{path.stem}" for path in paths],
        paths=[str(path) for path in paths],
        labels=[names.index(path.parent.name) for path in paths],
        names=names,
        splits=[_splits_from_flags(flags[path.stem]) for path in paths],
        groups=[group_of(path.parent.name, path.stem) for path in paths],
        dropped=dropped,
    )


def _splits_from_flags(flags: Mapping[int, int]) -> tuple[str, ...]:
    """Names of the splits of a clip from its flags (split -> flag)."""
    names = []
    for split, flag in sorted(flags.items()):
        if flag in HALVES:
            names.append(f"official{split}_{HALVES[flag]}")
    return tuple(names)


def group_of(action: str, clip: str) -> str:
    """The class and the film or video of a clip, e.g. brush_hair/April_09.

    A clip whose name has another form is a group of its own.
    """
    match = _NAME.fullmatch(clip)
    if not match:
        return f"{action}/{clip}"
    return f"{action}/{match[1].removesuffix(f'_{action}')}"
