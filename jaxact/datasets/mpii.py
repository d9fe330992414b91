"""MPII Human Pose (Andriluka et al., CVPR 2014): people in 410 activities, sixteen joints.

Reads the JSON lists that most pose projects share, with {image, joints [16 2], joints_vis [16],
...} for each person. The MATLAB file of the authors is not supported.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record, matching_files
from jaxact.datasets.preparation.picture_builder import (
    CHANNELS,
    PictureBuilder,
    find_pictures,
    jpeg_size,
    picture_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import Layout

FIELDS = ("image", "joints", "joints_vis")
# fmt: off
LAYOUT = Layout.from_dict(
    {
        "name": "mpii-16",
        "joints": [
            "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
            "pelvis", "thorax", "neck", "head", "right_wrist", "right_elbow", "right_shoulder",
            "left_shoulder", "left_elbow", "left_wrist",
        ],
        "edges": [
            [0, 1], [1, 2], [2, 6], [5, 4], [4, 3], [3, 6], [6, 7], [8, 7], [9, 8],
            [10, 11], [11, 12], [12, 7], [15, 14], [14, 13], [13, 7],
        ],
        "centre": 7,
        "spine": [6, 7],
        "shoulders": [12, 13],
    }
)
# fmt: on


class Mpii(PictureBuilder):
    """MPII: the listed people of each picture, layout mpii-16 (`head` is its top).

    Every list is a split. Pictures also show people who are on no list; nothing states where.
    """

    EXPECTS = (
        "lists train.json, valid.json of {image, joints, joints_vis}, "
        "and the pictures that they name"
    )
    LICENCE = "Simplified BSD for the annotations; pictures from YouTube"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per picture of a list."""
        del layout
        raw_clips = []
        for path in matching_files(raw, "*.json", cls.EXPECTS):
            people_of_picture = _read(path)
            pictures = find_pictures(raw, list(people_of_picture), path)
            for name, people in people_of_picture.items():
                clip = f"{path.stem}/{Path(name).stem}"
                facts = {"people": people}
                raw_clips.append(RawClip(clip, str(pictures[name]), path.stem, 0, facts))
        cells = sorted({raw_clip.cell for raw_clip in raw_clips})
        unions = {cell: (cell,) for cell in cells}
        if "valid" in cells:
            unions["test"] = ("valid",)
        return RawDataset(
            clips=raw_clips, labels=("person",), layout=LAYOUT, channels=CHANNELS, unions=unions
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One picture."""
        image = Path(raw_clip.path).read_bytes()
        people = np.array(raw_clip.facts["people"], np.float64)
        people[..., :2] -= 0.5  # the lists count pixels from 1
        size = jpeg_size(image, raw_clip.path)
        yield picture_record(raw_clip.id, raw_clip.label, image, size, people)


def _read(path: Path) -> dict[str, list[Any]]:
    """Picture -> (x, y, visibility) of the joints of its people."""
    content = load_json(path)
    if not isinstance(content, list):
        content = [None]  # reported below as an entry that is not an object
    people: dict[str, list[Any]] = defaultdict(list)
    for number, person in enumerate(content):
        if not isinstance(person, dict) or any(name not in person for name in FIELDS):
            raise UserError(
                f"{str(path)!r}, entry {number}: wanted an object with {', '.join(FIELDS)}"
            )
        joints = np.array(person["joints"], np.float64)
        visible = np.array(person["joints_vis"], np.float64)
        if joints.shape != (16, 2) or visible.shape != (16,):
            raise UserError(
                f"{str(path)!r}, entry {number}: joints are {joints.shape} and {visible.shape}; "
                "wanted 16 of each"
            )
        visibility = np.where(visible > 0, 2, 0)
        people[person["image"]].append(np.column_stack([joints, visibility]).tolist())
    return dict(people)
