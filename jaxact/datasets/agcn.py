"""`agcn/NAME`: arrays in the format of ST-GCN and 2s-AGCN.

<split>_data_joint.npy    or <split>_data.npy: an array [n, c, t, v, m], padded at the end
<split>_label.pkl         (names, labels) of the clips
labels.txt                optional: names of the classes, one per line; else they are numbers
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxact.datasets.formats import safe_pickle
from jaxact.datasets.formats.joint_arrays import without_padding
from jaxact.datasets.formats.label_table import (
    IMAGE_LAYOUTS,
    USUAL_LAYOUTS,
    ListedClip,
    choose_channels,
    choose_layout,
    group_by_splits,
    parse_splits,
    read_class_names,
)
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    matching_files,
    skeleton_record,
)
from jaxact.errors import UserError

ENDINGS = ("_data_joint.npy", "_data.npy")


class Agcn(SkeletonBuilder):
    """Arrays in the format of 2s-AGCN: joints [t, m, v, c] without the empty frames at the end.

    2-D poses, which these arrays hold in 0..1 of the image minus 0.5, get the 0.5 back, as in other
    prepared sets. y points up in arrays of 2s-AGCN and down in those of ST-GCN. The array stays on
    disk; one clip is read at a time.
    """

    EXPECTS = (
        "a folder of <split>_data_joint.npy (or <split>_data.npy), each with its <split>_label.pkl"
    )
    LICENCE = "that of the data the arrays were made from"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per row of each array."""
        clips: list[ListedClip] = []
        first_shape: tuple[int, ...] | None = None
        for path in matching_files(raw, "*.npy", cls.EXPECTS):
            stem = _split_of(path.name)
            if stem is None:
                continue
            array = open_array(str(path))
            shape = (array.shape[1], *array.shape[3:])
            first_shape = first_shape or shape
            if shape != first_shape:
                raise UserError(
                    f"{str(path)!r} has the shape {array.shape}, "
                    f"but the one before {first_shape} as (c, v, m)"
                )
            splits = parse_splits(stem, repr(str(path)))
            label_file = path.with_name(f"{splits[0]}_label.pkl")
            names, labels = read_labels(label_file, len(array), repr(str(path)))
            for index, (name, label) in enumerate(zip(names, labels, strict=True)):
                facts = {"index": index}
                clips.append(
                    ListedClip(id=name, path=str(path), label=label, splits=splits, facts=facts)
                )
        if first_shape is None:
            raise UserError(
                f"no array under {str(raw)!r} ends in {' or '.join(ENDINGS)}; "
                f"expected {cls.EXPECTS}"
            )
        channels, joints, _ = first_shape
        joint_layout = choose_layout(layout, joints, USUAL_LAYOUTS)
        return group_by_splits(
            clips,
            names=read_class_names(raw / "labels.txt", [clip.label for clip in clips]),
            layout=joint_layout,
            channels=choose_channels(None, joint_layout, channels),
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One row."""
        clip = np.asarray(open_array(raw_clip.path)[raw_clip.facts["index"]], np.float32)
        joints = without_padding(clip.transpose(1, 3, 2, 0))
        if raw_clip.facts["layout"] in IMAGE_LAYOUTS and joints.shape[3] == 3:
            joints[..., :2] += np.float32(0.5) * (joints[..., 2:] != 0)
        yield skeleton_record(raw_clip, joints)


def _split_of(file_name: str) -> str | None:
    """The split that an array's file name states; None for other files."""
    for ending in ENDINGS:
        if file_name.endswith(ending):
            return file_name.removesuffix(ending)
    return None


def open_array(path: str) -> np.ndarray:
    """An array [n, c, t, v, m] that stays on disk.

    Raises:
        UserError: The file is not an .npy of numbers of this shape.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UserError(f"{path!r} is not a readable .npy of plain numbers: {error}") from error
    if array.ndim != 5 or 0 in array.shape or not np.issubdtype(array.dtype, np.floating):
        raise UserError(
            f"{path!r} is {array.dtype} of the shape {array.shape}, wanted numbers [n, c, t, v, m]"
        )
    return array


def read_labels(path: Path, count: int, array: str) -> tuple[list[str], list[int]]:
    """Names and labels of the clips of an array.

    Args:
        path: The label file.
        count: Number of clips of the array.
        array: Name of the array, for errors.

    Raises:
        UserError: The file does not exist, or does not hold `count` names and labels.
    """
    if not path.is_file():
        raise UserError(f"{array} has no {path.name!r} beside it")
    content = safe_pickle.load(str(path))
    is_pair = isinstance(content, tuple | list) and len(content) == 2
    if not is_pair or not all(hasattr(part, "__len__") for part in content):
        raise UserError(f"{str(path)!r} holds a {type(content).__name__}, wanted (names, labels)")
    names, labels = content
    if len(names) != count or len(labels) != count:
        raise UserError(
            f"{str(path)!r} has {len(names)} names and {len(labels)} labels, "
            f"but {array} {count} clips"
        )
    for label in labels:
        if not isinstance(label, int | np.integer) or label < 0:
            raise UserError(f"{str(path)!r}: a label is {label!r}, wanted numbers from 0")
    return [str(name) for name in names], [int(label) for label in labels]
