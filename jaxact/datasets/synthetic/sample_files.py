"""Raw files in the layouts of NTU RGB+D, Kinetics-Skeleton, UCF101, its poses, and HMDB51, from
people and squares.

They let everything that starts from raw files be tried where the real sets are not at hand; no
figure means anything.
"""

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
NTU_SUBJECTS = (1, 2, 3, 6)  # of both halves of X-Sub
KINETICS_CLASSES = {
    "lunge": "jump",
    "squat": "sit_down",
    "applauding": "clap",
}  # two of Kinetics-Motion, one that is not
VIDEO_CLASSES = {"ucf101": ("BalanceBeam", "FloorGymnastics"), "hmdb51": ("laugh", "smile")}
GROUPS = (
    1,
    2,
    3,
    4,
)  # recordings of a class; the first three are each tested on in one official split
# The ntu-25 joint that stands for each openpose-18 joint; eyes and ears are the head, a little
# aside.
OPENPOSE = (3, 20, 8, 9, 10, 4, 5, 6, 16, 17, 18, 12, 13, 14, 3, 3, 3, 3)
COCO = (
    0,
    15,
    14,
    17,
    16,
    5,
    2,
    6,
    3,
    7,
    4,
    11,
    8,
    12,
    9,
    13,
    10,
)  # the openpose-18 joint of each coco-17 joint
ASIDE = {14: -0.01, 15: 0.01, 16: -0.02, 17: 0.02}


def ntu(folder: Path) -> Path:
    """`.skeleton` files of three actions, four subjects and three cameras; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for action, name in NTU_ACTIONS.items():
        for subject in NTU_SUBJECTS:
            for camera in (1, 2, 3):
                joints = synthetic.generate_clip(subject, name, camera)[::3]
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
                frames = openpose_frames(synthetic.generate_clip(subject, action, 0)[::3])
                (clips / f"{clip}.json").write_text(json.dumps({"data": frames, **about}))
                listing[clip] = {"has_skeleton": True, **about}
        (folder / f"kinetics_{half}_label.json").write_text(json.dumps(listing))
    return folder


def ucf101(folder: Path) -> Path:
    """Videos of two classes, four groups of two clips each, and the lists of three official
    splits.
    """
    lists, names = folder / "ucfTrainTestlist", VIDEO_CLASSES["ucf101"]
    lists.mkdir(parents=True, exist_ok=True)
    (lists / "classInd.txt").write_text(
        "".join(f"{number} {name}\n" for number, name in enumerate(names, 1))
    )
    rows: dict[str, list[str]] = {
        f"{half}list0{split}.txt": [] for split in (1, 2, 3) for half in ("train", "test")
    }
    for label, name in enumerate(names):
        for group in GROUPS:
            for clip in (1, 2):
                path = f"{name}/v_{name}_g{group:02d}_c{clip:02d}.avi"
                write_video(folder / path, square_video(label, group, clip))
                for split in (1, 2, 3):
                    half, more = ("test", "") if group == split else ("train", f" {label + 1}")
                    rows[f"{half}list0{split}.txt"].append(f"{path}{more}\n")
    for file, lines in rows.items():
        (lists / file).write_text("".join(lines))
    return folder


def hmdb51(folder: Path) -> Path:
    """Videos of two classes, two clips of each of four films, and the lists that flag them in three
    official splits.
    """
    for label, name in enumerate(VIDEO_CLASSES["hmdb51"]):
        rows: dict[int, list[str]] = {1: [], 2: [], 3: []}
        for film in GROUPS:
            for clip in (0, 1):
                file = f"film{film}_{name}_h_nm_np1_fr_goo_{clip}.avi"
                write_video(folder / name / file, square_video(label, film, clip))
                for split in rows:
                    rows[split].append(f"{file} {2 if film == split else 1} \n")
        for split, lines in rows.items():
            (folder / f"{name}_test_split{split}.txt").write_text("".join(lines))
    return folder


def ucf101_32(folder: Path) -> Path:
    """A pickle of COCO poses, as pyskl has them of UCF101: a clip of five groups of every class;
    returns the file.
    """
    people = [
        openpose_frames(synthetic.generate_clip(subject, "wave", 0)[::6]) for subject in (1, 2, 3, 4, 6)
    ]
    notes = []
    for label, name in enumerate(CLASSES):
        for group, frames in enumerate(people, 1):
            poses = np.array([frame["skeleton"][0]["pose"] for frame in frames]).reshape(-1, 18, 2)[
                :, COCO
            ]
            start = (
                label * len(poses) // len(CLASSES)
            )  # so that classes are told apart by where the wave begins
            notes.append({
                "frame_dir": f"v_{name}_g{group:02d}_c01",
                "label": label,
                "img_shape": (240, 320),
                "total_frames": len(poses),
                "keypoint": (np.roll(poses, -start, axis=0) * (320, 240))[None].astype(np.float32),
                "keypoint_score": np.full((1, *poses.shape[:2]), 0.8, np.float32),
            })  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ucf101_2d.pkl"
    file.write_bytes(
        pickle.dumps(
            {"split": {"train1": [note["frame_dir"] for note in notes]}, "annotations": notes}
        )
    )
    return file


def square_video(label: int, group: int, clip: int) -> UInt8[np.ndarray, "6 24 32 3"]:
    """A square that moves to the right, or down where `label` is 1. Clips of a group share colours,
    not the start.
    """
    ground, colour = np.random.default_rng(group).integers(0, 255, (2, 3), np.uint8)
    pictures = np.tile(ground, (6, 24, 32, 1))
    for frame, picture in enumerate(pictures):
        top, left = (3 * frame, 4 * clip) if label else (4 * clip, 4 * frame)
        picture[top : top + 8, left : left + 8] = 255 - colour
    return pictures


def write_video(path: Path, pictures: UInt8[np.ndarray, "t h w 3"]) -> None:
    """An .avi of these pictures, 25 a second."""
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
    """The text of a `.skeleton` file; a person of zeros is not in the frame, the depth and colour
    pixels are zero.
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
    """The frames of a Kinetics-Skeleton file, from 1: x and y in 0..1 by a pinhole camera, y
    down.
    """
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


FLOW = ("--short-side", "24", "--flow", "dis")
# Data set -> what writes its samples, and options of `jaxact prepare`.
SAMPLE_SETS: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "ntu60": (ntu, ()),
    "kinetics_skeleton": (kinetics, ()),
    "ucf101": (ucf101, FLOW),
    "ucf101_32": (ucf101_32, ()),
    "hmdb51": (hmdb51, FLOW),
}
