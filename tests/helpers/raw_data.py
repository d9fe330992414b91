"""Raw folders of data sets, and the clips that a builder lists in them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def split_ids(dataset: Any, split: str) -> set[str]:
    """Ids of the clips of a split of a `RawDataset`."""
    return {clip.id for clip in dataset.clips if clip.cell in dataset.unions[split]}


def touch(root: Path, *names: str) -> Path:
    """Makes empty files under `root`."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def write_jpeg(path: Path, height: int = 30, width: int = 40, **options) -> Path:
    """A grey JPEG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(path, "JPEG", **options)
    return path


def write_coco(root: Path, **changes) -> Path:
    """A picture of three: somebody, somebody without marks, a crowd; one without people; one for
    testing.
    """
    for name in ("train2017/1.jpg", "train2017/2.jpg", "val2017/3.jpg"):
        write_jpeg(root / name)
    marks = [0] * 51
    marks[:6], marks[15:18] = [5, 6, 2, 7, 8, 1], [20, 10, 2]
    somebody = {
        "image_id": 1,
        "iscrowd": 0,
        "area": 90.5,
        "bbox": [1, 2, 30, 20],
        "keypoints": marks,
        "id": 1,
    }
    somebody |= {"segmentation": [[0, 0, 39, 0, 39, 29]]} | changes
    unmarked = somebody | {
        "keypoints": [0] * 51,
        "segmentation": [[10, 10, 14, 10, 14, 14, 10, 14]],
        "id": 2,
    }
    crowd = unmarked | {
        "iscrowd": 1,
        "segmentation": {"counts": [0, 30, 1170], "size": [30, 40]},
        "id": 3,
    }
    images = [
        {"id": key, "file_name": f"{key}.jpg", "height": 30, "width": 40} for key in (1, 2, 3)
    ]
    files = {
        "train2017": (images[:2], [somebody, unmarked, crowd]),
        "val2017": (images[2:], [somebody | {"image_id": 3}]),
    }
    for split, (held, people) in files.items():
        (root / f"person_keypoints_{split}.json").write_text(
            json.dumps({"images": held, "annotations": people})
        )
    return root
