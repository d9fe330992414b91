"""`pyskl/NAME`: annotation pickles of pyskl and mmaction2.

One file: {"split": {name: [id, ...]}, "annotations": [{...}, ...]}; a clip may be in several splits
and keeps their names. Older files are the bare list of annotations, one file per split: a folder of
them is one set, and each split is called after its file. An annotation has `frame_dir` (older:
`filename`), `label`, `total_frames`, `keypoint` [m, t, v, c] and, where it was detected in
pictures, `keypoint_score` [m, t, v] and `img_shape` (height, width).

Classes are numbers, unless FILE.labels.txt beside FILE.pkl (labels.txt in a folder) names one per
line.
"""

import functools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float

from jaxact.datasets.formats import safe_pickle
from jaxact.datasets.formats.label_table import (
    USUAL_LAYOUTS,
    choose_layout,
    group_by_splits,
    parse_splits,
    read_class_names,
)
from jaxact.datasets.preparation.builder import (
    XY,
    XYZ,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    matching_files,
    skeleton_record,
)
from jaxact.errors import UserError

Annotation = Mapping[str, Any]


class Pyskl(SkeletonBuilder):
    """Annotations of pyskl and mmaction2: joints [t, m, v, c]; in pictures x and y in 0..1 of the
    frame, y down.

    Pixels are divided by the `img_shape` that comes with them and stay as they are where none does.
    A file is in memory whole, once.
    """

    EXPECTS = "one .pkl of {split, annotations}, or a folder of .pkl files that are lists of annotations, one per split"
    LICENCE = "that of the videos the poses were taken from"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per annotation."""
        files = matching_files(raw, "*.pkl", cls.EXPECTS) if raw.is_dir() else [raw]
        if files == [raw] and raw.suffix not in (".pkl", ".pickle"):
            raise UserError(f"{str(raw)!r} is no .pkl file; expected {cls.EXPECTS}")
        notes = [
            (str(file), index, note)
            for file in files
            for index, note in enumerate(annotations(str(file)))
        ]
        splits, lost = _splits(files)
        ids = [identity(note, path, index) for path, index, note in notes]
        labels = [
            _label(note, f"{path!r}, {clip!r}")
            for clip, (path, _, note) in zip(ids, notes, strict=True)
        ]
        first = next(
            (note for _, _, note in notes if isinstance(note.get("keypoint"), np.ndarray)),
            notes[0][2],
        )
        shape = shape_of(first, f"{notes[0][0]!r}, {first.get('frame_dir')!r}")
        chosen = choose_layout(layout, shape[2], USUAL_LAYOUTS)
        scored, shares = "keypoint_score" in first, shape[3] == 2 and bool(first.get("img_shape"))
        names = raw / "labels.txt" if raw.is_dir() else raw.with_suffix(".labels.txt")
        return group_by_splits(
            ids=ids,
            paths=[path for path, _, _ in notes],
            labels=labels,
            splits=[
                splits.get((path, clip), ()) for clip, (path, _, _) in zip(ids, notes, strict=True)
            ],
            names=read_class_names(names, labels),
            layout=chosen,
            channels=(XY if shape[3] == 2 else XYZ) + ("score",) * scored,
            facts=[{"index": index, "scored": scored, "shares": shares} for _, index, _ in notes],
            dropped={"listed in a split without an annotation": lost} if lost else {},
            single_process=True,
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One annotation."""
        note, facts = annotations(source.path)[source.facts["index"]], source.facts
        where = f"{source.path!r}, {source.id!r}"
        joints = read_joints(note, where, scored=facts["scored"], shares=facts["shares"])
        if joints.shape[2:] != (facts["joints"], facts["channels"]):
            raise UserError(
                f"{where}: {joints.shape[2]} joints of {joints.shape[3]} channels, wanted {facts['joints']} of "
                f"{facts['channels']} as in the first annotation"
            )
        size = note.get("img_shape") or (0, 0)
        yield skeleton_record(source, joints, image_size=np.array(size, np.int32))

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Height and width of the picture in pixels; zero where the file does not tell."""
        return {"image_size": tfds.features.Tensor(shape=(2,), dtype=np.int32)}


def _content(path: str) -> Any:
    return _loaded(path, os.stat(path).st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _loaded(path: str, changed: int) -> Any:
    del changed  # a file that is written anew is read anew
    return safe_pickle.load(path)


def annotations(path: str) -> list[Annotation]:
    """The annotations of a file of either form, or of one that is a single annotation.

    Raises:
      UserError: it holds something else.
    """
    content = _content(path)
    notes: Any = content.get("annotations") if isinstance(content, dict) else content
    notes = [content] if isinstance(content, dict) and "keypoint" in content else notes
    if (
        not isinstance(notes, list)
        or not notes
        or not all(isinstance(note, dict) for note in notes)
    ):
        given = (
            f"the keys {sorted(map(str, content))}"
            if isinstance(content, dict)
            else f"a {type(content).__name__}"
        )
        raise UserError(
            f"{path!r} holds {given}; wanted split and annotations, or a list of annotations"
        )
    return notes


def identity(note: Annotation, path: str, index: int) -> str:
    """What an annotation is called."""
    name = note.get("frame_dir") or note.get("filename")
    if not isinstance(name, str):
        raise UserError(
            f"{path!r}, annotation {index}: no frame_dir; it has {', '.join(map(str, note)) or 'nothing'}"
        )
    return name


def shape_of(note: Annotation, where: str) -> tuple[int, ...]:
    """The shape [m, t, v, c] of an annotation's keypoints.

    Raises:
      UserError: there are none, or they are no such array.
    """
    joints = note.get("keypoint")
    if joints is None and "raw_file" in note:
        raise UserError(
            f"{where}: its keypoints are in {str(note['raw_file'])!r}; files that point elsewhere are not read"
        )
    if not isinstance(joints, np.ndarray) or joints.ndim != 4 or joints.shape[3] not in (2, 3):
        given = (
            f"the shape {joints.shape}"
            if isinstance(joints, np.ndarray)
            else f"a {type(joints).__name__}"
        )
        raise UserError(f"{where}: keypoint is {given}, wanted [m, t, v, 2 or 3]")
    return joints.shape


def read_joints(
    note: Annotation, where: str, *, scored: bool, shares: bool
) -> Float[np.ndarray, "t m v c"]:
    """Joints of one annotation; one empty slot where it has nobody.

    Args:
      note: the annotation.
      where: its file and name, for complaints.
      scored: append keypoint_score as a channel.
      shares: divide x and y by the width and height of img_shape.

    Raises:
      UserError: an array is missing or does not fit the others.
    """
    people, frames, count, space = shape_of(note, where)
    joints = np.asarray(note["keypoint"]).astype(np.float32)
    total = note.get("total_frames", frames)
    if total != frames:
        raise UserError(f"{where}: total_frames is {total!r}, but keypoint has {frames} frames")
    if ("keypoint_score" in note) != scored or (
        space == 2 and bool(note.get("img_shape")) != shares
    ):
        raise UserError(
            f"{where}: keypoint_score or img_shape is there in some annotations and not in others"
        )
    if shares:
        size = note["img_shape"]
        if len(size) != 2 or not all(
            isinstance(side, int | np.integer) and side > 0 for side in size
        ):
            raise UserError(f"{where}: img_shape is {size!r}, wanted (height, width)")
        joints[..., :2] /= np.array([size[1], size[0]], np.float32)
    if scored:
        scores = np.asarray(note["keypoint_score"])
        if scores.shape != (people, frames, count):
            raise UserError(
                f"{where}: keypoint_score has the shape {scores.shape}, wanted {(people, frames, count)}"
            )
        joints = np.concatenate([joints, scores[..., None].astype(np.float32)], axis=-1)
    joints = joints.transpose(1, 0, 2, 3)
    return joints if people else np.zeros((frames, 1, count, joints.shape[3]), np.float32)


def _label(note: Annotation, where: str) -> int:
    label = note.get("label")
    if not isinstance(label, int | np.integer) or label < 0:
        raise UserError(f"{where}: label is {label!r}, wanted a number from 0")
    return int(label)


def _splits(files: list[Path]) -> tuple[dict[tuple[str, str], tuple[str, ...]], int]:
    """Names of the splits of every (file, clip), and the number of clips that are listed without an
    annotation.
    """
    found: dict[tuple[str, str], list[str]] = {}
    lost: set[str] = set()
    for file in files:
        content, path = _content(str(file)), str(file)
        present = {identity(note, path, index) for index, note in enumerate(annotations(path))}
        if isinstance(content, dict):
            lists = content.get("split")
            if not isinstance(lists, dict) or not all(
                isinstance(ids, list | tuple) for ids in lists.values()
            ):
                raise UserError(
                    f"{path!r}: split is a {type(lists).__name__}, wanted lists of clips by name"
                )
        else:
            lists = {re.sub(r"\W+", "_", file.stem): present}
        for split, ids in lists.items():
            parse_splits(str(split), path)
            lost |= set(ids) - present
            for clip in present.intersection(ids):
                found.setdefault((path, clip), []).append(str(split))
    return {key: tuple(sorted(names)) for key, names in found.items()}, len(lost)
