"""MPII Human Pose (Andriluka et al., CVPR 2014): people in pictures of 410 activities, sixteen
joints.

Read from the JSON lists that most pose projects share, {image, joints [16 2], joints_vis [16], ...}
for each person; the set's own MATLAB file is not read.
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
LAYOUT = Layout.from_dict(
    {
        "name": "mpii-16",
        "joints": [
            *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
            *("pelvis", "thorax", "neck", "head"),
            *(
                "right_wrist",
                "right_elbow",
                "right_shoulder",
                "left_shoulder",
                "left_elbow",
                "left_wrist",
            ),
        ],
        "edges": [
            *([0, 1], [1, 2], [2, 6], [5, 4], [4, 3], [3, 6], [6, 7], [8, 7], [9, 8]),
            *([10, 11], [11, 12], [12, 7], [15, 14], [14, 13], [13, 7]),
        ],
        "centre": 7,
        "spine": [6, 7],
        "shoulders": [12, 13],
    }
)


class Mpii(PictureBuilder):
    """MPII: the people of each picture that are on a list, layout mpii-16, `head` its top; a split
    for every list.

    People who are on no list are in the pictures too, and nothing tells where.
    """

    EXPECTS = "lists train.json, valid.json of {image, joints, joints_vis}, and the pictures that they name"
    LICENCE = "Simplified BSD for the annotations; pictures from YouTube"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per picture of a list."""
        del layout
        sources = []
        for path in matching_files(raw, "*.json", cls.EXPECTS):
            people = _read(path)
            lying = find_pictures(raw, list(people), path)
            for name, marked in people.items():
                facts = {"people": marked}
                sources.append(
                    RawClip(f"{path.stem}/{Path(name).stem}", str(lying[name]), path.stem, 0, facts)
                )
        cells = {source.cell for source in sources}
        unions = {cell: (cell,) for cell in sorted(cells)} | (
            {"test": ("valid",)} if "valid" in cells else {}
        )
        return RawDataset(
            sources=sources, labels=("person",), layout=LAYOUT, channels=CHANNELS, unions=unions
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One picture."""
        image = Path(source.path).read_bytes()
        people = np.array(source.facts["people"], np.float64)
        people[..., :2] -= 0.5  # the lists count pixels from 1
        yield picture_record(source.id, source.label, image, jpeg_size(image, source.path), people)


def _read(path: Path) -> dict[str, list[Any]]:
    """Picture -> (x, y, seen) of its people's joints."""
    content, people = load_json(path), defaultdict(list)
    for number, one in enumerate(content if isinstance(content, list) else [None]):
        if not isinstance(one, dict) or any(name not in one for name in FIELDS):
            raise UserError(
                f"{str(path)!r}, entry {number}: wanted an object with {', '.join(FIELDS)}"
            )
        joints, seen = np.array(one["joints"], np.float64), np.array(one["joints_vis"], np.float64)
        if joints.shape != (16, 2) or seen.shape != (16,):
            raise UserError(
                f"{str(path)!r}, entry {number}: joints are {joints.shape} and {seen.shape}; wanted 16 of each"
            )
        people[one["image"]].append(np.column_stack([joints, np.where(seen > 0, 2, 0)]).tolist())
    return dict(people)
