"""`skeletons_from_video`: the people of a folder of videos, found frame by frame and followed from
one to the next.

Videos and their classes, splits and groups are found as `video_folder` finds them. The people come
from a pose network (`prepare --checkpoint RUN`), or from the files that OpenPose wrote, one per
frame, beside each video:
    <class>/<clip>.mp4 with <class>/<clip>/<any name>_<number>_keypoints.json
                       or   <class>/<clip>_<number>_keypoints.json

    video -> people of each frame [n v (x, y, score)], pixels -> tracks -> joints f32 [t m v (x, y,
    score)], shares
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float, UInt8

from jaxact.datasets import openpose
from jaxact.datasets.formats import video_file
from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.formats.label_table import choose_layout
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
from jaxact.skeletons.tracking import NO_ID, Tracks, update_tracks

PERSONS = 30  # of a clip, those of whom most was seen
OUTSIDE = 0.5  # of the picture's size: how far beyond its edges poses of this video may lie
SHARES = (
    2.0  # coordinates up to here are shares of the picture; as pixels they would be a corner of it
)

People = Float[np.ndarray, "_ v 3"]


@dataclasses.dataclass(frozen=True, slots=True)
class Finder:
    """What finds people in pictures.

    Attributes:
      find: the people in an RGB picture: x, y in its pixels and a score, zero for a missing joint.
      layout: name of the layout of their joints.
      about: which one it is, as plain values, stored with the records.
    """

    find: Callable[[UInt8[np.ndarray, "h w 3"]], People]
    layout: str
    about: Mapping[str, Any]


class SkeletonsFromVideo(SkeletonBuilder):
    """People found in videos of your own: x and y in 0..1 of the picture, y down, and a score.

    A slot is one person for the whole clip, as tracks follow them; the first is the one of whom
    most was seen, by the sum of all scores, and beyond 30 people the others are left out. Every
    frame of the video is there, some perhaps without anybody.
    """

    EXPECTS = (
        "videos in folders named after their classes, or a table of path,label[,split][,group]; beside each video "
        "OpenPose's <clip>/<name>_<number>_keypoints.json or <clip>_<number>_keypoints.json, unless a pose network "
        "finds the people (--checkpoint RUN)"
    )
    LICENCE = "that of the videos"
    NAMED = True
    NAME_NEEDED = False
    COMPRESS = True
    CHUNK = 1  # a network takes seconds for a video; none of them is lost when a run is stopped

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """The videos; `people_by` says whose joints their records hold."""
        del layout
        return VideoFolder.find(raw)

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Height and width of the picture in pixels, and the mean rate in frames per second."""
        return {
            "image_size": tfds.features.Tensor(shape=(2,), dtype=np.int32),
            "fps": tfds.features.Scalar(np.float32),
        }


def people_by(
    found: RawDataset, finder: Finder | None, *, layout: str | None = None
) -> tuple[RawDataset, Parse]:
    """Videos as sources of skeletons, and what parses them.

    Args:
      found: videos.
      finder: finds their people, in this process alone; None reads the JSON files beside them.
      layout: of those files, where their number of joints does not tell.

    Raises:
      UserError: no finder and no such files, or a layout that they do not have.
    """
    if finder is not None:
        made = dataclasses.replace(
            found,
            layout=get_layout(finder.layout),
            channels=XY_SCORE,
            stored={"poses": dict(finder.about)},
            single_process=True,
        )
        return made, functools.partial(parse, find=finder.find)
    files: dict[str, dict[int, Path]] = {}
    reasons = []
    for source in found.sources:
        try:
            files[source.path] = _files(source.path)
        except UserError as error:  # the parser says so of this video, and the others go on
            files[source.path] = {}
            reasons.append(error)
    held = [each for each in files.values() if each]
    if not held:
        raise UserError(
            f"none of the {len(files)} videos has poses beside it that can be used ({reasons[0]}); let a pose network "
            "find the people: --checkpoint RUN"
        )
    chosen = choose_layout(
        layout, openpose.first_joints(held, layout, "beside the videos"), openpose.LAYOUTS
    )
    sources = [
        dataclasses.replace(
            source, facts={"joints": len(chosen.joints), "changed": _changed(files[source.path])}
        )
        for source in found.sources
    ]
    stored = {"poses": {"from": "openpose json"}}
    return dataclasses.replace(
        found, sources=sources, layout=chosen, channels=XY_SCORE, stored=stored
    ), parse


