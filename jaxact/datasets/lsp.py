"""Leeds Sports Pose (Johnson and Everingham, BMVC 2010): 2000 pictures of people doing sport.

One annotated person per picture, fourteen joints.
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

TRAIN_PICTURES = 1000  # the first 1000 pictures are for training, the others for testing
_NAME = re.compile(r"im(\d+)\.jpg")
# fmt: off
LAYOUT = Layout.from_dict(
    {
        "name": "lsp-14",
        "joints": [
            "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
            "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
            "left_wrist", "neck", "head",
        ],
        "edges": [
            [0, 1], [1, 2], [2, 8], [5, 4], [4, 3], [3, 9],
            [6, 7], [7, 8], [11, 10], [10, 9], [8, 12], [9, 12], [13, 12],
        ],
        "centre": 12,
        "shoulders": [8, 9],
    }
)
# fmt: on


class Lsp(PictureBuilder):
    """LSP: one person per picture, about 150 pixels tall, layout lsp-14; `train` and `test`.

    The splits are the published ones. Every joint is annotated; the third row of the file marks
    hidden joints.
    """

    EXPECTS = "joints.mat (3 x 14 x pictures) and the folder images of im0001.jpg, im0002.jpg ..."
    LICENCE = "pictures from Flickr under their own terms; annotations for research"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per picture."""
        del layout
        table = str(matching_files(raw, "joints.mat", cls.EXPECTS)[0])
        joints = load_mat(table, "joints")["joints"]
        if joints.ndim != 3 or joints.shape[:2] != (3, 14):
            raise UserError(
                f"{table!r}: joints has the shape {joints.shape}, wanted (3, 14, pictures)"
            )
        raw_clips = []
        for path in matching_files(raw, "im*.jpg", cls.EXPECTS):
            match = _NAME.fullmatch(path.name)
            number = int(match[1]) if match else 0
            if not 1 <= number <= joints.shape[2]:
                raise UserError(
                    f"{str(path)!r} has no joints: {table!r} holds those of "
                    f"{joints.shape[2]} pictures"
                )
            cell = "train" if number <= TRAIN_PICTURES else "test"
            facts = {"joints": joints[:, :, number - 1].tolist()}
            raw_clips.append(RawClip(path.stem, str(path), cell, 0, facts))
        cells = {raw_clip.cell for raw_clip in raw_clips}
        return RawDataset(
            clips=raw_clips,
            labels=("person",),
            layout=LAYOUT,
            channels=CHANNELS,
            unions={half: (half,) for half in ("train", "test") if half in cells},
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One picture."""
        image = Path(raw_clip.path).read_bytes()
        x, y, hidden = np.array(raw_clip.facts["joints"], np.float64)
        visibility = np.where(hidden != 0, 1, 2)
        # The file counts pixels from 1.
        joints = np.stack([x - 0.5, y - 0.5, visibility], axis=-1)
        size = jpeg_size(image, raw_clip.path)
        yield picture_record(raw_clip.id, raw_clip.label, image, size, joints[None])
