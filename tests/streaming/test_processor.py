"""Everybody in a frame: ids, seats, gaps, other sizes, and nothing kept of those who are gone."""

import dataclasses

import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.streaming.frame import Frame
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.processor import MAX_TRACKS, StreamProcessor
from tests.helpers.poses import person


class Crowd:
    """In place of a pose network: the people of each frame in turn."""

    layout = "body-14"

    def __init__(self, frames):
        self.frames, self.seconds = iter(frames), {}

    def __call__(self, picture):
        return np.asarray(next(self.frames), np.float32).reshape(-1, 14, 3)


class CountingClassifier:
    """In place of a recogniser: counts the frames of everybody; two classes."""

    work_per_frame = "nothing"

    def __init__(self):
        self.frames = {}

    def step(self, people, requested):
        for name, joints in people.items():
            self.frames.setdefault(name, []).append(bool(joints.any()))
            self.frames[name] = self.frames[name][-8:]
        return {name: np.array([0.9, 0.1]) for name in requested}

    def keep_only(self, ids):
        self.frames = {name: frames for name, frames in self.frames.items() if name in ids}


def processor(frames, **options):
    clip = dataclasses.asdict(config.ClipConfig()) | options.pop("clip", {})
    preprocessor = PosePreprocessor(skeletons.get_layout("body-14"), ("x", "y", "score"), clip)
    return StreamProcessor(
        estimator=Crowd(frames),
        classifier=CountingClassifier(),
        preprocessor=preprocessor,
        **options,
    )


def frame(number, size=(480, 640)):
    return Frame(number, number / 25, np.zeros((*size, 3), np.uint8))


@pytest.mark.slow
def test_over_thousands_of_frames_no_more_is_kept_than_of_the_people_who_may_be_followed():
    random = np.random.default_rng(0)
    counts = [*random.integers(0, 31, 60), *random.integers(0, 3, 1940)]
    crowds = ([person(*random.uniform(0, 4000, 2), 60) for _ in range(count)] for count in counts)
    stream, notes = processor(crowds, persons=5), []
    stream.patience = 10
    for number in range(2000):
        result = stream.process(frame(number))
        notes += result.notes
        assert (
            len(stream._tracks.held) <= MAX_TRACKS
            and len(stream._predictions) <= 5
            and len(stream.classifier.frames) <= 5
        )
        assert sum(each.prediction is not None for each in result.people) <= 5
    assert stream.people_count > 500 and any("of them classified" in note for note in notes)


def test_nobody_is_nobody_and_whoever_comes_back_is_who_they_were():
    walk = [[person(100 + 5 * t, 50, 300)] if not 4 <= t < 9 else [] for t in range(12)]
    stream = processor(walk)
    results = [stream.process(frame(number)) for number in range(12)]
    assert [[each.id for each in result.people] for result in results] == [[0]] * 4 + [[]] * 5 + [
        [0]
    ] * 3
    assert results[0].people[0].prediction.label == 0 and not any(
        result.notes for result in results
    )
    assert stream.classifier.frames[0] == [False] * 5 + [True] * 3  # its clips keep empty frames


def test_frames_without_somebody_are_left_out_where_the_clips_drop_them():
    stream = processor(
        [[person(100, 50, 300)] if t != 2 else [] for t in range(5)], clip={"empty": "drop"}
    )
    for number in range(5):
        stream.process(frame(number))
    assert stream.classifier.frames[0] == [True] * 4


def test_a_picture_of_another_size_is_noted_and_everybody_stays_who_they_are():
    people = [person(100, 50, 300), person(400, 50, 300)]
    half = [each * (0.5, 0.5, 1) for each in people]
    stream = processor([people, half[::-1], people])
    results = [
        stream.process(frame(number, size))
        for number, size in enumerate([(480, 640), (240, 320), (480, 640)])
    ]
    assert [[each.id for each in result.people] for result in results] == [[0, 1]] * 3
    assert results[1].notes == ["the image size changed from 640 x 480 to 320 x 240"]
    np.testing.assert_allclose(results[1].people[0].joints, half[0], rtol=1e-6)


def test_the_oldest_have_the_seats_and_a_seat_that_is_free_goes_to_the_next():
    three = [person(x, 50, 200) for x in (100, 300, 500)]
    stream = processor([three] * 3 + [three[1:]] * 4, persons=2, patience=2)
    results = [stream.process(frame(number)) for number in range(7)]
    assert [
        [each.id for each in result.people if each.prediction]
        for result in (results[0], results[-1])
    ] == [
        [0, 1],
        [1, 2],
    ]
    assert results[0].notes == ["3 people are tracked, 2 of them classified"]
    assert results[-2].notes + results[-1].notes == ["everybody is classified again"]


def test_poses_that_are_read_need_a_size_a_layout_and_a_way_to_the_recognisers():
    poses = np.ones((1, 25, 3), np.float32) * 300
    preprocessor = PosePreprocessor(
        skeletons.get_layout("body-14"),
        ("x", "y", "score"),
        dataclasses.asdict(config.ClipConfig()),
    )
    with pytest.raises(
        UserError, match="pixels of an image of unknown size; state it, --size WIDTHxHEIGHT"
    ):
        StreamProcessor(classifier=CountingClassifier(), preprocessor=preprocessor).process(
            Frame(0, 0.0, poses=poses)
        )
    stream = StreamProcessor(
        classifier=CountingClassifier(), preprocessor=preprocessor, size=(400, 400)
    )
    assert [each.id for each in stream.process(Frame(0, 0.0, poses=poses)).people] == [
        0
    ] and stream.layout == "body-25"
    assert stream.process(Frame(1, 0.0, poses=poses[:, :18])).notes == [
        "people of 18 joints; wanted those of 'body-25'"
    ]
    assert not stream.process(Frame(2, 0.0, poses=np.zeros((0, 18, 3), np.float32))).people
    assert stream.process(Frame(3, 0.0, note="broken")).notes == ["broken"]
    far = dataclasses.replace(preprocessor, layout=skeletons.get_layout("ntu-25"))
    with pytest.raises(UserError, match="'body-25' does not convert to 'ntu-25'"):
        StreamProcessor(classifier=CountingClassifier(), preprocessor=far, size=(400, 400)).process(
            Frame(0, 0.0, poses=poses)
        )
