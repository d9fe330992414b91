"""Skeletons drawn over their video: video frames, and joints in pixels of them."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from jaxact.errors import UserError
from jaxact.plots import skeleton_animation
from jaxact.plots.animation_files import write_animation
from jaxact.plots.skeleton_scene import Limbs, VideoScene
from jaxact.skeletons import Layout

# Joints count as pixels of an image if they lie at most this share of its size outside of it, and
# their extent is at least this share of its height. Others are numbers in another unit.
_OUTSIDE = 0.5
_MIN_EXTENT = 0.03


def read_frames(
    path: str | os.PathLike[str], numbers: Int[np.ndarray, " t"], count: int
) -> UInt8[np.ndarray, "t h w 3"]:
    """Reads some frames of a video, RGB.

    Args:
        path: a video file that FFmpeg reads.
        numbers: frame numbers from 0, in any order; only these are held in memory.
        count: number of frames that the video must have: those of the record.

    Raises:
        UserError: no readable video, one of another number of frames, or a missing package.
    """
    from jaxact.datasets.formats.video_file import Video

    requested = set(numbers.tolist())
    images, total = {}, 0
    for number, image in enumerate(Video(os.fspath(path))):
        if number in requested:
            images[number] = image.to_ndarray(format="rgb24")
        total = number + 1
    if total != count:
        raise UserError(
            f"the video {os.fspath(path)!r} has {total} frames and the record {count}; "
            "wanted the video that the record's joints were estimated from, with every frame"
        )
    return np.stack([images[number] for number in numbers.tolist()])


def playback(
    images: UInt8[np.ndarray, "t h w 3"],
    out: str | os.PathLike[str],
    fps: float | int = 25.0,
    title: str = "",
    *,
    dpi: int = 110,
) -> None:
    """Draws a video's frames as an animation, with the title and the time above.

    Args:
        images: the frames, RGB.
        out, fps, title: see `animation`.
        dpi: resolution; the picture is 440 pixels wide at 110.

    Raises:
        UserError: an unknown suffix, `fps` that is not positive, or a missing package.
    """
    image_height, image_width = images.shape[1:3]
    width = skeleton_animation.SIZE[0]
    height = min(width * image_height / image_width, 1.8 * width) + skeleton_animation.HEADING
    rendered = skeleton_animation.render_frames(
        VideoScene(images), fps, title, dpi=dpi, size=(width, height)
    )
    write_animation(rendered, len(images), out, fps, shared_palette=False)


def to_pixels(
    joints: Float[np.ndarray, "t m v c"], size: Sequence[int], *, score: bool
) -> Float[np.ndarray, "t m v 2"]:
    """Converts joints to pixels from an image's upper left corner.

    Joints with a score, and joints that all lie in [0, 1], are shares of the image's width and
    height. Others must be pixels already.

    Args:
        joints: x and y, y down, and maybe a score; missing ones are zero.
        size: height and width of the image in pixels.
        score: whether the last channel is a score.

    Raises:
        UserError: 3-D joints, or numbers that are neither shares nor pixels.
    """
    height, width = size
    dims = joints.shape[-1] - score
    if dims != 2:
        raise UserError(
            f"joints of {dims} coordinates cannot be drawn over a video; "
            "wanted a data set of 2-D joints"
        )
    points = joints[..., :2].astype(float)
    visible_points = points[(joints != 0).any(-1)]
    if score:
        return points * (width, height)
    if not len(visible_points):
        low = high = np.zeros(2)
    else:
        low, high = visible_points.min(axis=0), visible_points.max(axis=0)
        if low.min() >= 0 and high.max() <= 1:
            return points * (width, height)
    shape = np.array((width, height))
    too_small = max(high - low) < _MIN_EXTENT * height
    outside = (low < -_OUTSIDE * shape).any() or (high > _OUTSIDE * shape + shape).any()
    if too_small or outside:
        raise UserError(
            f"joints from {low.round(2).tolist()} to {high.round(2).tolist()} are neither shares "
            f"of the image nor pixels in one of {width} x {height}; "
            "wanted a data set with either, or with pixels beside its joints"
        )
    return points


class FootageScene:
    """People over the video that their joints were estimated from."""

    def __init__(
        self,
        points: Float[np.ndarray, "t m v 2"],
        visible: Bool[np.ndarray, "t m v"],
        layout: Layout,
        images: UInt8[np.ndarray, "t h w 3"],
    ) -> None:
        self.points, self.visible, self.layout, self.images = points, visible, layout, images

    def __len__(self) -> int:
        return len(self.points)

    def drawn(self) -> np.ndarray:
        """Returns picture coordinates [t, m, v, 2] of every joint."""
        return self.points

    def prepare(self, axes: Any, *, grey: bool = False) -> Any:
        """Fits the video into the axes and returns the function that shows frame t."""
        height, width = self.images.shape[1:3]
        artist = axes.imshow(
            self.images[0],
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            zorder=0,
            aspect="equal",
        )
        line_width = float(np.clip(6.0 * self._median_height() / height, 1.2, 4.0))
        limbs = Limbs(axes, self.layout, self.points.shape[1], line_width, grey=grey)
        no_depth = np.zeros(self.points.shape[1:3])

        def show(t: int) -> None:
            artist.set_data(self.images[t])
            limbs.move(self.points[t], no_depth, self.visible[t])

        return show

    def _median_height(self) -> float:
        """Returns the median height of a person in pixels; NaN where none is visible."""
        heights = []
        for t, m in np.argwhere(self.visible.any(-1)):
            heights.append(np.ptp(self.points[t, m, self.visible[t, m], 1]))
        return float(np.nanmedian(heights))
