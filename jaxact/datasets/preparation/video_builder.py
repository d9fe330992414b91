"""What the video datasets share: a record of JPEG frames, and how clips become one.

record {id, frames: JPEG [t], times f32 [t] s, fps f32, height i32, width i32, num_frames, damaged,
group, label}, with `flow`, a grey JPEG [t] holding x and y side by side, where it was asked for.

Frames stay encoded until a pipeline needs them. Every clip of the file is kept: nothing is dropped
or repeated.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats import optical_flow, video_encoding, video_file
from jaxact.datasets.formats.label_table import group_by_splits
from jaxact.datasets.preparation import random_splits
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record, RecordBuilder
from jaxact.datasets.preparation.parallel_parsing import Parse
from jaxact.errors import UserError, unknown
from jaxact.skeletons import Layout

SHORT_SIDE = 256  # pixels of the shorter side that larger frames are scaled down to
SMALLEST = 16  # pixels
CHANNELS = ("red", "green", "blue")
# Pictures have no joints; whatever asks a set for its layout is told this one, which no skeleton
# has.
PICTURE = Layout("picture", ("picture",), (), ((0, 0),), 0)


class VideoBuilder(RecordBuilder, skip_registration=True):
    """A builder of video records."""

    KIND: ClassVar[str] = "video"
    CHUNK: ClassVar[int | None] = 8  # a few MB each

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """The clip of one file, as stored by default."""
        yield from parse(source)

    @classmethod
    def features(cls, found: RawDataset) -> dict[str, Any]:
        """The frames and what is to be known of them."""
        pictures = tfds.features.Tensor(shape=(None,), dtype=np.object_, doc="JPEG")
        return {
            "frames": pictures,
            **({"flow": pictures} if found.stored["flow"] else {}),
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
    """What was found, by clip: its splits with the drawn ones of `holdout`, and what they leak.

    Args:
      ids: of the clips.
      paths: their files.
      labels: their classes.
      names: of the classes.
      splits: those that the dataset gives each clip.
      groups: what each clip was cut from, "" where that is unknown.
      dropped: see `Found`; reasons without clips are left out.
    """
    drawn = random_splits.draw_splits(ids, labels, groups)
    splits = [(*given, *more) for given, more in zip(splits, drawn, strict=True)]
    return group_by_splits(
        ids=ids,
        paths=paths,
        labels=labels,
        splits=splits,
        names=names,
        layout=PICTURE,
        channels=CHANNELS,
        facts=[{"group": group} for group in groups],
        leaks=random_splits.count_leaks(splits, groups),
        stored=_stored(SHORT_SIDE, None),
        dropped={reason: count for reason, count in (dropped or {}).items() if count},
    )


def with_video_options(
    found: RawDataset, *, short_side: int | None, flow_method: str | None
) -> tuple[RawDataset, Parse]:
    """What was found and its parser, with frames of another size, or with optical flow.

    Raises:
      UserError: a size or a method that cannot be, or a package that is missing.
    """
    short_side = SHORT_SIDE if short_side is None else short_side
    if short_side < SMALLEST:
        raise UserError(f"short_side is {short_side!r}, but must be at least {SMALLEST} pixels")
    video_file.need_av()
    if flow_method is not None:
        if flow_method not in optical_flow.METHODS:
            raise unknown("flow", flow_method, optical_flow.METHODS)
        optical_flow.need_opencv()
    made = dataclasses.replace(found, stored=_stored(short_side, flow_method))
    return made, functools.partial(parse, short_side=short_side, flow_method=flow_method)


def parse(
    source: RawClip, *, short_side: int = SHORT_SIDE, flow_method: str | None = None
) -> Iterator[Record]:
    """The record of one file.

    Raises:
      UserError: the file cannot be used; see `decode.encode`.
    """
    clip = video_encoding.encode(source.path, short_side=short_side, flow=flow_method)
    yield {
        "id": source.id,
        "num_frames": np.int32(len(clip.frames)),
        "label": source.label,
        "frames": np.array(clip.frames, object),
        **({"flow": np.array(clip.flow, object)} if flow_method else {}),
        "times": clip.times,
        "fps": np.float32(clip.fps),
        "height": np.int32(clip.height),
        "width": np.int32(clip.width),
        "damaged": np.int32(clip.damaged),
        "group": source.facts["group"],
    }


def video_files(raw: Path, expects: str) -> list[Path]:
    """Video files under `raw` by their suffix, sorted, without hidden ones.

    Raises:
      UserError: there is none.
    """
    found = sorted(
        path
        for path in raw.rglob("*")
        if path.suffix.lower() in video_file.SUFFIXES and path.name[0] != "."
    )
    if not found:
        raise UserError(f"no video file under {str(raw)!r}; expected {expects}")
    return found


def _stored(short_side: int, flow_method: str | None) -> dict[str, Any]:
    quality = {"jpeg_quantiser": video_encoding.QUANTISER}
    return {
        "short_side": short_side,
        **quality,
        "flow": flow_method,
        "flow_bound": optical_flow.BOUND if flow_method else None,
    }
