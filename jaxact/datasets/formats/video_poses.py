"""Poses of the people in a video, tracked so that a slot is one person.

video -> poses of each frame [n v (x, y, score)], pixels -> tracks
      -> joints f32 [t m v (x, y, score)], 0..1 of the picture
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.datasets.formats import video_file
from jaxact.skeletons.tracking import NO_ID, Tracks, update_tracks

MAX_PERSONS = 30  # per clip, those with the highest sum of scores

People = Float[np.ndarray, "_ v 3"]


@runtime_checkable
class PoseEstimator(Protocol):
    """Estimates the poses of all people in an image.

    Attributes:
        layout: Name of the layout of their joints.
        about: Plain values that identify the estimator; stored with the records that it gives.
        seconds: Total time of each stage.
    """

    layout: str
    about: dict[str, Any]
    seconds: dict[str, float]

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n v 3"]:
        """Estimates the poses in an RGB image.

        Args:
            image: The image. Of a video, images come in order.

        Returns:
            x and y in pixels of the image, and a score; zero for a missing joint. `n` may be 0.
        """
        ...

    def reset(self) -> None:
        """Forgets the images so far; called before every video."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class VideoPoses:
    """The people of a video.

    Attributes:
        joints: x and y in 0..1 of the picture, y down, and a score; zero where missing. A slot is
            one person for the whole video, the highest sum of scores first.
        size: Height and width of the first picture in pixels.
        fps: Mean rate in frames per second.
    """

    joints: Float[np.ndarray, "t m v 3"]
    size: tuple[int, int]
    fps: float


def estimate_poses(path: str, estimator: PoseEstimator) -> VideoPoses:
    """Estimates and tracks the poses in a video.

    Args:
        path: The video file.
        estimator: Estimates the poses in each frame; reset before the first.

    Raises:
        UserError: The video cannot be used, see `video_file.Video`.
    """
    estimator.reset()
    poses: list[People] = []
    sizes: list[tuple[int, int]] = []
    video = video_file.Video(path)
    for frame in video:
        sizes.append((frame.width, frame.height))
        poses.append(estimator(frame.to_ndarray(format="rgb24")))
    return track_video(poses, sizes, video)


def track_video(
    poses: Sequence[People], sizes: Sequence[tuple[int, int]], video: video_file.Video
) -> VideoPoses:
    """Tracks the poses of a video that has been read.

    Args:
        poses: Poses in each frame, in pixels.
        sizes: Width and height of each frame's picture.
        video: The video.
    """
    shares = [people / (*size, 1) for people, size in zip(poses, sizes, strict=True)]
    width, height = sizes[0]
    _, rate = video_file.frame_times(video.times, video.rate)
    return VideoPoses(track_people(shares, sizes), (height, width), rate)


def track_people(
    frames: Sequence[People], sizes: Sequence[tuple[int, int]]
) -> Float[np.ndarray, "t m v 3"]:
    """Assigns every person of a clip a slot; a clip without people has one empty slot.

    Args:
        frames: Poses of each frame in 0..1 of the picture.
        sizes: Width and height of each frame's picture; tracking measures distances in units of
            its height.
    """
    tracks = Tracks()
    ids_of_frame = []
    for people, (width, height) in zip(frames, sizes, strict=True):
        tracks, ids = update_tracks(tracks, people * (width / height, 1, 1), score=True)
        ids_of_frame.append(ids)
    score_sums = np.zeros(max(tracks.next_id, 1))
    for people, ids in zip(frames, ids_of_frame, strict=True):
        tracked = ids != NO_ID
        np.add.at(score_sums, ids[tracked], people[tracked, :, 2].sum(axis=1))
    order = np.argsort(-score_sums, kind="stable")[:MAX_PERSONS].tolist()
    slot_of_id = {track_id: slot for slot, track_id in enumerate(order)}
    joints = np.zeros((len(frames), len(order), frames[0].shape[1], 3), np.float32)
    for t, (people, ids) in enumerate(zip(frames, ids_of_frame, strict=True)):
        for person, track_id in zip(people, ids.tolist(), strict=True):
            if track_id in slot_of_id:
                joints[t, slot_of_id[track_id]] = person * (person[:, 2:] > 0)
    return joints
