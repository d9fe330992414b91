"""`skeletons_from_video`: poses of the people in a folder of videos, tracked over the frames.

Videos and their classes, splits and groups are listed as for `video_folder`. The poses come from a
pose estimator (`prepare --pose SPEC`), or from the JSON files that OpenPose wrote, one per frame,
beside each video:
    <class>/<clip>.mp4 with <class>/<clip>/<any name>_<number>_keypoints.json
                       or   <class>/<clip>_<number>_keypoints.json
"""

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats import openpose_files, video_file, video_poses
from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.formats.label_table import choose_layout
from jaxact.datasets.formats.video_poses import People, PoseEstimator, VideoPoses
from jaxact.datasets.preparation.builder import (
    XY_SCORE,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.datasets.preparation.parallel_parsing import Parse
from jaxact.datasets.video_folder import VideoFolder
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

MARGIN = 0.5  # of the picture's size: how far outside of the picture a joint may be
# Coordinates up to here are in 0..1 of the picture; as pixels they would be its top left corner.
MAX_NORMALISED = 2.0


class SkeletonsFromVideo(SkeletonBuilder):
    """Poses in videos of your own: x and y in 0..1 of the picture, y down, and a score.

    A slot is one person for the whole clip, as the tracker assigns them. People are in order of the
    sum of all scores, highest first; those beyond 30 are left out. Every frame of the video is
    stored, even without a person.
    """

    EXPECTS = (
        "videos in folders named after their classes, or a table of path,label[,split][,group]; "
        "beside each video OpenPose's <clip>/<name>_<number>_keypoints.json or "
        "<clip>_<number>_keypoints.json, unless --pose SPEC estimates the poses"
    )
    LICENCE = "that of the videos"
    NAMED = True
    NAME_NEEDED = False
    COMPRESS = True
    # A pose estimator takes seconds for a video; an interrupted run should not repeat any.
    CHUNK = 1

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """The videos; `with_poses` adds where their poses come from."""
        del layout
        return VideoFolder.find(raw)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Height and width of the picture in pixels, and the mean rate in frames per second."""
        return {
            "image_size": tfds.features.Tensor(shape=(2,), dtype=np.int32),
            "fps": tfds.features.Scalar(np.float32),
        }


def with_poses(
    videos: RawDataset, estimator: PoseEstimator | None, *, layout: str | None = None
) -> tuple[RawDataset, Parse]:
    """Videos as raw clips of skeletons, and the function that parses them.

    Args:
        videos: The videos.
        estimator: Estimates the poses, in this process only; None reads the JSON files beside the
            videos.
        layout: Joint layout of those files, if their number of joints does not determine it.

    Raises:
        UserError: There is neither an estimator nor a usable file, or the files have another
            layout.
    """
    if estimator is not None:
        detected = dataclasses.replace(
            videos,
            layout=get_layout(estimator.layout),
            channels=XY_SCORE,
            stored={"poses": dict(estimator.about)},
            single_process=True,
        )
        return detected, functools.partial(parse, estimator=estimator)
    files: dict[str, dict[int, Path]] = {}
    errors = []
    for raw_clip in videos.clips:
        try:
            files[raw_clip.path] = _pose_files(raw_clip.path)
        except UserError as error:  # the parser reports it for this video; others may be fine
            files[raw_clip.path] = {}
            errors.append(error)
    usable = [clip_files for clip_files in files.values() if clip_files]
    if not usable:
        raise UserError(
            f"none of the {len(files)} videos has poses beside it that can be used ({errors[0]}); "
            "estimate the poses with --pose SPEC"
        )
    joints = openpose_files.count_joints(usable, layout, "beside the videos")
    joint_layout = choose_layout(layout, joints, openpose_files.LAYOUTS)
    raw_clips = []
    for raw_clip in videos.clips:
        times = [file.stat().st_mtime_ns for file in files[raw_clip.path].values()]
        facts = {"joints": joints, "changed": max(times, default=0)}
        raw_clips.append(dataclasses.replace(raw_clip, facts=facts))
    skeletons = dataclasses.replace(
        videos,
        clips=raw_clips,
        layout=joint_layout,
        channels=XY_SCORE,
        stored={"poses": {"from": "openpose json"}},
    )
    return skeletons, parse


def parse(raw_clip: RawClip, *, estimator: PoseEstimator | None = None) -> Iterator[Record]:
    """The poses of one video.

    Args:
        raw_clip: The video.
        estimator: Estimates the poses in its frames; None reads the JSON files beside the video.

    Raises:
        UserError: The video cannot be used, see `video_file.Video`, or its pose files are missing
            or belong to another video.
    """
    if estimator is None:
        poses = _read_video(raw_clip)
    else:
        poses = video_poses.estimate_poses(raw_clip.path, estimator)
    yield skeleton_record(
        raw_clip,
        poses.joints,
        image_size=np.array(poses.size, np.int32),
        fps=np.float32(poses.fps),
    )


def _read_video(raw_clip: RawClip) -> VideoPoses:
    """The poses of the files beside a video, tracked."""
    video = video_file.Video(raw_clip.path)
    sizes = [(frame.width, frame.height) for frame in video]
    sizes = sizes[:1] * len(sizes)  # one size for the files of all frames
    poses = []
    for people in read_poses(raw_clip, len(sizes)):
        poses.append(_to_pixels(people, sizes[0], raw_clip.path))
    return video_poses.track_video(poses, sizes, video)


def read_poses(raw_clip: RawClip, count: int) -> list[People]:
    """The poses in each of a video's `count` frames from the files beside it.

    Files are numbered from 0, or from 1 if the last number equals the number of frames. A frame
    without a file has no people.

    Raises:
        UserError: There are no files, or more than the video has frames.
    """
    files = _pose_files(raw_clip.path)
    joints = raw_clip.facts["joints"]
    first = 1 if max(files) == count and min(files) > 0 else 0
    if max(files) - first >= count:
        raise UserError(
            f"{raw_clip.path!r} has {count} frames, but the poses beside it go up to number "
            f"{max(files)}; wanted those of this video"
        )
    frames = [np.zeros((0, joints, 3), np.float32)] * count
    for number, file in files.items():
        frames[number - first] = openpose_files.read_people(load_json(file), str(file), joints)
    return frames


def _to_pixels(people: People, size: tuple[int, int], path: str) -> People:
    """Poses in pixels, from pixels or from 0..1 of the picture.

    Args:
        people: The poses.
        size: Width and height of the picture.
        path: Name of the video, for errors.
    """
    points = people[people[..., 2] > 0, :2]
    if not len(points) or np.abs(points).max() <= MAX_NORMALISED:
        return people * (*size, 1)
    if (points > (1 + MARGIN) * np.array(size)).any():
        x, y = points.max(axis=0).tolist()
        raise UserError(
            f"{path!r} is {size[0]} x {size[1]} pixels, but the poses beside it reach to "
            f"x {x:.0f}, y {y:.0f}; wanted those of this video at this size"
        )
    return people


def _pose_files(video: str) -> dict[int, Path]:
    """The pose files of a video by frame number."""
    path = Path(video)
    return openpose_files.frame_files(path.parent, path.stem, f"{video!r} is a video")
