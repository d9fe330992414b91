"""Everybody in a frame: ids, seats, pairs, gaps, other sizes, and nothing kept of those who are
gone.
"""

import dataclasses

import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.streaming.frame import Frame
from jaxact.streaming.person_tracker import MAX_TRACKS
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.processor import StreamProcessor
from tests.helpers.poses import person


class Crowd:
    """In place of a pose network: the people of each frame in turn."""

    layout = "body-14"

    def __init__(self, frames):
        self.frames, self.seconds, self.about = iter(frames), {}, {}

    def __call__(self, picture):
        return np.asarray(next(self.frames), np.float32).reshape(-1, 14, 3)

    def reset(self):
        pass


class CountingClassifier:
    """In place of a recogniser: counts the frames of everybody; two classes."""

    work_per_frame = "nothing"

    def __init__(self):
        self.frames = {}

    def step(self, time, people, groups):
        self.groups = groups
        for name, joints in people.items():
            self.frames.setdefault(name, []).append(bool(joints.any()))
            self.frames[name] = self.frames[name][-8:]
        return {group: np.array([0.9, 0.1]) for group in groups}

    def keep_only(self, groups):
        ids = {person for group in groups for person in group}
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
    stream, notes = processor(crowds, persons=5, patience=0.4), []
    for number in range(2000):
        result = stream.process(frame(number))
        notes += result.notes
        assert (
            len(stream._tracker.ids) <= MAX_TRACKS
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


def test_a_picture_of_another_size_is_noted_and_everybody_stays_who_they_are():
    people = [person(100, 50, 300), person(400, 50, 300)]
    half = [each * (0.5, 0.5, 1) for each in people]
    stream = processor([people, half[::-1], people], smooth_joints=False)
    results = [
        stream.process(frame(number, size))
        for number, size in enumerate([(480, 640), (240, 320), (480, 640)])
    ]
    assert [[each.id for each in result.people] for result in results] == [[0, 1]] * 3
    assert results[1].notes == ["the image size changed from 640 x 480 to 320 x 240"]
    np.testing.assert_allclose(results[1].people[0].joints, half[0], rtol=1e-6)


def waving(t, x, height):
    """Somebody whose hands move."""
    hand = 0.2 * np.sin(t)
    return person(x, 50, height, j4=(-0.4, 0.2 + hand), j7=(0.4, 0.2 + hand))


def test_the_seats_go_to_those_who_move_and_fill_the_picture():
    crowds = []
    for t in range(60):
        still = [person(100, 50, 200), person(300, 50, 120)]
        crowds.append([*still, waving(t, 500, 200)] if t < 40 else still)
    stream = processor(crowds, persons=2, patience=0.1)
    results = [stream.process(frame(number)) for number in range(60)]
    assert results[0].notes == ["3 people are tracked, 2 of them classified"]
    assert results[39].ranked == (2, 0) and results[-1].ranked == (0, 1)
    classified = [each.id for each in results[39].people if each.prediction]
    assert classified == [0, 2]
    assert any("everybody is classified again" in result.notes for result in results[40:])


def test_a_pair_is_classified_together_and_both_have_its_prediction():
    crowds = [[person(100, 50, 200), waving(t, 300, 200), person(500, 50, 60)] for t in range(9)]
    stream = processor(crowds, pairs=True)
    results = [stream.process(frame(number)) for number in range(9)]
    assert stream.classifier.groups == [(0, 1)]
    labels = [each.prediction and each.prediction.label for each in results[-1].people]
    assert labels == [0, 0, None]
    assert stream.process(frame(9)._replace(image=None)).people == ()


def test_a_broken_track_is_stitched_and_a_far_one_is_not():
    walk = [[person(100, 50, 200)]] * 3 + [[]] * 3 + [[person(270, 50, 200)]] * 2
    stream = processor(walk)
    ids = [[each.id for each in stream.process(frame(number)).people] for number in range(8)]
    assert ids == [[0]] * 3 + [[]] * 3 + [[0]] * 2 and stream.people_count == 1
    far = processor([*walk[:6], [person(500, 50, 200)]])
    ids = [[each.id for each in far.process(frame(number)).people] for number in range(7)]
    assert ids[-1] == [1] and far.people_count == 2


def test_a_person_out_of_sight_is_tracked_for_seconds_and_not_for_frames():
    for fps, back in ((25, 22), (10, 8)):  # 0.88 and 0.8 s without a pose
        crowds = [[person(100, 50, 300)], *[[]] * back, [person(100, 50, 300)]]
        stream = processor(crowds)
        for number in range(len(crowds)):
            result = stream.process(frame(number)._replace(time=number / fps))
        assert result.people[0].id == 0
        stream = processor([*crowds[:-1], *[[]] * fps, crowds[-1]])
        for number in range(len(crowds) + fps):
            result = stream.process(frame(number)._replace(time=number / fps))
        assert result.people[0].id == 1


def test_joints_are_smoothed_over_time_in_images_and_not_in_poses():
    random = np.random.default_rng(0)
    noisy = []
    for _ in range(60):
        pose = person(100, 50, 300)
        pose[:, :2] += random.normal(0, 3, (14, 2))
        noisy.append([pose])
    for smooth in (False, True):
        stream = processor(noisy, smooth_joints=smooth)
        results = [stream.process(frame(number)) for number in range(60)]
        joints = np.stack([result.people[0].joints for result in results[30:]])
        jitter = np.abs(np.diff(joints[..., :2], axis=0)).mean()
        assert (jitter < 2.5) == smooth
    stream = StreamProcessor(size=(480, 640))
    for number, (pose,) in enumerate(noisy[:5]):
        (each,) = stream.process(Frame(number, number / 25, poses=pose[None])).people
        np.testing.assert_allclose(each.joints, pose, rtol=1e-5)


def test_probabilities_decay_with_time_and_not_with_frames():
    averages = []
    for fps in (10, 40):
        stream = processor([[person(100, 50, 300)]] * (fps + 1), keep=0.9)
        answers = iter([np.array([1.0, 0.0])] + [np.array([0.0, 1.0])] * fps)
        stream.classifier.step = lambda time, people, groups, answers=answers: {
            group: next(answers) for group in groups
        }
        for number in range(fps + 1):
            result = stream.process(frame(number)._replace(time=number / fps))
        averages.append(result.people[0].prediction.probabilities[0])
    np.testing.assert_allclose(averages, 0.9**30, rtol=1e-6)


def test_a_time_that_does_not_advance_is_counted_on():
    stream = processor([[person(100, 50, 300)]] * 4)
    for time in (1.0, 1.0, 0.2, 5.0):
        stream.process(frame(0)._replace(time=time))
    assert stream._time == 5.0


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
