"""Base class of the video data sets, and their records of JPEG frames.

record {id, frames: JPEG [t], times f32 [t] s, fps f32, height i32, width i32, num_frames, damaged,
group, label}, and optionally `flow`: grey JPEG [t] with x and y side by side.

Frames stay encoded until a pipeline needs them. A record holds every frame of its file: none is
dropped or repeated.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats import optical_flow, video_encoding, video_file
from jaxact.datasets.formats.label_table import ListedClip, group_by_splits
from jaxact.datasets.preparation import random_splits
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record, RecordBuilder
from jaxact.datasets.preparation.parallel_parsing import Parse
from jaxact.errors import UserError, unknown
from jaxact.skeletons import Layout

SHORT_SIDE = 256  # pixels of the shorter side that larger frames are scaled down to
MIN_SHORT_SIDE = 16  # pixels
CHANNELS = ("red", "green", "blue")
# The layout of a set of pictures, which have no joints. No skeleton has this layout.
PICTURE = Layout("picture", ("picture",), (), ((0, 0),), 0)


class VideoBuilder(RecordBuilder, skip_registration=True):
    """A builder of video records."""

    KIND: ClassVar[str] = "video"
    CHUNK: ClassVar[int | None] = 8  # a few MB each

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """Parses the video of one clip, with the default storage options."""
        yield from parse(raw_clip)

    @classmethod
    def features(cls, dataset: RawDataset) -> dict[str, Any]:
        """The encoded frames, their times and sizes, and optionally the flow."""
        jpegs = tfds.features.Tensor(shape=(None,), dtype=np.object_, doc="JPEG")
        flow = {"flow": jpegs} if dataset.stored["flow"] else {}
        return {
            "frames": jpegs,
            **flow,
            "times": tfds.features.Tensor(
                shape=(None,), dtype=np.float32, doc="seconds from the first frame"
            ),
            "fps": tfds.features.Scalar(np.float32),
            "height": tfds.features.Scalar(np.int32),
            "width": tfds.features.Scalar(np.int32),
            "damaged": tfds.features.Scalar(np.int32),
            "group": tfds.features.Text(),
        }


def video_dataset(
    *,
    ids: Sequence[str],
    paths: Sequence[str],
    labels: Sequence[int],
    names: Sequence[str],
    splits: Sequence[tuple[str, ...]],
    groups: Sequence[str],
    dropped: Mapping[str, int] | None = None,
) -> RawDataset:
    """The raw data set of video clips, with the random splits added and the leaks counted.

    Args:
        ids: ids of the clips.
        paths: files of the clips.
        labels: classes of the clips.
        names: names of the classes.
        splits: the data set's own splits of each clip.
        groups: what each clip was cut from; "" where that is unknown.
        dropped: see `RawDataset`; reasons without clips are left out.
    """
    dropped_counts = {}
    if dropped:
        dropped_counts = {reason: count for reason, count in dropped.items() if count}
    random = random_splits.draw_splits(ids, labels, groups)
    splits = [(*own, *drawn) for own, drawn in zip(splits, random, strict=True)]
    clips = []
    for index, clip in enumerate(ids):
        clips.append(
            ListedClip(
                id=clip,
                path=paths[index],
                label=labels[index],
                splits=splits[index],
                facts={"group": groups[index]},
            )
        )
    return group_by_splits(
        clips,
        names=names,
        layout=PICTURE,
        channels=CHANNELS,
        leaks=random_splits.count_leaks(splits, groups),
        stored=_storage(SHORT_SIDE, None),
        dropped=dropped_counts,
    )


def with_video_options(
    dataset: RawDataset, *, short_side: int | None, flow_method: str | None
) -> tuple[RawDataset, Parse]:
    """The data set and its parser, with frames of another size or with optical flow.

    Args:
        dataset: the raw clips.
        short_side: pixels of the shorter side to which larger frames are scaled down; None is
          `SHORT_SIDE`.
        flow_method: method of the optical flow; None stores none.

    Raises:
        UserError: a size that is too small, an unknown method, or a missing package.
    """
    if short_side is None:
        short_side = SHORT_SIDE
    if short_side < MIN_SHORT_SIDE:
        raise UserError(
            f"short_side is {short_side!r}, but must be at least {MIN_SHORT_SIDE} pixels"
        )
    video_file.need_av()
    if flow_method is not None:
        if flow_method not in optical_flow.METHODS:
            raise unknown("flow", flow_method, optical_flow.METHODS)
        optical_flow.need_opencv()
    dataset = dataclasses.replace(dataset, stored=_storage(short_side, flow_method))
    return dataset, functools.partial(parse, short_side=short_side, flow_method=flow_method)


def parse(
    raw_clip: RawClip, *, short_side: int = SHORT_SIDE, flow_method: str | None = None
) -> Iterator[Record]:
    """Parses the video of one clip into its record.

    Raises:
        UserError: the file cannot be used; see `video_encoding.encode`.
    """
    clip = video_encoding.encode(raw_clip.path, short_side=short_side, flow=flow_method)
    record = {
        "id": raw_clip.id,
        "num_frames": np.int32(len(clip.frames)),
        "label": raw_clip.label,
        "frames": np.array(clip.frames, object),
        "times": clip.times,
        "fps": np.float32(clip.fps),
        "height": np.int32(clip.height),
        "width": np.int32(clip.width),
        "damaged": np.int32(clip.damaged),
        "group": raw_clip.facts["group"],
    }
    if flow_method:
        record["flow"] = np.array(clip.flow, object)
    yield record


def video_files(raw: Path, expects: str) -> list[Path]:
    """Video files under `raw` by their suffix, sorted, without hidden ones.

    Raises:
        UserError: there is none.
    """
    paths = []
    for path in sorted(raw.rglob("*")):
        if path.suffix.lower() in video_file.SUFFIXES and path.name[0] != ".":
            paths.append(path)
    if not paths:
        raise UserError(f"no video file under {str(raw)!r}; expected {expects}")
    return paths


def _storage(short_side: int, flow_method: str | None) -> dict[str, Any]:
    """How the records encode the videos, for the metadata."""
    return {
        "short_side": short_side,
        "jpeg_quantiser": video_encoding.QUANTISER,
        "flow": flow_method,
        "flow_bound": optical_flow.BOUND if flow_method else None,
    }
