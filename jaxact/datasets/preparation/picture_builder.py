"""What the sets of pictures with people share, and how a picture becomes a record.

record {id, image: JPEG or PNG, height i32, width i32, joints f32 [1 m v (x, y, seen)], ignored u8
[h w], num_frames 1, label}. Coordinates are the file's; `seen` is 0 for a missing joint, 1 for one
that is hidden and known, 2 in sight. `ignored` is 1 where there are people whose joints nobody has
marked.
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
# Markers of a JPEG file's frame header, which holds the picture's size.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class PictureBuilder(RecordBuilder, skip_registration=True):
    """A builder of records of single pictures."""

    KIND: ClassVar[str] = "pose"

    @classmethod
    def features(cls, found: RawDataset) -> dict[str, Any]:
        """The picture, its people, and what a dataset has beside them."""
        shape = (1, None, len(found.layout.joints), len(found.channels))
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
            **cls.extras(found),
        }

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Features of a record beyond these."""
        del found
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
      name: the record's id.
      label: its class.
      image: the file.
      size: height and width, pixels.
      joints: of everybody in it; missing ones become zero.
      ignored: where people are whose joints are unknown; None is nowhere.
      extras: further features of the dataset.

    Raises:
      UserError: a joint that is there has coordinates that are no numbers.
    """
    there = joints[..., 2] > 0
    if not np.isfinite(joints[there]).all():
        raise UserError(
            f"{name!r}: a joint that is marked as there has coordinates that are not finite numbers"
        )
    return {
        "id": name,
        "num_frames": np.int32(1),
        "label": label,
        "image": image,
        "height": np.int32(size[0]),
        "width": np.int32(size[1]),
        "joints": np.where(there[..., None], joints, 0)[None].astype(np.float32),
        "ignored": np.zeros(size, np.uint8) if ignored is None else ignored.astype(np.uint8),
        **extras,
    }


def jpeg_size(data: bytes, path: str) -> tuple[int, int]:
    """Height and width of a JPEG file.

    Raises:
      UserError: it is none; names it.
    """
    place = 2
    while data[:2] == b"\xff\xd8" and place + 9 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], struct.unpack_from(">H", data, place + 2)[0]
        if marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return height, width
        place += 1 if marker == 0xFF else 2 + length
    raise UserError(f"{path!r} is not a JPEG picture")


def find_pictures(raw: Path, wanted: Sequence[str], told_in: Path) -> dict[str, Path]:
    """Where each of the named files lies under `raw`, at any depth.

    Raises:
      UserError: one does not; names the file that tells of it.
    """
    lying = {
        path.name: path
        for path in sorted(raw.rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    }
    if lacking := [name for name in wanted if Path(name).name not in lying]:
        raise UserError(
            f"{str(told_in)!r} names {len(lacking)} pictures that are not under {str(raw)!r}; the first: {lacking[0]!r}"
        )
    return {name: lying[Path(name).name] for name in wanted}


def segmentation_mask(segmentation: Any, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The pixels of a COCO segmentation: polygons [[x, y, x, y ...] ...], or {"counts": run
    lengths, column by column}.

    A pixel is inside a polygon where its middle is (even-odd rule).

    Raises:
      UserError: neither of the two.
    """
    height, width = size
    if isinstance(segmentation, Mapping) and isinstance(segmentation.get("counts"), Sequence):
        counts = segmentation["counts"]
        if not isinstance(counts, str) and sum(counts) == height * width:
            inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
            return inside.reshape(width, height).T
    elif isinstance(segmentation, Sequence) and all(
        len(shape) >= 6 and len(shape) % 2 == 0 for shape in segmentation
    ):
        found = np.zeros(size, bool)
        for shape in segmentation:
            found |= _polygon(np.asarray(shape, np.float64).reshape(-1, 2), height, width)
        return found
    raise UserError(
        f"a segmentation of a picture of {width} x {height} cannot be read: {str(segmentation)[:60]}"
    )


def _polygon(corners: Float[np.ndarray, "n 2"], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Where a ray to the left crosses the outline an odd number of times."""
    crossings = np.zeros((height, width + 1), np.int64)
    rows = np.arange(height) + 0.5
    for (x, y), (to_x, to_y) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        over = np.flatnonzero((rows >= min(y, to_y)) & (rows < max(y, to_y)))
        at = x + (rows[over] - y) * (to_x - x) / (to_y - y) if len(over) else np.zeros(0)
        np.add.at(crossings, (over, np.clip(np.ceil(at - 0.5), 0, width).astype(int)), 1)
    return np.cumsum(crossings[:, :width], axis=1) % 2 == 1
