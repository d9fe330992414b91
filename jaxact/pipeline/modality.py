"""Modalities: how records of skeletons, of videos and of pictures with people become examples.

A modality binds the functions of its module to what they must know of the data set.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from jaxact.datasets import records
from jaxact.datasets.dataset_info import DatasetInfo
from jaxact.pipeline import pose_picture, skeleton, video
from jaxact.skeletons import Layout

PERSON_ID = "person_id"  # record field: which body is in which slot, where it is recorded

Options = Mapping[str, Any]


@runtime_checkable
class Modality(Protocol):
    """Makes examples of records; options are the fields of the clip and augment sections."""

    def check(self, *, clip: Options, augment: Options | None) -> None:
        """Raises UserError for options that cannot be used."""
        ...

    def fields(self, clip: Options) -> tuple[str, ...]:
        """The fields of a record that are decoded."""
        ...

    def train(self, record: Any, seed: Any, *, clip: Options, augment: Options) -> dict[str, Any]:
        """A training example: `inputs` and `targets`."""
        ...

    def evaluate(self, record: Any, *, clip: Options) -> dict[str, Any]:
        """An evaluation example: `inputs` with a view axis, `targets` and `id`."""
        ...

    def input_shape(self, clip: Options) -> tuple[int, ...]:
        """The shape of one view of an input."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class SkeletonModality:
    """Records of joints, see `pipeline.skeleton`."""

    info: DatasetInfo

    def check(self, *, clip: Options, augment: Options | None) -> None:
        skeleton.check(clip=clip, augment=augment, **self._joint_options())

    def fields(self, clip: Options) -> tuple[str, ...]:
        if clip["person"] == "denoised" and PERSON_ID in records.fields(self.info):
            return ("id", "joints", "label", PERSON_ID)
        return ("id", "joints", "label")

    def train(self, record: Any, seed: Any, *, clip: Options, augment: Options) -> dict[str, Any]:
        return skeleton.train(record, seed, **self._joint_options(), **clip, **augment)

    def evaluate(self, record: Any, *, clip: Options) -> dict[str, Any]:
        return skeleton.evaluate(record, **self._joint_options(), **clip)

    def input_shape(self, clip: Options) -> tuple[int, ...]:
        return skeleton.input_shape(clip=clip, **self._joint_options())

    def _joint_options(self) -> dict[str, Any]:
        return {"layout": self.info.layout, "channels": self.info.channels}


@dataclasses.dataclass(frozen=True, slots=True)
class VideoModality:
    """Records of encoded frames, see `pipeline.video`."""

    info: DatasetInfo

    def check(self, *, clip: Options, augment: Options | None) -> None:
        video.check(clip=clip, augment=augment)

    def fields(self, clip: Options) -> tuple[str, ...]:
        return video.fields(clip, stored=records.fields(self.info), dataset=self.info.name)

    def train(self, record: Any, seed: Any, *, clip: Options, augment: Options) -> dict[str, Any]:
        return video.train(record, seed, **clip, **augment)

    def evaluate(self, record: Any, *, clip: Options) -> dict[str, Any]:
        return video.evaluate(record, **clip)

    def input_shape(self, clip: Options) -> tuple[int, ...]:
        return video.input_shape(clip=clip)


@dataclasses.dataclass(frozen=True, slots=True)
class PosePictureModality:
    """Records of pictures with people, see `pipeline.pose_picture`."""

    layout: Layout

    def check(self, *, clip: Options, augment: Options | None) -> None:
        pose_picture.check(clip=clip, augment=augment)

    def fields(self, clip: Options) -> tuple[str, ...]:
        del clip
        return pose_picture.FIELDS

    def train(self, record: Any, seed: Any, *, clip: Options, augment: Options) -> dict[str, Any]:
        return pose_picture.train(record, seed, layout=self.layout, **clip, **augment)

    def evaluate(self, record: Any, *, clip: Options) -> dict[str, Any]:
        return pose_picture.evaluate(record, layout=self.layout, **clip)

    def input_shape(self, clip: Options) -> tuple[int, ...]:
        return pose_picture.input_shape(clip=clip)


def modality_of(info: DatasetInfo) -> Modality:
    """The modality of a data set's records."""
    if info.kind == "video":
        return VideoModality(info)
    if info.kind == "pose":
        return PosePictureModality(info.layout)
    return SkeletonModality(info)
