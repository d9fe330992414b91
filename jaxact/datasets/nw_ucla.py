"""Northwestern-UCLA Multiview Action 3D (Wang et al., CVPR 2014): 10 actions, three Kinects.

One JSON file per clip.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    matching_files,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

# Numbers 7 and 10 are not used.
ACTIONS = {
    1: "pick up with one hand",
    2: "pick up with two hands",
    3: "drop trash",
    4: "walk around",
    5: "sit down",
    6: "stand up",
    8: "donning",
    9: "doffing",
    11: "throw",
    12: "carry",
}
JOINTS = 20
_NAME = re.compile(r"a(\d+)_s(\d+)_e(\d+)_v(\d+)")


class NwUcla(SkeletonBuilder):
    """NW-UCLA: joints [t, 1, 20, 3] as the JSON files hold them, layout kinect-20-hip.

    Cameras 1 and 2 train, camera 3 tests.
    """

    EXPECTS = (
        "the skeleton files a<action>_s<subject>_e<take>_v<camera>.json with `skeletons` [t, 20, 3]"
    )
    LICENCE = "unknown; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per file; the cells are the cameras."""
        actions = list(ACTIONS)
        raw_clips = []
        for path in matching_files(raw, "a*_v*.json", cls.EXPECTS):
            match = _NAME.fullmatch(path.stem)
            if not match:
                raise UserError(
                    f"{str(path)!r} is not named a<action>_s<subject>_e<take>_v<camera>.json"
                )
            action, subject, take, camera = map(int, match.groups())
            if action not in ACTIONS:
                raise UserError(
                    f"{str(path)!r}: action {action} is outside the list; "
                    f"NW-UCLA has {', '.join(map(str, actions))}"
                )
            if camera not in (1, 2, 3):
                raise UserError(
                    f"{str(path)!r}: camera {camera} is outside the list; NW-UCLA has 1 to 3"
                )
            label = actions.index(action)
            facts = {"subject": subject, "take": take}
            raw_clips.append(RawClip(path.stem, str(path), f"view{camera}", label, facts))
        return RawDataset(
            clips=raw_clips,
            labels=tuple(ACTIONS.values()),
            layout=get_layout("kinect-20-hip"),
            unions={"train": ("view1", "view2"), "test": ("view3",)},
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        yield skeleton_record(raw_clip, read_clip(raw_clip.path), **raw_clip.facts)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Subject and take, as the file name numbers them."""
        return {"subject": tfds.features.Scalar(np.int32), "take": tfds.features.Scalar(np.int32)}


def read_clip(path: str) -> Float[np.ndarray, "t 1 20 3"]:
    """Joints of one file.

    Raises:
        UserError: The file is not JSON, or `skeletons` is not frames of 20 joints of x, y and z.
    """
    content = load_json(path)
    frames = content.get("skeletons") if isinstance(content, dict) else None
    if not isinstance(frames, list):
        raise UserError(f"{path!r} has no list `skeletons`")
    try:
        joints = np.array(frames, np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path!r}: `skeletons` is not frames of equal shape: {error}") from error
    if joints.shape[1:] != (JOINTS, 3):
        raise UserError(
            f"{path!r}: `skeletons` has the shape {joints.shape}, wanted (frames, {JOINTS}, 3)"
        )
    return joints[:, None]
