"""Drawn pictures: joints on the drawn bodies, separate subjects, prepared records."""

import io

import numpy as np
from PIL import Image

from jaxact import datasets
from jaxact.datasets import dataset_info, records, stick_figures
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.stick_figures import StickFigures
from jaxact.datasets.synthetic import clips, drawing
from jaxact.pipeline import pose_picture


def test_a_picture_depends_on_its_name_alone_and_round_trips_as_png():
    first, people = stick_figures.scene(3, "wave", 1, 0)
    again, same = stick_figures.scene(3, "wave", 1, 0)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(people, same)
    assert not np.array_equal(first, stick_figures.scene(3, "wave", 1, 1)[0])
    np.testing.assert_array_equal(
        np.array(Image.open(io.BytesIO(drawing.encode_png(first)))), first
    )


def test_joints_are_on_the_drawn_bodies(monkeypatch):
    """Without the bodies, the pixels at visible joints change."""
    picture, people = stick_figures.scene(5, "kick", 0, 0)
    monkeypatch.setattr(drawing, "draw_limb", lambda *_: None)
    bare, _ = stick_figures.scene(5, "kick", 0, 0)
    visible = people[people[..., 2] == 2]
    change = np.abs(picture.astype(float) - bare).sum(-1)
    at = change[visible[:, 1].astype(int).clip(0, 119), visible[:, 0].astype(int).clip(0, 159)]
    assert len(visible) >= 20 and (at > 30).mean() > 0.9


def test_training_pictures_show_no_test_subject(monkeypatch):
    dataset, subjects = StickFigures.find(), []
    halves = {half: set(cells) for half, cells in dataset.unions.items()}
    assert (
        not halves["train"] & halves["test"]
        and len(halves["train"]) == 16
        and len(halves["test"]) == 8
    )
    original = clips.generate_clip
    monkeypatch.setattr(
        clips,
        "generate_clip",
        lambda subject, *rest: subjects.append(subject) or original(subject, *rest),
    )
    for subject, half_subjects in ((1, clips.TRAIN_SUBJECTS), (3, clips.TEST_SUBJECTS)):
        subjects.clear()
        for moment in range(4):
            stick_figures.scene(subject, "sit_down", 0, moment)
        assert set(subjects) <= set(half_subjects) and len(set(subjects)) > 1


def test_drawn_pictures_are_prepared_and_become_examples(tmp_path, monkeypatch):
    subset = StickFigures.find()
    subset.clips = [
        raw_clip
        for raw_clip in subset.clips
        if raw_clip.id.startswith("wave_") and raw_clip.id.endswith("_r0")
    ][:3]
    monkeypatch.setattr(StickFigures, "find", classmethod(lambda cls, raw, *, layout=None: subset))
    monkeypatch.setitem(datasets.DATASETS, "stick_figures", StickFigures)
    summary = prepare.prepare("stick_figures", data_dir=tmp_path, options=PrepareOptions(workers=1))
    assert summary.clips == 6 and summary.splits["train"] + summary.splits["test"] == 6
    info = dataset_info.load("stick_figures", tmp_path)
    assert (
        info.kind == "pose" and info.channels == ("x", "y", "seen") and info.layout.name == "ntu-25"
    )
    clip = {"height": 64, "width": 64, "sigma": 7.0, "thickness": 1.0, "persons": 4}
    for record in records.records(info, "all", fields=pose_picture.FIELDS).take(1):
        picture, people = stick_figures.scene(*parse_name(record["id"].numpy().decode()))
        np.testing.assert_allclose(record["joints"][0], people * (people[..., 2:] > 0), rtol=1e-5)
        example = pose_picture.evaluate(record, layout=info.layout, **clip)
        expected = (
            np.array(Image.fromarray(picture).resize((64, 48), Image.Resampling.BOX), float) / 127.5
            - 1
        )
        assert np.abs(example["inputs"][0, 8:56] - expected).mean() < 0.08
        assert example["targets"]["joints"].numpy().max() > 0.5
        count = int((example["targets"]["people"].numpy()[..., 2] > 0).any(1).sum())
        assert 1 <= count <= len(people)


def parse_name(name: str) -> tuple[int, str, int, int]:
    action, subject, repetition, moment = name.rsplit("_", 3)
    return int(subject[1:]), action, int(repetition[1:]), int(moment[1:])
