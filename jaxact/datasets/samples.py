"""Raw files in the layouts of NTU RGB+D and Kinetics-Skeleton, written from generated people.

They let everything that starts from raw files be tried where the real sets are not at hand; no figure means anything.
"""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxact.datasets import synthetic
from jaxact.datasets.kinetics import class_names

NTU_ACTIONS = {1: "clap", 2: "wave", 3: "sit_down"}
NTU_SUBJECTS = (1, 2, 3, 6)  # of both halves of X-Sub
KINETICS_CLASSES = {
    "lunge": "jump",
    "squat": "sit_down",
    "applauding": "clap",
}  # two of Kinetics-Motion, one that is not
# The ntu-25 joint that stands for each openpose-18 joint; eyes and ears are the head, a little aside.
OPENPOSE = (3, 20, 8, 9, 10, 4, 5, 6, 16, 17, 18, 12, 13, 14, 3, 3, 3, 3)
ASIDE = {14: -0.01, 15: 0.01, 16: -0.02, 17: 0.02}


def ntu(folder: Path) -> Path:
    """`.skeleton` files of three actions, four subjects and three cameras; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for action, name in NTU_ACTIONS.items():
        for subject in NTU_SUBJECTS:
            for camera in (1, 2, 3):
                joints = synthetic.clip(subject, name, camera)[::3]
                file = folder / f"S001C{camera:03d}P{subject:03d}R001A{action:03d}.skeleton"
                file.write_text(skeleton_text(joints))
    return folder


def kinetics(folder: Path) -> Path:
    """OpenPose JSON of three classes, in both halves; returns the folder."""
    for half, subjects in (("train", (1, 2, 4)), ("val", (3, 6))):
        clips = folder / f"kinetics_{half}"
        clips.mkdir(parents=True, exist_ok=True)
        listing = {}
        for name, action in KINETICS_CLASSES.items():
            for subject in subjects:
                about = {"label": name, "label_index": class_names().index(name)}
                clip = f"{name}_{subject}"
                frames = openpose_frames(synthetic.clip(subject, action, 0)[::3])
                (clips / f"{clip}.json").write_text(json.dumps({"data": frames, **about}))
                listing[clip] = {"has_skeleton": True, **about}
        (folder / f"kinetics_{half}_label.json").write_text(json.dumps(listing))
    return folder


def skeleton_text(joints: Float[np.ndarray, "t m 25 3"]) -> str:
    """The text of a `.skeleton` file; a person of zeros is not in the frame, the depth and colour pixels are zero."""
    rows = [str(len(joints))]
    for frame in joints:
        people = [(slot, body) for slot, body in enumerate(frame) if body.any()]
        rows.append(str(len(people)))
        for slot, body in people:
            rows += [f"{72057594037931101 + slot} 0 1 1 1 1 0 0 0 2", "25"]
            rows += [f"{x:.6f} {y:.6f} {z:.6f} 0 0 0 0 1 0 0 0 2" for x, y, z in body.tolist()]
    return "\n".join(rows) + "\n"


def openpose_frames(joints: Float[np.ndarray, "t m 25 3"]) -> list[dict]:
    """The frames of a Kinetics-Skeleton file, from 1: x and y in 0..1 by a pinhole camera, y down."""
    frames = []
    for index, frame in enumerate(joints, 1):
        people = []
        for body in frame[:, OPENPOSE]:
            if body.any():
                pose = 0.5 + body[:, :2] * (-0.5, -0.5) / np.maximum(body[:, 2:], 0.5)
                for joint, step in ASIDE.items():
                    pose[joint, 0] += step
                score = np.where(body.any(axis=1), 0.8, 0.0)
                pose = np.where(score[:, None] > 0, pose, 0.0).clip(0.0, 1.0)
                people.append({"pose": pose.round(3).ravel().tolist(), "score": score.tolist()})
        frames.append({"frame_index": index, "skeleton": people})
    return frames
