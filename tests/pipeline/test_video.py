"""A video record becomes an example: which frames, which part of them, in which range; and batches
of them.
"""

import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from jaxact.datasets import dataset_info
from jaxact.datasets import records as read
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError
from jaxact.pipeline import batches, video
from tests.helpers import videos

CLIP = {
    "frames": 5,
    "height": 12,
    "width": 18,
    "sampling": "uniform",
    "fit": "stretch",
    "stream": "rgb",
    "motion": "recorded",
    "views": 1,
}
PLAIN = {"crop": 1.0, "mirror": False}


def jpeg(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def record(
    count: int = 7, height: int = 24, width: int = 40, flow: bool = False
) -> dict[str, tf.Tensor]:
    clip = videos.frames(count, height, width)
    fields = {
        "id": tf.constant("clip"),
        "label": tf.constant(3, tf.int64),
        "frames": tf.constant([jpeg(picture) for picture in clip]),
        "times": tf.constant(np.arange(count) / 25, tf.float32),
        "height": tf.constant(height),
        "width": tf.constant(width),
    }
    if flow:
        rng = np.random.default_rng(1)
        sides = (
            rng.integers(0, 255, (count, 3, 10), np.uint8).repeat(8, 1).repeat(8, 2)
        )  # whole blocks survive JPEG
        fields["flow"] = tf.constant([jpeg(side) for side in sides])
    return fields


def train(example, position=0, **options):
    pair = tf.constant([5, position], tf.int64)
    return video.train(example, pair, **{**CLIP, **PLAIN, **options})


def evaluate(example, **options):
    return video.evaluate(example, **{**CLIP, **options})["inputs"].numpy()


def opened(example, field="frames") -> np.ndarray:
    """The record's pictures by another decoder."""
    return np.stack([np.array(Image.open(io.BytesIO(data))) for data in example[field].numpy()])


def bilinear(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Every output pixel by hand: centres of pixels at halves, no smoothing, edges repeated."""
    rows, columns, _ = picture.shape
    actual = np.zeros((height, width, picture.shape[2]))
    for i, j in itertools.product(range(height), range(width)):
        y = (i + 0.5) * rows / height - 0.5
        x = (j + 0.5) * columns / width - 0.5
        for di, dj in itertools.product((0, 1), (0, 1)):
            row, column = int(np.floor(y)) + di, int(np.floor(x)) + dj
            weight = (1 - abs(y - row)) * (1 - abs(x - column))
            actual[i, j] += (
                weight * picture[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)]
            )
    return actual


def scaled(pictures, height: int = 12, width: int = 18) -> np.ndarray:
    return (
        np.stack([bilinear(picture.astype(float), height, width) for picture in pictures]) / 127.5
        - 1
    )


@pytest.mark.parametrize("frames", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("length", [1, 2, 15, 40, 41, 300])
def test_uniform_frames_are_the_rounded_even_places(length, frames):
    actual = video.uniform(tf.constant(length), frames=frames).numpy()
    places = [i * (length - 1) / (frames - 1) if frames > 1 else 0.0 for i in range(frames)]
    assert actual.tolist() == [int(np.floor(place + 0.5 + 1e-9)) for place in places]
    if frames == 40:  # the paper's number of frames; no place lies halfway between two
        assert actual.tolist() == np.round(np.linspace(0, length - 1, 40)).astype(int).tolist()


def test_frames_even_in_time_are_the_nearest_to_even_moments():
    times = np.array([0.0, 0.1, 0.2, 0.3, 1.0, 2.0], np.float32)
    actual = video.uniform_time(tf.constant(times), frames=6).numpy()
    assert (
        actual.tolist()
        == [np.abs(times - moment).argmin() for moment in np.linspace(0, 2, 6)]
        == [0, 3, 4, 4, 5, 5]
    )
    even = tf.constant(np.arange(50) / 25, tf.float32)
    assert video.uniform_time(even, frames=8).numpy().tolist() == [0, 7, 14, 21, 28, 35, 42, 49]
    assert video.uniform_time(tf.constant([0.0]), frames=3).numpy().tolist() == [0, 0, 0]


@pytest.mark.parametrize("length", [1, 3, 10, 57])
def test_segments_take_one_frame_of_each_part(length):
    for place in (0.0, 0.5, 0.99):
        actual = video.segments(tf.constant(length), frames=10, offset=place).numpy()
        assert actual.tolist() == [
            int(np.floor((i + place) * length / 10 + 1e-6)) for i in range(10)
        ]
    places = tf.random.stateless_uniform([10], [0, 1])
    actual = video.segments(tf.constant(57), frames=10, offset=places).numpy()
    assert all(57 * i // 10 <= frame <= 57 * (i + 1) // 10 for i, frame in enumerate(actual))


def test_an_example_is_the_sampled_frames_resized_to_minus_one_to_one():
    example = record()
    actual = evaluate(example)
    assert actual.shape == (1, 5, 12, 18, 3) and actual.dtype == np.float32
    expected = scaled(opened(example)[[0, 2, 3, 5, 6]])  # places 0, 1.5, 3, 4.5, 6
    np.testing.assert_allclose(actual[0], expected, atol=0.02)
    assert (
        video.evaluate(example, **CLIP)["id"] == b"clip"
        and video.evaluate(example, **CLIP)["targets"] == 3
    )


def test_full_black_and_full_white_are_the_ends_of_the_range():
    flat = np.stack([np.full((24, 40, 3), value, np.uint8) for value in (0, 255)])
    example = record() | {"frames": tf.constant([jpeg(picture) for picture in flat])}
    actual = evaluate(example, frames=2)[0]
    assert (actual[0] == -1).all() and (actual[1] == 1).all()


def test_frames_that_are_not_sampled_are_not_decoded_and_repeated_ones_once(monkeypatch):
    example = record()
    stored = example["frames"].numpy()
    stored[[1, 4]] = b"broken"
    assert evaluate(example | {"frames": tf.constant(stored)}).shape == (1, 5, 12, 18, 3)
    decoded_counts = []

    def count(pictures, **options):
        decoded_counts.append(len(pictures))
        return original(pictures, **options)

    original = video.decode_frames
    monkeypatch.setattr(video, "decode_frames", count)
    short = record(3)
    actual = evaluate(short, frames=8)
    assert decoded_counts == [3]
    np.testing.assert_array_equal(actual, evaluate(short, frames=3)[:, [0, 0, 1, 1, 1, 1, 2, 2]])


def test_a_crop_to_shape_is_the_middle_and_a_stretch_is_everything():
    example = record(height=24, width=40)
    cropped = evaluate(example, fit="crop", height=12, width=12)[0]
    np.testing.assert_allclose(
        cropped[0], scaled(opened(example)[:1, :, 8:32], 12, 12)[0], atol=0.02
    )
    tall = evaluate(example, fit="crop", height=20, width=8)[0]
    np.testing.assert_allclose(tall[0], scaled(opened(example)[:1, :, 15:25], 20, 8)[0], atol=0.03)
    same = evaluate(example, fit="crop", height=6, width=10)
    np.testing.assert_array_equal(same, evaluate(example, fit="stretch", height=6, width=10))


def test_views_take_other_frames_of_every_segment():
    example = record(20)
    actual = evaluate(example, sampling="segments", views=2)
    pictures = (
        scaled(opened(example)[[1, 5, 9, 13, 17]]),
        scaled(opened(example)[[3, 7, 11, 15, 19]]),
    )
    np.testing.assert_allclose(actual, np.stack(pictures), atol=0.02)


def test_the_difference_to_the_next_recorded_frame():
    example = record(6)
    actual = evaluate(example, stream="difference", frames=3)[0]
    pictures = scaled(opened(example))
    expected = [pictures[1] - pictures[0], pictures[4] - pictures[3], 0 * pictures[0]]
    np.testing.assert_allclose(actual, expected, atol=0.04)
    assert not actual[2].any()


def test_the_difference_to_the_next_sampled_frame():
    example = record(6)
    actual = evaluate(example, stream="difference", motion="sampled", frames=3)[0]
    pictures = evaluate(example, frames=3)[0]
    np.testing.assert_array_equal(actual[:2], pictures[1:] - pictures[:-1])
    assert not actual[2].any()


def test_flow_has_two_channels_x_from_the_left_half():
    example = record(flow=True)
    actual = evaluate(example, stream="flow", height=24, width=40)[0]
    assert actual.shape == (5, 24, 40, 2)
    sides = opened(example, "flow")[[0, 2, 3, 5, 6]] / 127.5 - 1
    np.testing.assert_allclose(actual[..., 0], sides[:, :, :40], atol=0.02)
    np.testing.assert_allclose(actual[..., 1], sides[:, :, 40:], atol=0.02)


def test_without_augmentation_training_sees_what_evaluation_sees():
    example = record(flow=True)
    for stream, sampling, fit in itertools.product(
        video.CHOICES["stream"], ("uniform", "uniform_time"), ("crop", "stretch")
    ):
        options = {"stream": stream, "sampling": sampling, "fit": fit}
        trained = train(example, **options)
        np.testing.assert_array_equal(evaluate(example, **options)[0], trained["inputs"])
        assert trained["targets"].dtype == tf.int32 and int(trained["targets"]) == 3


def test_the_same_seed_and_record_give_the_same_bytes_and_another_position_others():
    example, options = record(30), {"sampling": "segments", "crop": 0.5, "mirror": True}
    first, repeated = (train(example, **options)["inputs"].numpy() for _ in range(2))
    assert first.tobytes() == repeated.tobytes()
    others = {
        train(example, position, **options)["inputs"].numpy().tobytes() for position in range(8)
    }
    assert len(others) == 8 and first.tobytes() in others


@pytest.mark.parametrize("stream", video.CHOICES["stream"])
def test_a_mirror_turns_the_whole_clip_half_of_the_time(stream):
    example = record(flow=True)
    plain = train(example, stream=stream)["inputs"].numpy()
    mirrored_clip = plain[:, :, ::-1] * (np.array([-1, 1]) if stream == "flow" else 1)
    count = 0
    for position in range(24):
        actual = train(example, position, stream=stream, mirror=True)["inputs"].numpy()
        mirrored = bool(np.abs(actual - plain).max() > 1e-6)
        np.testing.assert_array_equal(actual, mirrored_clip if mirrored else plain)
        count += mirrored
    assert 5 <= count <= 19


def test_a_random_crop_is_one_window_for_the_whole_clip():
    """In a picture whose colours are its coordinates, an example's corners tell where it was
    cut.
    """
    y, x = np.mgrid[:64, :96].astype(np.float32)
    picture = np.stack([2 * x, 3 * y, 0 * x], axis=-1).astype(np.uint8)
    example = record(height=64, width=96) | {"frames": tf.constant([jpeg(picture)] * 7)}
    windows = []
    for position in range(40):
        actual = (
            train(example, position, crop=0.5, height=32, width=48)["inputs"].numpy() + 1
        ) * 127.5
        assert np.abs(actual - actual[:1]).max() == 0
        left, right = actual[0, 16, [2, -3], 0] / 2
        top, bottom = actual[0, [2, -3], 24, 1] / 3
        wide, high = (right - left) / 43 * 48, (bottom - top) / 27 * 32
        assert 0.45 <= wide / 96 <= 1.02 and abs(wide / 96 - high / 64) < 0.05
        windows.append((left, top, wide))
    lefts, tops, widths = np.array(windows).T
    assert (
        widths.min() < 56
        and widths.max() > 88
        and lefts.max() > 30
        and tops.max() > 20
        and lefts.min() < 6
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"sampling": "dense"},
            r"unknown clip.sampling 'dense'; available: segments, uniform, uniform_time",
        ),
        ({"fit": "pad"}, r"unknown clip.fit 'pad'; available: crop, stretch"),
        ({"stream": "depth"}, r"unknown clip.stream 'depth'"),
        ({"motion": "both"}, r"unknown clip.motion 'both'"),
        ({"height": 0}, r"clip.height is 0, but must be at least 1"),
        ({"views": 3}, r"clip.views=3 needs clip.sampling='segments', got 'uniform'"),
        ({"crop": 0.0}, r"augment.crop is 0.0, but must be above 0 and at most 1"),
    ],
)
def test_options_that_make_no_sense_say_so(options, problem):
    clip, augment = (
        {name: value for name, value in {**CLIP, **PLAIN, **options}.items() if name in names}
        for names in (CLIP, PLAIN)
    )
    with pytest.raises(UserError, match=problem):
        video.check(clip=clip, augment=augment)


def test_options_of_another_kind_of_record_are_refused():
    with pytest.raises(
        UserError, match=r"the records are videos, but the config's options lack clip.height"
    ):
        video.check(clip={"frames": 5, "persons": 2}, augment=None)


@pytest.fixture(scope="module")
def info(tmp_path_factory) -> dataset_info.DatasetInfo:
    root = tmp_path_factory.mktemp("videos")
    for number in range(11):
        videos.write(
            root / f"raw/class{number % 3}/{number}.mp4",
            videos.frames(4 + number, 24, 32, seed=number),
        )
    prepare.prepare(
        "video_folder", raw=root / "raw", data_dir=root, options=PrepareOptions(workers=1)
    )
    return dataset_info.load("video_folder", root)


def same(first, second) -> bool:
    return all(
        a[name].tobytes() == b[name].tobytes()
        for a, b in zip(first, second, strict=True)
        for name in a
    )


def test_every_video_is_in_one_evaluation_row(info):
    actual = list(batches.eval_batches(info, split="all", batch_size=4, clip=CLIP))
    assert [batch["inputs"].shape for batch in actual] == [(4, 1, 5, 12, 18, 3)] * 3
    names = [name for batch in actual for name in batch["id"][batch["mask"]]]
    assert sorted(names) == sorted(f"class{number % 3}/{number}" for number in range(11))
    records = {
        r["id"].decode(): r for r in read.records(info, "all", fields=None).as_numpy_iterator()
    }
    for name, inputs in zip(actual[0]["id"], actual[0]["inputs"], strict=True):
        example = {field: tf.constant(value) for field, value in records[name].items()}
        np.testing.assert_array_equal(inputs, evaluate(example))


@pytest.mark.parametrize("start", [1, 4])
def test_starting_at_a_step_gives_the_bytes_of_running_there(info, start):
    options = {"split": "all", "batch_size": 3, "seed": 1, "clip": CLIP | {"sampling": "segments"}}
    options["augment"] = {"crop": 0.6, "mirror": True}
    uninterrupted = list(itertools.islice(batches.train_batches(info, **options), start + 3))
    resumed = list(itertools.islice(batches.train_batches(info, start_step=start, **options), 3))
    assert same(resumed, uninterrupted[start:]) and resumed[0]["inputs"].shape == (3, 5, 12, 18, 3)


def test_augmentation_reaches_the_batches(info):
    options = {"split": "all", "batch_size": 11, "seed": 1, "clip": CLIP}
    plain, mirrored, cropped = (
        next(batches.train_batches(info, augment=PLAIN | change, **options))["inputs"]
        for change in ({}, {"mirror": True}, {"crop": 0.5})
    )
    mirrored_clip = [
        bool((actual == original[:, :, ::-1]).all())
        for actual, original in zip(mirrored, plain, strict=True)
    ]
    same = [
        bool((actual == original).all()) for actual, original in zip(mirrored, plain, strict=True)
    ]
    assert (
        any(mirrored_clip)
        and any(same)
        and all(a != b for a, b in zip(mirrored_clip, same, strict=True))
    )
    assert not any(
        (actual == original).all() for actual, original in zip(cropped, plain, strict=True)
    )


def test_records_without_flow_say_how_to_get_it(info):
    with pytest.raises(
        UserError,
        match=r"needs stored flow; prepare 'video_folder' again with --flow dis or farneback",
    ):
        next(
            batches.train_batches(
                info,
                split="all",
                batch_size=2,
                seed=0,
                clip=CLIP | {"stream": "flow"},
                augment=PLAIN,
            )
        )
    with pytest.raises(
        UserError, match=r"the records are videos, but the config's options lack clip.height"
    ):
        batches.eval_batches(info, split="all", batch_size=2, clip={"frames": 5, "views": 1})
