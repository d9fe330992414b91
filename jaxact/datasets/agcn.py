"""`agcn/NAME`: arrays of ST-GCN, 2s-AGCN and those after them: <split>_data_joint.npy with
<split>_label.pkl.

An array is [n, c, t, v, m], padded at the end to one length; the label file holds (names, labels).
labels.txt in the folder names the classes, one per line; else they are numbers.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxact.datasets.formats import safe_pickle
from jaxact.datasets.formats.joint_arrays import without_padding
from jaxact.datasets.formats.label_table import (
    IMAGE_LAYOUTS,
    USUAL_LAYOUTS,
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
    """Arrays in the form of 2s-AGCN: joints [t, m, v, c] without the empty frames that pad the end.

    Poses from pictures, which these arrays hold as shares of the frame minus 0.5, get the 0.5 back,
    as records have them; 2s-AGCN's own have y up, ST-GCN's y down. The array stays on disk: one
    clip is read at a time.
    """

    EXPECTS = (
        "a folder of <split>_data_joint.npy (or <split>_data.npy), each with its <split>_label.pkl"
    )
    LICENCE = "that of the data the arrays were made from"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per row of each array."""
        ids, paths, labels, splits, facts = [], [], [], [], []
        chosen, shape = None, (0, 0, 0)
        for path in matching_files(raw, "*.npy", cls.EXPECTS):
            ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
            if ending is None:
                continue
            array = open_array(str(path))
            if chosen is None:
                shape, chosen = (
                    (array.shape[1], *array.shape[3:]),
                    choose_layout(layout, array.shape[3], USUAL_LAYOUTS),
                )
            if (array.shape[1], *array.shape[3:]) != shape:
                raise UserError(
                    f"{str(path)!r} has the shape {array.shape}, but the one before {shape} as (c, v, m)"
                )
            split = parse_splits(path.name.removesuffix(ending), repr(str(path)))
            names, numbers = read_labels(
                path.with_name(f"{split[0]}_label.pkl"), len(array), repr(str(path))
            )
            ids, labels = ids + names, labels + numbers
            paths += [str(path)] * len(array)
            splits += [split] * len(array)
            facts += [{"index": index} for index in range(len(array))]
        if chosen is None:
            raise UserError(
                f"no array under {str(raw)!r} ends in {' or '.join(ENDINGS)}; expected {cls.EXPECTS}"
            )
        return group_by_splits(
            ids=ids,
            paths=paths,
            labels=labels,
            splits=splits,
            names=read_class_names(raw / "labels.txt", labels),
            layout=chosen,
            channels=choose_channels(None, chosen, shape[0]),
            facts=facts,
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One row."""
        clip = np.asarray(open_array(source.path)[source.facts["index"]], np.float32)
        joints = without_padding(clip.transpose(1, 3, 2, 0))
        if source.facts["layout"] in IMAGE_LAYOUTS and joints.shape[3] == 3:
            joints[..., :2] += np.float32(0.5) * (joints[..., 2:] != 0)
        yield skeleton_record(source, joints)


def open_array(path: str) -> np.ndarray:
    """An array [n, c, t, v, m] that stays on disk.

    Raises:
      UserError: no plain .npy of that shape.
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


def read_labels(path: Path, count: int, of: str) -> tuple[list[str], list[int]]:
    """Names and labels of `count` clips.

    Raises:
      UserError: there is no such file, or it holds something else than as many of both.
    """
    if not path.is_file():
        raise UserError(f"{of} has no {path.name!r} beside it")
    content = safe_pickle.load(str(path))
    if (
        not isinstance(content, tuple | list)
        or len(content) != 2
        or any(not hasattr(part, "__len__") for part in content)
    ):
        raise UserError(f"{str(path)!r} holds a {type(content).__name__}, wanted (names, labels)")
    names, labels = content
    if len(names) != count or len(labels) != count:
        raise UserError(
            f"{str(path)!r} has {len(names)} names and {len(labels)} labels, but {of} {count} clips"
        )
    for label in labels:
        if not isinstance(label, int | np.integer) or label < 0:
            raise UserError(f"{str(path)!r}: a label is {label!r}, wanted numbers from 0")
    return [str(name) for name in names], [int(label) for label in labels]
