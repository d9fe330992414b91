"""Base class of the data sets of pictures with people, and their records.

record {id, image: JPEG or PNG, height i32, width i32, joints f32 [1 m v (x, y, seen)], ignored u8
[h w], num_frames 1, label}. Coordinates are the file's. `seen` is 0 for a missing joint, 1 for an
annotated joint that is hidden, 2 for a visible one. `ignored` is 1 where there are people whose
joints are not annotated.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Bool, Float

from jaxact.datasets.preparation.builder import RawDataset, Record, RecordBuilder
from jaxact.errors import UserError

CHANNELS = ("x", "y", "seen")
# Markers of the frame header of a JPEG file, which holds the size of the picture.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class PictureBuilder(RecordBuilder, skip_registration=True):
    """A builder of records of single pictures."""

    KIND: ClassVar[str] = "pose"

    @classmethod
    def features(cls, dataset: RawDataset) -> dict[str, Any]:
        """The picture, its people, and the extra features of the data set."""
        shape = (1, None, len(dataset.layout.joints), len(dataset.channels))
        return {
            "image": tfds.features.Tensor(shape=(), dtype=np.object_, doc="JPEG or PNG"),
            "height": tfds.features.Scalar(np.int32),
            "width": tfds.features.Scalar(np.int32),
            "joints": tfds.features.Tensor(
                shape=shape, dtype=np.float32, encoding="bytes", doc="1 m v c; zero: missing"
            ),
            "ignored": tfds.features.Tensor(
                shape=(None, None), dtype=np.uint8, encoding="zlib", doc="h w"
            ),
            **cls.extras(dataset),
        }

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Features of a record beyond those of every picture."""
        del dataset
        return {}


def picture_record(
    name: str,
    label: int,
    image: bytes,
    size: tuple[int, int],
    joints: Float[np.ndarray, "m v 3"],
    ignored: Bool[np.ndarray, "h w"] | None = None,
    **extras: Any,
) -> Record:
    """The record of one picture.

    Args:
        name: id of the record.
        label: class of the picture.
        image: content of the file.
        size: height and width, pixels.
        joints: joints (x, y, seen) of every person; missing ones become zero.
        ignored: where people are whose joints are unknown; None is nowhere.
        extras: further features of the data set.

    Raises:
        UserError: a joint that is present has coordinates that are not finite.
    """
    present = joints[..., 2] > 0
    if not np.isfinite(joints[present]).all():
        raise UserError(
            f"{name!r}: a joint that is marked as there has coordinates that are not finite numbers"
        )
    if ignored is None:
        ignored = np.zeros(size, bool)
    return {
        "id": name,
        "num_frames": np.int32(1),
        "label": label,
        "image": image,
        "height": np.int32(size[0]),
        "width": np.int32(size[1]),
        "joints": np.where(present[..., None], joints, 0)[None].astype(np.float32),
        "ignored": ignored.astype(np.uint8),
        **extras,
    }


def jpeg_size(data: bytes, path: str) -> tuple[int, int]:
    """Height and width of a JPEG file.

    Raises:
        UserError: it is not a JPEG file. The message names it.
    """
    offset = 2
    while data[:2] == b"\xff\xd8" and offset + 9 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, offset + 5)
            return height, width
        if marker == 0xFF:  # a fill byte
            offset += 1
        else:
            (length,) = struct.unpack_from(">H", data, offset + 2)
            offset += 2 + length
    raise UserError(f"{path!r} is not a JPEG picture")


def find_pictures(raw: Path, names: Sequence[str], listing: Path) -> dict[str, Path]:
    """The path under `raw`, at any depth, of each file name.

    Args:
        raw: the folder to search.
        names: the file names.
        listing: the file that lists these names, for the error message.

    Raises:
        UserError: a picture is not under `raw`.
    """
    paths = {}
    for path in sorted(raw.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            paths[path.name] = path
    absent = [name for name in names if Path(name).name not in paths]
    if absent:
        raise UserError(
            f"{str(listing)!r} names {len(absent)} pictures that are not under {str(raw)!r}; "
            f"the first: {absent[0]!r}"
        )
    return {name: paths[Path(name).name] for name in names}


def segmentation_mask(segmentation: Any, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The pixels inside a COCO segmentation.

    A pixel is inside a polygon where its centre is (even-odd rule).

    Args:
        segmentation: polygons [[x, y, x, y ...] ...], or {"counts": run lengths, column by column}.
        size: height and width of the picture, pixels.

    Raises:
        UserError: neither of the two formats.
    """
    height, width = size
    if isinstance(segmentation, Mapping) and isinstance(segmentation.get("counts"), Sequence):
        counts = segmentation["counts"]
        if not isinstance(counts, str) and sum(counts) == height * width:
            inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
            return inside.reshape(width, height).T
    elif isinstance(segmentation, Sequence) and all(map(_is_polygon, segmentation)):
        mask = np.zeros(size, bool)
        for polygon in segmentation:
            mask |= _polygon_mask(np.asarray(polygon, np.float64).reshape(-1, 2), height, width)
        return mask
    raise UserError(
        f"a segmentation of a picture of {width} x {height} cannot be read: "
        f"{str(segmentation)[:60]}"
    )


def _is_polygon(values: Sequence[float]) -> bool:
    return len(values) >= 6 and len(values) % 2 == 0


def _polygon_mask(
    corners: Float[np.ndarray, "n 2"], height: int, width: int
) -> Bool[np.ndarray, "h w"]:
    """Pixels from which a ray to the left crosses the outline an odd number of times."""
    crossings = np.zeros((height, width + 1), np.int64)
    rows = np.arange(height) + 0.5
    for (x, y), (next_x, next_y) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crossed = np.flatnonzero((rows >= min(y, next_y)) & (rows < max(y, next_y)))
        if not len(crossed):
            continue
        crossing_x = x + (rows[crossed] - y) * (next_x - x) / (next_y - y)
        columns = np.clip(np.ceil(crossing_x - 0.5), 0, width).astype(int)
        np.add.at(crossings, (crossed, columns), 1)
    return np.cumsum(crossings[:, :width], axis=1) % 2 == 1
