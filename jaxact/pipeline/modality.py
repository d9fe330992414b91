"""What makes examples of a set's records: a family of functions each for skeletons, videos and
pictures with people.

A family is a module with `check`, `train`, `evaluate` and `input_shape`; here it gets what they
must know of the set.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from jaxact.datasets.records import DatasetInfo, fields
from jaxact.pipeline import pose_picture, skeleton, video

FIELDS = ("id", "joints", "label")
WHO = "person_id"  # which body is in which slot, where the records tell


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """The functions for one set's records; options are the fields of the clip and augment sections.

    Attributes:
      check: (clip=, augment=) raises UserError for options that make no sense.
      fields: (clip) -> what is read of a record.
      train: (record, seed, **options) -> {inputs, targets}.
      evaluate: (record, **options) -> {inputs with a view axis, targets, id}.
      input_shape: (clip=) -> shape of one view.
    """

    check: Callable[..., None]
    fields: Callable[[Mapping[str, Any]], tuple[str, ...]]
    train: Callable[..., Any]
    evaluate: Callable[..., Any]
    input_shape: Callable[..., tuple[int, ...]]


def family(info: DatasetInfo) -> Family:
    """The family of a set's records."""
    if info.kind == "video":
        seen = functools.partial(video.fields, stored=fields(info), name=info.name)
        return Family(video.check, seen, video.train, video.evaluate, video.input_shape)
    if info.kind == "pose":
        seen = functools.partial(functools.partial, layout=info.layout)
        return Family(
            pose_picture.check,
            lambda clip: pose_picture.FIELDS,
            seen(pose_picture.train),
            seen(pose_picture.evaluate),
            pose_picture.input_shape,
        )
    about = functools.partial(functools.partial, layout=info.layout, channels=info.channels)
    return Family(
        about(skeleton.check),
        functools.partial(_joints, info),
        about(skeleton.train),
        about(skeleton.evaluate),
        about(skeleton.input_shape),
    )


def _joints(info: DatasetInfo, clip: Mapping[str, Any]) -> tuple[str, ...]:
    """The joints, and the field that tells bodies apart, where people are chosen by it and the
    records have it.
    """
    return (*FIELDS, *((WHO,) if clip["person"] == "denoised" and WHO in fields(info) else ()))
