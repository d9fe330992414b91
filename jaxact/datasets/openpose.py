"""`openpose/NAME`: the JSON files that OpenPose writes, one per frame.

labels.csv                                  header `id,label,split`, as for custom sets
<id>/<any name>_<number>_keypoints.json     one folder per clip
<id>_<number>_keypoints.json                or all clips in the folder of the table
dataset.json                                optional: {"labels": [...], "image_size": [width, height]}
"""

import glob
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.formats.label_table import (
    choose_layout,
    find_table,
    group_by_splits,
    label_index,
    parse_splits,
    read_description,
    read_table,
    sort_labels,
)
from jaxact.datasets.kinetics import LONGEST
from jaxact.datasets.preparation.builder import (
    XY_SCORE,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

LAYOUTS = {18: "openpose-18", 25: "body-25"}
POSES = ("pose_keypoints_2d", "pose_keypoints")  # the second up to OpenPose 1.1
_FRAME = re.compile(r"(.+)_(\d+)_keypoints\.json")


class Openpose(SkeletonBuilder):
    """Clips of OpenPose: joints [t, m, v, (x, y, score)], layout body-25 or openpose-18.

    People are in the order of each file, without identity over time; frames count from the first
    file's number, and those without a file are empty. With an `image_size`, x and y are divided by
    width and height; without one they stay as OpenPose wrote them, pixels unless it was told
    otherwise. Hands and faces are left out.
    """

    EXPECTS = "a labels.csv of id,label,split beside folders <id> of OpenPose's <name>_<number>_keypoints.json"
    LICENCE = "yours to state"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per row of the table."""
        if not raw.is_dir():
            raise UserError(f"{str(raw)!r} is no folder; expected {cls.EXPECTS}")
        table = find_table(raw, cls.EXPECTS)
        rows = read_table(table)
        about = read_description(raw, ("labels", "image_size"))
        size = _image_size(about.get("image_size"), str(raw / "dataset.json"))
        names = about.get("labels") or sort_labels(row["label"] for row in rows)
        clips = {row["id"]: frame_files(raw, row["id"], _listed(table, row["id"])) for row in rows}
        joints = first_joints(clips.values(), layout, f"under {str(raw)!r}")
        chosen = choose_layout(layout, joints, LAYOUTS)
        return group_by_splits(
            ids=[row["id"] for row in rows],
            paths=[str(raw / row["id"]) for row in rows],
            labels=[
                label_index(row["label"], names, f"{str(table)!r}, {row['id']!r}") for row in rows
            ],
            splits=[parse_splits(row["split"], f"{str(table)!r}, {row['id']!r}") for row in rows],
            names=names,
            layout=chosen,
            channels=XY_SCORE,
            facts=[
                {
                    "table": str(table),
                    "size": size,
                    "changed": max(f.stat().st_mtime_ns for f in clips[row["id"]].values()),
                }
                for row in rows
            ],
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """All frames of one clip."""
        place, facts = Path(source.path), source.facts
        files = frame_files(
            Path(facts["table"]).parent, source.id, _listed(facts["table"], source.id)
        )
        people = {
            number: read_people(load_json(file), str(file), facts["joints"])
            for number, file in files.items()
        }
        first, last = min(people), max(people)
        if last - first >= LONGEST:
            raise UserError(f"{str(place)!r}: frames {first} to {last} are more than {LONGEST}")
        most = max(map(len, people.values())) or 1
        joints = np.zeros((last - first + 1, most, facts["joints"], 3), np.float32)
        for number, found in people.items():
            joints[number - first, : len(found)] = found
        if facts["size"]:
            joints[..., :2] /= np.array(facts["size"], np.float32)
        yield skeleton_record(source, joints)


def frame_files(raw: Path, clip: str, why: str) -> dict[int, Path]:
    """Files of a clip by their frame's number.

    Args:
      raw: folder that they, or their folder, are in.
      clip: its name.
      why: what makes one expect them, the beginning of a complaint.

    Raises:
      UserError: there are none, or those of two clips are in one folder.
    """
    folder = raw / clip
    inside = folder.is_dir()
    files = sorted(
        folder.glob("*_keypoints.json")
        if inside
        else raw.glob(f"{glob.escape(clip)}_*_keypoints.json")
    )
    found: dict[int, Path] = {}
    stem = "" if inside else clip
    for file in files:
        match = _FRAME.fullmatch(file.name)
        if not match or (not inside and match[1] != stem):
            continue
        if stem and match[1] != stem:
            raise UserError(
                f"{str(folder)!r} has frames of two clips, {stem!r} and {match[1]!r}; wanted a folder for each"
            )
        stem = match[1]
        found[int(match[2])] = file
    if not found:
        raise UserError(
            f"{why}, but {str(raw)!r} has no frames {clip}/<name>_<number>_keypoints.json or "
            f"{clip}_<number>_keypoints.json"
        )
    return found


def read_people(content: Any, path: str, joints: int) -> Float[np.ndarray, "m v 3"]:
    """Everybody in one frame, in the order of the file.

    Raises:
      UserError: it is no frame of OpenPose, or its poses have another number of joints.
    """
    people = content.get("people") if isinstance(content, Mapping) else None
    if not isinstance(people, list):
        raise UserError(f"{path!r} has no list of people; wanted a frame of OpenPose")
    found = np.zeros((len(people), joints, 3), np.float32)
    for slot, person in enumerate(people):
        pose = _pose(person)
        if pose is None:
            raise UserError(f"{path!r}: people[{slot}] has no {POSES[0]}")
        if len(pose) != 3 * joints:
            raise UserError(
                f"{path!r}: people[{slot}] has {len(pose)} numbers, wanted {3 * joints}: x, y, score"
            )
        try:
            found[slot] = np.array(pose, np.float32).reshape(joints, 3)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{path!r}: people[{slot}] holds something that is not a number"
            ) from error
    return found


def _pose(person: Any) -> Sequence | None:
    poses = (person.get(key) for key in POSES) if isinstance(person, Mapping) else ()
    return next((pose for pose in poses if isinstance(pose, list)), None)


def first_joints(clips: Iterable[Mapping[int, Path]], layout: str | None, where: str) -> int:
    """Joints of the first person in any clip; those of `layout` where there is nobody.

    Raises:
      UserError: nobody and no layout.
    """
    for files in clips:
        for file in files.values():
            content = load_json(file)
            people = content.get("people") if isinstance(content, Mapping) else None
            if people and isinstance(people, list) and (pose := _pose(people[0])):
                return len(pose) // 3
    if layout:
        return len(get_layout(layout).joints)
    raise UserError(
        f"nobody is in any frame {where}; name the joints (--layout body-25 or openpose-18)"
    )


def _listed(table: str | Path, clip: str) -> str:
    return f"{str(table)!r} lists {clip!r}"


def _image_size(given: Any, where: str) -> tuple[int, int] | None:
    if given is None:
        return None
    if (
        not isinstance(given, list)
        or len(given) != 2
        or not all(isinstance(side, int) and side > 0 for side in given)
    ):
        raise UserError(f"{where!r}: image_size is {given!r}, wanted [width, height] in pixels")
    return given[0], given[1]
