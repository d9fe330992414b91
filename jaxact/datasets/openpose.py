"""`openpose/NAME`: the JSON files that OpenPose writes, one per frame.

labels.csv                                  header `id,label,split`, as for custom sets
<id>/<any name>_<number>_keypoints.json     one folder per clip
<id>_<number>_keypoints.json                or all clips in the folder of the table
dataset.json                                optional: {"labels": [...],
                                            "image_size": [width, height]}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.formats.label_table import (
    ListedClip,
    choose_layout,
    find_table,
    group_by_splits,
    label_index,
    parse_splits,
    read_description,
    read_table,
    sort_labels,
)
from jaxact.datasets.formats.openpose_files import (
    LAYOUTS,
    count_joints,
    frame_files,
    read_people,
    stack_frames,
)
from jaxact.datasets.kinetics import MAX_FRAMES
from jaxact.datasets.preparation.builder import (
    XY_SCORE,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.errors import UserError


class Openpose(SkeletonBuilder):
    """Clips of OpenPose: joints [t, m, v, (x, y, score)], layout body-25 or openpose-18.

    People are in the order of each file, without identity over time. Frames count from the number
    of the first file; frames without a file are empty. With an `image_size`, x and y are divided by
    width and height. Without one they stay as OpenPose wrote them, by default in pixels. Hands and
    faces are left out.
    """

    EXPECTS = (
        "a labels.csv of id,label,split beside folders <id> of OpenPose's "
        "<name>_<number>_keypoints.json"
    )
    LICENCE = "yours to state"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per row of the table."""
        if not raw.is_dir():
            raise UserError(f"{str(raw)!r} is not a folder; expected {cls.EXPECTS}")
        table = find_table(raw, cls.EXPECTS)
        rows = read_table(table)
        description = read_description(raw, ("labels", "image_size"))
        size = _image_size(description.get("image_size"), str(raw / "dataset.json"))
        names = description.get("labels") or sort_labels(row["label"] for row in rows)
        files = {row["id"]: _listed_files(str(table), row["id"]) for row in rows}
        joints = count_joints(files.values(), layout, f"under {str(raw)!r}")
        clips = []
        for row in rows:
            where = f"{str(table)!r}, {row['id']!r}"
            modified = max(file.stat().st_mtime_ns for file in files[row["id"]].values())
            clips.append(
                ListedClip(
                    id=row["id"],
                    path=str(raw / row["id"]),
                    label=label_index(row["label"], names, where),
                    splits=parse_splits(row["split"], where),
                    facts={"table": str(table), "size": size, "changed": modified},
                )
            )
        return group_by_splits(
            clips,
            names=names,
            layout=choose_layout(layout, joints, LAYOUTS),
            channels=XY_SCORE,
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """All frames of one clip."""
        facts = raw_clip.facts
        frames = {}
        for number, file in _listed_files(facts["table"], raw_clip.id).items():
            frames[number] = read_people(load_json(file), str(file), facts["joints"])
        first, last = min(frames), max(frames)
        if last - first >= MAX_FRAMES:
            raise UserError(
                f"{raw_clip.path!r}: frames {first} to {last} are more than {MAX_FRAMES}"
            )
        joints = stack_frames(frames, facts["joints"])
        if facts["size"]:
            joints[..., :2] /= np.array(facts["size"], np.float32)
        yield skeleton_record(raw_clip, joints)


def _listed_files(table: str, clip: str) -> dict[int, Path]:
    """The files of a clip that a table lists, by frame number."""
    return frame_files(Path(table).parent, clip, f"{table!r} lists {clip!r}")


def _image_size(value: Any, where: str) -> tuple[int, int] | None:
    """Width and height from the field `image_size`; None without this field."""
    if value is None:
        return None
    is_pair = isinstance(value, list) and len(value) == 2
    if not is_pair or not all(isinstance(side, int) and side > 0 for side in value):
        raise UserError(f"{where!r}: image_size is {value!r}, wanted [width, height] in pixels")
    return value[0], value[1]
