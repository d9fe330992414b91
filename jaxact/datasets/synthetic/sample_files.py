"""Writes small raw files in the formats of NTU RGB+D, Kinetics-Skeleton, UCF101 and HMDB51.

They contain generated people and moving squares. With them, everything that starts from raw files
can be tried without the real data sets. Accuracies on them mean nothing.
"""

import collections
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.datasets.formats import video_file
from jaxact.datasets.kinetics import class_names
from jaxact.datasets.synthetic import clips as synthetic
from jaxact.datasets.ucf101_32 import CLASSES

NTU_ACTIONS = {1: "clap", 2: "wave", 3: "sit_down"}
NTU_SUBJECTS = (1, 2, 3, 6)  # from both splits of X-Sub
# Two classes of Kinetics-Motion and one other class.
KINETICS_CLASSES = {"lunge": "jump", "squat": "sit_down", "applauding": "clap"}
VIDEO_CLASSES = {"ucf101": ("BalanceBeam", "FloorGymnastics"), "hmdb51": ("laugh", "smile")}
# Recordings of a class; each of the first three is the test group of one official split.
GROUPS = (1, 2, 3, 4)
# The ntu-25 joint that stands for each openpose-18 joint. Eyes and ears are the head with a small
# horizontal offset.
OPENPOSE = (3, 20, 8, 9, 10, 4, 5, 6, 16, 17, 18, 12, 13, 14, 3, 3, 3, 3)
HEAD_OFFSETS = {14: -0.01, 15: 0.01, 16: -0.02, 17: 0.02}  # openpose-18 joint -> offset in x
COCO = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)  # openpose-18 joints in order


