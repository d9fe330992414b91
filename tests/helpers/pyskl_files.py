"""Annotation pickles of pyskl."""

import pickle
from pathlib import Path

import numpy as np


def annotation(
    name: str, label: int = 0, people: int = 2, frames: int = 3, joints: int = 17, **changes
) -> dict:
    rng = np.random.default_rng(sum(map(ord, name)))
    fields = {
        "frame_dir": name,
        "label": label,
        "total_frames": frames,
        "img_shape": (240, 320),
        "original_shape": (240, 320),
        "keypoint": rng.uniform(1, 200, (people, frames, joints, 2)).astype(np.float16),
        "keypoint_score": rng.uniform(0.1, 1, (people, frames, joints)).astype(np.float16),
    }
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def annotation_3d(name: str, **changes) -> dict:
    """An annotation without pictures."""
    joints = np.random.default_rng(0).normal(size=(2, 4, 25, 3)).astype(np.float16)
    absent = {"img_shape": None, "original_shape": None, "keypoint_score": None}
    return annotation(name, **{"frames": 4, "keypoint": joints, **absent, **changes})


def write_pickle(path: Path, content) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def write_annotations(path: Path, *annotations: dict, **split: list[str]) -> Path:
    return write_pickle(
        path,
        {
            "split": split or {"train": [one["frame_dir"] for one in annotations]},
            "annotations": list(annotations),
        },
    )
