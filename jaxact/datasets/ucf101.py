"""UCF101 (Soomro, Zamir and Shah, 2012): 13 320 clips of 101 classes, 25 groups a class, three
official splits.
"""

import re
from pathlib import Path

from jaxact.datasets.preparation.builder import RawDataset, matching_files
from jaxact.datasets.preparation.video_builder import VideoBuilder, video_dataset, video_files
from jaxact.errors import UserError, unknown

CLIP = re.compile(r"v_(?P<action>\w+)_g(?P<group>\d+)_c\d+")
LISTS = tuple((number, half) for number in (1, 2, 3) for half in ("train", "test"))


class Ucf101(VideoBuilder, skip_registration=True):  # TFDS has a set of this name
    """UCF101: JPEG frames; `official1_train` and `official1_test` are the first official split.

    A group is what the clips of one recording share: v_ApplyEyeMakeup_g08. Folders and files of one
    class are spelt differently (HandstandPushups, v_HandStandPushups_...), and differently again in
    some copies: names are matched without regard to case, and an id is spelt as the lists have it.
    """

    EXPECTS = (
        "the clips v_<class>_g<group>_c<clip>.avi and the lists classInd.txt, trainlist0{1,2,3}.txt and "
        "testlist0{1,2,3}.txt"
    )
    LICENCE = "unknown; clips from YouTube, for research"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip that is on a list."""
        names = class_names(matching_files(raw, "classInd.txt", cls.EXPECTS)[0])
        classes = {name.casefold(): label for label, name in enumerate(names)}
        spelt: dict[str, str] = {}
        splits: dict[str, tuple[str, ...]] = {}
        for number, half in LISTS:
            for clip in listed_clips(matching_files(raw, f"{half}list0{number}.txt", cls.EXPECTS)[0]):
                key = clip.casefold()
                spelt.setdefault(key, clip)
                splits[key] = (*splits.get(key, ()), f"official{number}_{half}")
        paths = {path: path.stem.casefold() for path in video_files(raw, cls.EXPECTS)}
        labels, groups = [], []
        for path, key in paths.items():
            match = CLIP.fullmatch(path.stem)
            if not match:
                raise UserError(f"{str(path)!r} is not named v_<class>_g<group>_c<clip>")
            if match["action"].casefold() not in classes:
                raise unknown(f"class of {str(path)!r}:", match["action"], names)
            if key not in splits:
                raise UserError(f"{str(path)!r}: the clip is on no list of training or test clips")
            labels.append(classes[match["action"].casefold()])
            groups.append(spelt[key].rpartition("_")[0])
        return video_dataset(
            ids=[spelt[key] for key in paths.values()],
            paths=[str(path) for path in paths],
            labels=labels,
            names=names,
            splits=[splits[key] for key in paths.values()],
            groups=groups,
            dropped={"listed, but without a file": len(splits.keys() - set(paths.values()))},
        )


def class_names(path: Path) -> tuple[str, ...]:
    """Class names from lines `<number> <name>`, numbered from 1.

    Raises:
      UserError: a line is not of this form, or numbers are not 1, 2, 3 ...
    """
    names = []
    for number, line in enumerate(
        filter(str.strip, path.read_text(encoding="utf-8").splitlines()), 1
    ):
        told, _, name = line.strip().partition(" ")
        if told != str(number) or not name.strip():
            raise UserError(
                f"{str(path)!r}, line {number}: wanted '{number} <class>', found {line.strip()!r}"
            )
        names.append(name.strip())
    return tuple(names)


def listed_clips(path: Path) -> list[str]:
    """Clips of a list, lines `<class>/<clip>.avi` and, in training, a number of the class, which
    the name tells too.
    """
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [line[0].rpartition("/")[2].removesuffix(".avi") for line in lines if line]