def ntu(folder: Path) -> Path:
    """Writes `.skeleton` files of three actions, four subjects and three cameras into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for action, name in NTU_ACTIONS.items():
        for subject in NTU_SUBJECTS:
            for camera in (1, 2, 3):
                joints = synthetic.generate_clip(subject, name, camera)[::3]
                file = folder / f"S001C{camera:03d}P{subject:03d}R001A{action:03d}.skeleton"
                file.write_text(skeleton_text(joints))
    return folder


def kinetics(folder: Path) -> Path:
    """Writes OpenPose JSON of three classes, in both splits, into `folder`."""
    for split, subjects in (("train", (1, 2, 4)), ("val", (3, 6))):
        clips = folder / f"kinetics_{split}"
        clips.mkdir(parents=True, exist_ok=True)
        listing = {}
        for name, action in KINETICS_CLASSES.items():
            for subject in subjects:
                label = {"label": name, "label_index": class_names().index(name)}
                clip = f"{name}_{subject}"
                frames = openpose_frames(synthetic.generate_clip(subject, action, 0)[::3])
                (clips / f"{clip}.json").write_text(json.dumps({"data": frames, **label}))
                listing[clip] = {"has_skeleton": True, **label}
        (folder / f"kinetics_{split}_label.json").write_text(json.dumps(listing))
    return folder


def ucf101(folder: Path) -> Path:
    """Writes videos of two classes in four groups, and the lists of three official splits."""
    lists, names = folder / "ucfTrainTestlist", VIDEO_CLASSES["ucf101"]
    lists.mkdir(parents=True, exist_ok=True)
    class_rows = [f"{number} {name}\n" for number, name in enumerate(names, 1)]
    (lists / "classInd.txt").write_text("".join(class_rows))
    rows: dict[str, list[str]] = collections.defaultdict(list)
    for label, name in enumerate(names):
        for group in GROUPS:
            for clip in (1, 2):
                path = f"{name}/v_{name}_g{group:02d}_c{clip:02d}.avi"
                write_video(folder / path, square_video(label, group, clip))
                for split in (1, 2, 3):
                    if group == split:
                        rows[f"testlist0{split}.txt"].append(f"{path}\n")
                    else:
                        rows[f"trainlist0{split}.txt"].append(f"{path} {label + 1}\n")
    for file, lines in rows.items():
        (lists / file).write_text("".join(lines))
    return folder


def hmdb51(folder: Path) -> Path:
    """Writes videos of two classes from four films, and the flags of three official splits."""
    for label, name in enumerate(VIDEO_CLASSES["hmdb51"]):
        rows: dict[int, list[str]] = {1: [], 2: [], 3: []}
        for film in GROUPS:
            for clip in (0, 1):
                file = f"film{film}_{name}_h_nm_np1_fr_goo_{clip}.avi"
                write_video(folder / name / file, square_video(label, film, clip))
                for split in rows:
                    flag = 2 if film == split else 1  # test or training
                    rows[split].append(f"{file} {flag} \n")
        for split, lines in rows.items():
            (folder / f"{name}_test_split{split}.txt").write_text("".join(lines))
    return folder


def ucf101_32(folder: Path) -> Path:
    """Writes a pickle of COCO poses in pyskl's format of UCF101: five groups of every class.

    Returns:
        The file.
    """
    people = []
    for subject in (1, 2, 3, 4, 6):
        people.append(openpose_frames(synthetic.generate_clip(subject, "wave", 0)[::6]))
    annotations = []
    for label, name in enumerate(CLASSES):
        for group, frames in enumerate(people, 1):
            poses = np.array([frame["skeleton"][0]["pose"] for frame in frames])
            poses = poses.reshape(-1, 18, 2)[:, COCO]
            # Classes differ in the frame at which the wave begins.
            start = label * len(poses) // len(CLASSES)
            keypoints = np.roll(poses, -start, axis=0) * (320, 240)
            annotations.append(
                {
                    "frame_dir": f"v_{name}_g{group:02d}_c01",
                    "label": label,
                    "img_shape": (240, 320),
                    "total_frames": len(poses),
                    "keypoint": keypoints[None].astype(np.float32),
                    "keypoint_score": np.full((1, *poses.shape[:2]), 0.8, np.float32),
                }
            )
    content = {
        "split": {"train1": [annotation["frame_dir"] for annotation in annotations]},
        "annotations": annotations,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ucf101_2d.pkl"
    file.write_bytes(pickle.dumps(content))
    return file


def square_video(label: int, group: int, clip: int) -> UInt8[np.ndarray, "6 24 32 3"]:
    """A square that moves to the right, or down where `label` is 1.

    Clips of a group share their colours, not their start.
    """
    background, colour = np.random.default_rng(group).integers(0, 255, (2, 3), np.uint8)
    pictures = np.tile(background, (6, 24, 32, 1))
    for frame, picture in enumerate(pictures):
        if label:
            top, left = 3 * frame, 4 * clip
        else:
            top, left = 4 * clip, 4 * frame
        picture[top : top + 8, left : left + 8] = 255 - colour
    return pictures


def write_video(path: Path, pictures: UInt8[np.ndarray, "t h w 3"]) -> None:
    """Writes an .avi file of 25 frames per second."""
    av = video_file.need_av()
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def skeleton_text(joints: Float[np.ndarray, "t m 25 3"]) -> str:
    """The text of a `.skeleton` file.

    A person of zeros is not in the frame. Depth and colour pixels are zero.
    """
    rows = [str(len(joints))]
    for frame in joints:
        people = [(slot, body) for slot, body in enumerate(frame) if body.any()]
        rows.append(str(len(people)))
        for slot, body in people:
            rows += [f"{72057594037931101 + slot} 0 1 1 1 1 0 0 0 2", "25"]
            rows += [f"{x:.6f} {y:.6f} {z:.6f} 0 0 0 0 1 0 0 0 2" for x, y, z in body.tolist()]
    return "\n".join(rows) + "\n"


def openpose_frames(joints: Float[np.ndarray, "t m 25 3"]) -> list[dict]:
    """The frames of a Kinetics-Skeleton file, numbered from 1.

    x and y are projected by a pinhole camera to 0..1, y down.
    """
    frames = []
    for index, frame in enumerate(joints, 1):
        people = []
        for body in frame[:, OPENPOSE]:
            if body.any():
                pose = 0.5 + body[:, :2] * (-0.5, -0.5) / np.maximum(body[:, 2:], 0.5)
                for joint, offset in HEAD_OFFSETS.items():
                    pose[joint, 0] += offset
                score = np.where(body.any(axis=1), 0.8, 0.0)
                pose = np.where(score[:, None] > 0, pose, 0.0).clip(0.0, 1.0)
                people.append({"pose": pose.round(3).ravel().tolist(), "score": score.tolist()})
        frames.append({"frame_index": index, "skeleton": people})
    return frames


FLOW_OPTIONS = ("--short-side", "24", "--flow", "dis")
# Data set -> the function that writes its samples, and options of `jaxact prepare`.
SAMPLE_SETS: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "ntu60": (ntu, ()),
    "kinetics_skeleton": (kinetics, ()),
    "ucf101": (ucf101, FLOW_OPTIONS),
    "ucf101_32": (ucf101_32, ()),
    "hmdb51": (hmdb51, FLOW_OPTIONS),
}
