"""Skeletons over the pictures of their video: the frames of a record, and joints as pixels of
them.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from jaxact.errors import UserError
from jaxact.plots import skeleton_animation
from jaxact.plots.skeleton_scene import Limbs, Screen
from jaxact.skeletons import Layout

_OUTSIDE = (
    0.5  # of the picture's size: how far beyond its edges joints may lie that are pixels of it
)
_SMALLEST = 0.03  # of its height: less than this is nobody who could be seen in it, but numbers in another unit


def read(
    path: str | os.PathLike[str], wanted: Int[np.ndarray, " t"], count: int
) -> UInt8[np.ndarray, "t h w 3"]:
    """The pictures of a video with these numbers, RGB.

    Args:
      path: any file that FFmpeg reads.
      wanted: numbers from 0, in any order; only they are kept in memory.
      count: frames that the video must have, those of the record whose joints were found in it.

    Raises:
      UserError: no readable video, one of another number of frames, or a missing package.
    """
    from jaxact.datasets.formats.video_file import Video

    found, kept, number = {}, set(wanted.tolist()), 0
    for number, picture in enumerate(Video(os.fspath(path)), 1):
        if number - 1 in kept:
            found[number - 1] = picture.to_ndarray(format="rgb24")
    if number != count:
        raise UserError(
            f"the video {os.fspath(path)!r} has {number} frames and the record {count}; wanted the video that the "
            "record's joints were found in, every frame of it"
        )
    return np.stack([found[frame] for frame in wanted.tolist()])


def playback(
    pictures: UInt8[np.ndarray, "t h w 3"],
    out: str | os.PathLike[str],
    fps: float | int = 25.0,
    title: str = "",
    *,
    dpi: int = 110,
) -> None:
    """Writes a video's frames as a moving picture, the title and the time above them.

    Args:
      pictures: the frames, RGB.
      out, fps, title: see `clips.animation`.
      dpi: picture size: 440 pixels wide at 110.

    Raises:
      UserError: another suffix, no positive `fps`, or a missing package.
    """
    height, width = pictures.shape[1:3]
    size = (
        skeleton_animation.SIZE[0],
        min(skeleton_animation.SIZE[0] * height / width, 1.8 * skeleton_animation.SIZE[0])
        + skeleton_animation.HEAD,
    )
    skeleton_animation.write(
        skeleton_animation.film(Screen(pictures), fps, title, dpi=dpi, size=size),
        len(pictures),
        out,
        fps,
        shared=False,
    )


def in_pixels(
    joints: Float[np.ndarray, "t m v c"], size: Sequence[int], *, score: bool
) -> Float[np.ndarray, "t m v 2"]:
    """Places in a picture, from its upper left corner: shares of its width and height times these,
    or pixels.

    Args:
      joints: x and y, y down, and maybe a score; missing ones are zero.
      size: height and width of the picture in pixels.
      score: whether the last channel is a score; such records hold shares.

    Raises:
      UserError: joints in space, or numbers that are neither.
    """
    height, width = size
    places, present = joints[..., :2].astype(float), (joints != 0).any(-1)
    if joints.shape[-1] - score != 2:
        raise UserError(
            f"joints of {joints.shape[-1] - score} coordinates cannot be drawn over a video; wanted a set of 2-D joints"
        )
    seen = places[present]
    if score or (len(seen) and seen.min() >= 0 and seen.max() <= 1):
        return places * (width, height)
    low, high = (edge(seen, axis=0) if len(seen) else np.zeros(2) for edge in (np.min, np.max))
    room = _OUTSIDE * np.array((width, height))
    if (
        max(high - low) < _SMALLEST * height
        or (low < -room).any()
        or (high > room + np.array((width, height))).any()
    ):
        low, high = low.round(2).tolist(), high.round(2).tolist()
        raise UserError(
            f"joints from {low} to {high} are neither shares of the picture nor pixels in one of {width} x {height}; "
            "wanted a set that holds either, or the pixels beside its joints"
        )
    return places


class Footage:
    """People over the pictures that they were found in."""

    def __init__(
        self,
        places: Float[np.ndarray, "t m v 2"],
        visible: Bool[np.ndarray, "t m v"],
        layout: Layout,
        pictures: UInt8[np.ndarray, "t h w 3"],
    ) -> None:
        self.places, self.visible, self.layout, self.pictures = places, visible, layout, pictures

    def drawn(self) -> np.ndarray:
        """Picture coordinates [t, m, v, 2] of every joint."""
        return self.places

    def prepare(self, axes: Any) -> Any:
        """Frames the picture and returns the function that shows a frame."""
        height, width = self.pictures.shape[1:3]
        shown = axes.imshow(
            self.pictures[0],
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            zorder=0,
            aspect="equal",
        )
        people = np.where(self.visible, self.places[..., 1], np.nan)
        tall = np.nanmedian([np.ptp(each[seen]) for each, seen in zip(people.reshape(-1, people.shape[-1]),
                            self.visible.reshape(-1, people.shape[-1]), strict=True) if seen.any()])  # fmt: skip
        limbs = Limbs(
            axes, self.layout, self.places.shape[1], float(np.clip(6.0 * tall / height, 1.2, 4.0))
        )
        flat = np.zeros(self.places.shape[1:3])

        def show(t: int) -> None:
            shown.set_data(self.pictures[t])
            limbs.move(self.places[t], flat, self.visible[t])

        return show
