"""Leeds Sports Pose (Johnson and Everingham, BMVC 2010): 2000 pictures of one sportsperson each,
fourteen joints.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxact.datasets.formats.matlab import load_mat
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record, matching_files
from jaxact.datasets.preparation.picture_builder import (
    CHANNELS,
    PictureBuilder,
    jpeg_size,
    picture_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import Layout

TRAINED = 1000  # the first so many pictures train, the others test
_NAME = re.compile(r"im(\d+)\.jpg")
LAYOUT = Layout.from_dict(
    {
        "name": "lsp-14",
        "joints": [
            *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
            *(
                "right_wrist",
                "right_elbow",
                "right_shoulder",
                "left_shoulder",
                "left_elbow",
                "left_wrist",
            ),
            *("neck", "head"),
        ],
        "edges": [
            [0, 1],
            [1, 2],
            [2, 8],
            [5, 4],
            [4, 3],
            [3, 9],
            [6, 7],
            [7, 8],
            [11, 10],
            [10, 9],
            [8, 12],
            [9, 12],
            [13, 12],
        ],
        "centre": 12,
        "shoulders": [8, 9],
    }
)


class Lsp(PictureBuilder):
    """LSP: one person a picture, layout lsp-14, about 150 pixels long; `train` and `test` as
    published.

    Every joint is marked; the file's third row tells which are hidden.
    """

    EXPECTS = "joints.mat (3 x 14 x pictures) and the folder images of im0001.jpg, im0002.jpg ..."
    LICENCE = "pictures from Flickr under their own terms; annotations for research"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per picture."""
        del layout
        table = matching_files(raw, "joints.mat", cls.EXPECTS)[0]
        joints = load_mat(str(table), "joints")["joints"]
        if joints.ndim != 3 or joints.shape[:2] != (3, 14):
            raise UserError(
                f"{str(table)!r}: joints has the shape {joints.shape}, wanted (3, 14, pictures)"
            )
        sources = []
        for path in matching_files(raw, "im*.jpg", cls.EXPECTS):
            match = _NAME.fullmatch(path.name)
            number = int(match[1]) if match else 0
            if not 1 <= number <= joints.shape[2]:
                raise UserError(
                    f"{str(path)!r} has no joints: {str(table)!r} holds those of {joints.shape[2]} pictures"
                )
            cell = "train" if number <= TRAINED else "test"
            facts = {"joints": joints[:, :, number - 1].tolist()}
            sources.append(RawClip(path.stem, str(path), cell, 0, facts))
        halves = {
            half: (half,)
            for half in ("train", "test")
            if any(source.cell == half for source in sources)
        }
        return RawDataset(
            sources=sources, labels=("person",), layout=LAYOUT, channels=CHANNELS, unions=halves
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One picture."""
        image = Path(source.path).read_bytes()
        x, y, hidden = np.array(source.facts["joints"], np.float64)
        # The file counts pixels from 1.
        joints = np.stack([x - 0.5, y - 0.5, np.where(hidden != 0, 1, 2)], axis=-1)
        yield picture_record(source.id, source.label, image, jpeg_size(image, source.path), joints[None])
