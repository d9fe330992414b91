"""Modalities: which functions make examples of a data set's records, and which fields they read."""

import dataclasses

import pytest

from jaxact.config import ClipConfig
from jaxact.config.inputs import VideoClipConfig
from jaxact.config.pose_model import PoseClipConfig
from jaxact.datasets import records
from jaxact.datasets.dataset_info import DatasetInfo
from jaxact.pipeline import modality, pose_picture, skeleton, video
from jaxact.skeletons import get_layout

CLIPS = {"skeleton": ClipConfig(), "video": VideoClipConfig(), "pose": PoseClipConfig()}


def info(kind):
    return DatasetInfo(
        name="toy",
        path="",
        layout=get_layout("ntu-25"),
        labels=("walk", "wave"),
        channels=("x", "y", "z"),
        splits={},
        subsets={},
        test_only=(),
        licence="",
        summary={},
        unions={},
        shards={},
        kind=kind,
    )


@pytest.mark.parametrize("kind", CLIPS)
def test_every_kind_of_record_has_a_modality_with_the_shape_of_its_module(kind):
    clip = dataclasses.asdict(CLIPS[kind])
    selected = modality.modality_of(info(kind))
    assert isinstance(selected, modality.Modality)
    selected.check(clip=clip, augment=None)
    shapes = {
        "skeleton": lambda: skeleton.input_shape(
            clip=clip, layout=get_layout("ntu-25"), channels=("x", "y", "z")
        ),
        "video": lambda: video.input_shape(clip=clip),
        "pose": lambda: pose_picture.input_shape(clip=clip),
    }
    assert selected.input_shape(clip) == shapes[kind]()


@pytest.mark.parametrize(
    ("person", "stored", "fields"),
    [
        ("file", ("id", "joints", "label", "person_id"), ("id", "joints", "label")),
        ("denoised", ("id", "joints", "label"), ("id", "joints", "label")),
        (
            "denoised",
            ("id", "joints", "label", "person_id"),
            ("id", "joints", "label", "person_id"),
        ),
    ],
)
def test_bodies_are_told_apart_only_where_people_are_selected_by_it(
    person, stored, fields, monkeypatch
):
    monkeypatch.setattr(records, "fields", lambda info: stored)
    clip = dataclasses.asdict(ClipConfig(person=person))
    assert modality.modality_of(info("skeleton")).fields(clip) == fields


def test_pictures_with_people_are_read_without_their_label():
    fields = modality.modality_of(info("pose")).fields(dataclasses.asdict(PoseClipConfig()))
    assert "label" not in fields and {"id", "image", "joints", "ignored"} <= set(fields)
