"""`pyskl/NAME`: annotation pickles of pyskl and mmaction2.

FILE.pkl           {"split": {name: [id, ...]}, "annotations": [{...}, ...]}; a clip may be in
                   several splits
FOLDER             of older files, each the bare list of annotations of one split, which has the
                   name of the file
FILE.labels.txt    optional: names of the classes, one per line (labels.txt in a folder); else they
                   are numbers

`jaxact.datasets.formats.pyskl_annotations` describes an annotation.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats.label_table import (
    USUAL_LAYOUTS,
    ListedClip,
    choose_layout,
    group_by_splits,
    parse_splits,
    read_class_names,
)
from jaxact.datasets.formats.pyskl_annotations import (
    Annotation,
    annotation_id,
    keypoint_shape,
    read_annotations,
    read_file,
    read_joints,
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


class Pyskl(SkeletonBuilder):
    """Annotations of pyskl and mmaction2: joints [t, m, v, c].

    x and y of 2-D poses are in 0..1 of the picture, y down: pixels divided by `img_shape`. Without
    an `img_shape` they stay pixels. The last file stays in memory as a whole.
    """

    EXPECTS = (
        "one .pkl of {split, annotations}, "
        "or a folder of .pkl files that are lists of annotations, one per split"
    )
    LICENCE = "that of the videos the poses were taken from"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per annotation."""
        if raw.is_dir():
            paths = [str(path) for path in matching_files(raw, "*.pkl", cls.EXPECTS)]
            name_file = raw / "labels.txt"
        elif raw.suffix in (".pkl", ".pickle"):
            paths = [str(raw)]
            name_file = raw.with_suffix(".labels.txt")
        else:
            raise UserError(f"{str(raw)!r} is not a .pkl file; expected {cls.EXPECTS}")
        first, where = _first_annotation(paths)
        *_, joints, space = keypoint_shape(first, where)
        scored = "keypoint_score" in first
        shares = space == 2 and bool(first.get("img_shape"))
        clips: list[ListedClip] = []
        not_annotated: set[str] = set()
        for path in paths:
            splits, absent = _read_splits(path)
            not_annotated |= absent
            for index, annotation in enumerate(read_annotations(path)):
                clip = annotation_id(annotation, path, index)
                clips.append(
                    ListedClip(
                        id=clip,
                        path=path,
                        label=_label(annotation, f"{path!r}, {clip!r}"),
                        splits=splits.get(clip, ()),
                        facts={"index": index, "scored": scored, "shares": shares},
                    )
                )
        dropped = {}
        if not_annotated:
            dropped["listed in a split without an annotation"] = len(not_annotated)
        channels = XY if space == 2 else XYZ
        if scored:
            channels = (*channels, "score")
        return group_by_splits(
            clips,
            names=read_class_names(name_file, [clip.label for clip in clips]),
            layout=choose_layout(layout, joints, USUAL_LAYOUTS),
            channels=channels,
            dropped=dropped,
            single_process=True,
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One annotation."""
        facts = raw_clip.facts
        annotation = read_annotations(raw_clip.path)[facts["index"]]
        where = f"{raw_clip.path!r}, {raw_clip.id!r}"
        joints = read_joints(annotation, where, scored=facts["scored"], shares=facts["shares"])
        if joints.shape[2:] != (facts["joints"], facts["channels"]):
            raise UserError(
                f"{where}: {joints.shape[2]} joints of {joints.shape[3]} channels, "
                f"wanted {facts['joints']} of {facts['channels']} as in the first annotation"
            )
        size = annotation.get("img_shape") or (0, 0)
        yield skeleton_record(raw_clip, joints, image_size=np.array(size, np.int32))

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Height and width of the picture in pixels; zero where the file does not state them."""
        return {"image_size": tfds.features.Tensor(shape=(2,), dtype=np.int32)}


def _first_annotation(paths: list[str]) -> tuple[Annotation, str]:
    """The first annotation with keypoints, or else the first one, and its name for errors."""
    for path in paths:
        for annotation in read_annotations(path):
            if isinstance(annotation.get("keypoint"), np.ndarray):
                return annotation, f"{path!r}, {annotation.get('frame_dir')!r}"
    annotation = read_annotations(paths[0])[0]
    return annotation, f"{paths[0]!r}, {annotation.get('frame_dir')!r}"


def _label(annotation: Annotation, where: str) -> int:
    label = annotation.get("label")
    if not isinstance(label, int | np.integer) or label < 0:
        raise UserError(f"{where}: label is {label!r}, wanted a number from 0")
    return int(label)


def _read_splits(path: str) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """The splits of each clip of a file, and the listed clips that have no annotation."""
    content = read_file(path)
    annotated = set()
    for index, annotation in enumerate(read_annotations(path)):
        annotated.add(annotation_id(annotation, path, index))
    if isinstance(content, dict):
        members = content.get("split")
        is_mapping = isinstance(members, dict)
        if not is_mapping or not all(isinstance(ids, list | tuple) for ids in members.values()):
            raise UserError(
                f"{path!r}: split is a {type(members).__name__}, wanted lists of clips by name"
            )
    else:
        members = {re.sub(r"\W+", "_", Path(path).stem): annotated}
    splits: dict[str, tuple[str, ...]] = {}
    absent: set[str] = set()
    for split in sorted(members, key=str):
        parse_splits(str(split), path)
        ids = set(members[split])
        absent |= ids - annotated
        for clip in annotated & ids:
            splits[clip] = (*splits.get(clip, ()), str(split))
    return splits, absent
