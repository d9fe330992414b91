"""UCF101 (Soomro, Zamir and Shah, 2012): 13 320 clips, 101 classes, three official splits.

Each class has 25 groups.
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

    Clips of one recording are a group: v_ApplyEyeMakeup_g08. Folders and files of one class are
    spelt differently (HandstandPushups, v_HandStandPushups_...), and some copies differ again.
    Names are therefore matched without case, and ids are spelt as in the lists.
    """

    EXPECTS = (
        "the clips v_<class>_g<group>_c<clip>.avi and the lists classInd.txt, "
        "trainlist0{1,2,3}.txt and testlist0{1,2,3}.txt"
    )
    LICENCE = "unknown; clips from YouTube, for research"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip of the lists."""
        names = class_names(matching_files(raw, "classInd.txt", cls.EXPECTS)[0])
        label_of_name = {name.casefold(): label for label, name in enumerate(names)}
        listed_ids, splits_of_clip = _read_splits(raw, cls.EXPECTS)
        ids, paths, labels, splits, groups = [], [], [], [], []
        for path in video_files(raw, cls.EXPECTS):
            match = CLIP.fullmatch(path.stem)
            if not match:
                raise UserError(f"{str(path)!r} is not named v_<class>_g<group>_c<clip>")
            action = match["action"]
            if action.casefold() not in label_of_name:
                raise unknown(f"class of {str(path)!r}:", action, names)
            key = path.stem.casefold()
            if key not in listed_ids:
                raise UserError(f"{str(path)!r}: the clip is on no list of training or test clips")
            clip = listed_ids[key]
            ids.append(clip)
            paths.append(str(path))
            labels.append(label_of_name[action.casefold()])
            splits.append(splits_of_clip[key])
            groups.append(clip.rpartition("_")[0])
        without_file = listed_ids.keys() - {clip.casefold() for clip in ids}
        return video_dataset(
            ids=ids,
            paths=paths,
            labels=labels,
            names=names,
            splits=splits,
            groups=groups,
            dropped={"listed, but without a file": len(without_file)},
        )


def _read_splits(raw: Path, expects: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Reads the six lists.

    Returns:
        Two dictionaries whose keys are names of clips in lower case: the name as the first list
        spells it, and the splits.
    """
    ids: dict[str, str] = {}
    splits: dict[str, tuple[str, ...]] = {}
    for number, half in LISTS:
        path = matching_files(raw, f"{half}list0{number}.txt", expects)[0]
        for clip in read_clip_list(path):
            key = clip.casefold()
            ids.setdefault(key, clip)
            splits[key] = (*splits.get(key, ()), f"official{number}_{half}")
    return ids, splits


def class_names(path: Path) -> tuple[str, ...]:
    """Class names from lines `<number> <name>`, numbered from 1; empty lines are skipped.

    Raises:
        UserError: A line has another form, or the numbers are not 1, 2, 3 ...
    """
    names: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text:
            continue
        number, _, name = text.partition(" ")
        expected = len(names) + 1
        if number != str(expected) or not name.strip():
            raise UserError(
                f"{str(path)!r}, line {expected}: wanted '{expected} <class>', found {text!r}"
            )
        names.append(name.strip())
    return tuple(names)


def read_clip_list(path: Path) -> list[str]:
    """Names of the clips of a list.

    A line is `<class>/<clip>.avi`; in training lists the number of the class follows and is
    ignored.
    """
    clips = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words:
            clips.append(words[0].rpartition("/")[2].removesuffix(".avi"))
    return clips