def parse(source: RawClip, *, find: Callable[[Any], People] | None = None) -> Iterator[Record]:
    """The people of one video.

    Raises:
      UserError: the video cannot be used, see `decode.Video`, or its files of poses are missing or
          of another video.
    """
    frames: list[People] = []
    sizes: list[tuple[int, int]] = []
    video = video_file.Video(source.path)
    for frame in video:
        sizes.append((frame.width, frame.height))
        if find is not None:
            frames.append(find(frame.to_ndarray(format="rgb24")))
    if find is None:
        frames = read_poses(source, len(sizes))
        sizes = sizes[:1] * len(frames)
        frames = [_of_picture(people, sizes[0], source.path) for people in frames]
    joints = tracked(
        [people / (*size, 1) for people, size in zip(frames, sizes, strict=True)], sizes
    )
    width, height = sizes[0]
    _, rate = video_file.frame_times(video.times, video.rate)
    yield skeleton_record(
        source, joints, image_size=np.array((height, width), np.int32), fps=np.float32(rate)
    )


def tracked(
    frames: Sequence[People], sizes: Sequence[tuple[int, int]]
) -> Float[np.ndarray, "t m v 3"]:
    """The people of every frame, each in a slot of their own; one empty slot where nobody is ever
    seen.

    Args:
      frames: people in shares of the picture.
      sizes: width and height of each frame's picture; people are followed in units of its height.
    """
    tracks, ids = Tracks(), []
    for people, (width, height) in zip(frames, sizes, strict=True):
        tracks, found = update_tracks(tracks, people * (width / height, 1, 1), score=True)
        ids.append(found)
    sums = np.zeros(max(tracks.next_id, 1))
    for people, found in zip(frames, ids, strict=True):
        there = found != NO_ID
        np.add.at(sums, found[there], people[there, :, 2].sum(axis=1))
    order = np.argsort(-sums, kind="stable")[:PERSONS]
    slot = {int(name): place for place, name in enumerate(order)}
    joints = np.zeros((len(frames), len(order), frames[0].shape[1], 3), np.float32)
    for t, (people, found) in enumerate(zip(frames, ids, strict=True)):
        for person, name in zip(people, found.tolist(), strict=True):
            if name in slot:
                joints[t, slot[name]] = person * (person[:, 2:] > 0)
    return joints


def read_poses(source: RawClip, count: int) -> list[People]:
    """The people in each of a video's `count` frames by the files beside it; nobody where a file is
    missing.

    Files are numbered from 0 or, where the last number is that of the frames, from 1.

    Raises:
      UserError: there are no files, or more than the video has frames.
    """
    files, joints = _files(source.path), source.facts["joints"]
    first = int(max(files) == count and min(files) > 0)
    if max(files) - first >= count:
        raise UserError(
            f"{source.path!r} has {count} frames, but the poses beside it go up to number {max(files)}; wanted those "
            "of this video"
        )
    frames = [np.zeros((0, joints, 3), np.float32)] * count
    for number, file in files.items():
        frames[number - first] = openpose.read_people(load_json(file), str(file), joints)
    return frames


def _of_picture(people: People, size: tuple[int, int], path: str) -> People:
    """The people in pixels of a picture of this width and height, whichever of pixels and shares
    they were in.
    """
    places = people[people[..., 2] > 0, :2]
    if not len(places) or np.abs(places).max() <= SHARES:
        return people * (*size, 1)
    if (places > (1 + OUTSIDE) * np.array(size)).any():
        x, y = places.max(axis=0).tolist()
        raise UserError(
            f"{path!r} is {size[0]} x {size[1]} pixels, but the poses beside it reach to x {x:.0f}, y {y:.0f}; wanted "
            "those of this video at this size"
        )
    return people


def _files(video: str) -> dict[int, Path]:
    """Files of a video's poses by their number."""
    return openpose.frame_files(Path(video).parent, Path(video).stem, f"{video!r} is a video")


def _changed(files: Mapping[int, Path]) -> int:
    """When the newest of the files was written."""
    return max((file.stat().st_mtime_ns for file in files.values()), default=0)
