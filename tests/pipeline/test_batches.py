"""Order, resuming, exact evaluation, processes."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from jaxact.config import AugmentConfig, ClipConfig
from jaxact.datasets import dataset_info
from jaxact.datasets import records as read
from jaxact.errors import UserError
from jaxact.pipeline import batches, epochs
from jaxact.skeletons import get_layout, gravity_radii

CLIP = dataclasses.asdict(ClipConfig(frames=4, persons=2))
JITTER = dataclasses.asdict(AugmentConfig(jitter=0.1))
PLAIN = dataclasses.asdict(AugmentConfig())
FILES = (9, 1, 0, 8, 5)  # records in each file of the set, 23 in all
COUNT = sum(FILES)


def parse(stored):
    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in ("id", "joints")}
    record = tf.io.parse_single_example(
        stored, spec | {"label": tf.io.FixedLenFeature([], tf.int64)}
    )
    joints = tf.ensure_shape(tf.io.parse_tensor(record["joints"], tf.float32), [None, None, 25, 3])
    return {**record, "joints": joints}


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [
        rng.uniform(0.5, 1.0, (rng.integers(2, 7), 2, 25, 3)).astype(np.float32)
        for _ in range(COUNT)
    ]


@pytest.fixture(scope="module")
def info(tmp_path_factory, clips):
    """A prepared set of 23 records in five files; a record's label is its number."""
    folder, shards, number = tmp_path_factory.mktemp("set"), [], 0
    for file, records in enumerate(FILES):
        path = folder / f"{file}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for _ in range(records):
                joints = tf.io.serialize_tensor(clips[number]).numpy()
                feature = {
                    "id": tf.train.Feature(
                        bytes_list=tf.train.BytesList(value=[f"clip {number}".encode()])
                    ),
                    "joints": tf.train.Feature(bytes_list=tf.train.BytesList(value=[joints])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[number])),
                }
                writer.write(
                    tf.train.Example(
                        features=tf.train.Features(feature=feature)
                    ).SerializeToString()
                )
                number += 1
        shards.append(dataset_info.Shard(str(path), records))
    return dataset_info.DatasetInfo(
        name="toy",
        path=str(folder),
        layout=get_layout("ntu-25"),
        labels=tuple(f"class {label}" for label in range(COUNT)),
        channels=("x", "y", "z"),
        splits={"all": COUNT, "a": sum(FILES[:2]), "b": sum(FILES[2:])},
        subsets={},
        test_only=(),
        licence="",
        summary={},
        unions={"all": ("a", "b")},
        shards={"a": tuple(shards[:2]), "b": tuple(shards[2:])},
    )


@pytest.fixture(autouse=True)
def parser(monkeypatch):
    monkeypatch.setattr(read, "parser", lambda info, fields=None: parse)


def train(info, steps, **options):
    defaults = {"split": "all", "batch_size": 4, "seed": 1, "clip": CLIP, "augment": JITTER}
    source = batches.train_batches(info, **{**defaults, **options})
    return [next(source) for _ in range(steps)]


def evaluate(info, **options):
    return list(
        batches.eval_batches(info, **{"split": "all", "batch_size": 4, "clip": CLIP, **options})
    )


def same(first, second):
    return all(
        a[name].tobytes() == b[name].tobytes()
        for a, b in zip(first, second, strict=True)
        for name in a
    )


def targets(steps):
    return np.concatenate([batch["targets"] for batch in steps])


def test_training_batches_are_full_and_have_the_promised_types(info):
    for batch in train(info, 7, batch_size=4):
        assert batch["inputs"].shape == (4, 4, 2, 25, 3)
        assert batch["inputs"].dtype == np.float32
        assert batch["targets"].dtype == np.int32


@pytest.mark.slow
@pytest.mark.parametrize("process", [(0, 1), (1, 2)])
def test_starting_at_a_step_gives_the_bytes_of_running_there(info, process):
    share = dict(zip(("process_index", "process_count"), process, strict=True))
    uninterrupted = train(info, 49, **share)
    for start_step in (1, 5, 6, 12, 46):
        resumed = train(info, 3, start_step=start_step, **share)
        assert same(resumed, uninterrupted[start_step : start_step + 3]), start_step


def test_a_part_of_a_split_trains_and_the_rest_of_it_is_evaluated(info):
    learnt = set()
    for process in range(2):
        steps = train(info, 23, split="all[:70%]", process_index=process, process_count=2)
        learnt |= set(targets(steps).tolist())
    scored = np.concatenate(
        [batch["targets"][batch["mask"]] for batch in evaluate(info, split="all[70%:]")]
    )
    assert len(scored) == len(set(scored)) == read.count(info, "all[70%:]")
    assert learnt | set(scored.tolist()) == set(range(COUNT)) and not learnt & set(scored.tolist())


@pytest.mark.parametrize("shuffle_buffer", [1, 5, 1000])
def test_every_epoch_has_every_example_once_across_batch_borders(info, shuffle_buffer):
    order = targets(train(info, COUNT, batch_size=5, shuffle_buffer=shuffle_buffer)).reshape(
        5, COUNT
    )
    for epoch in order:
        assert sorted(epoch) == list(range(COUNT))
    # A buffer of one record leaves the order of the four files to chance.
    assert len({tuple(epoch) for epoch in order}) >= (2 if shuffle_buffer == 1 else 5)


def test_order_and_augmentation_depend_on_the_seed(info):
    first = train(info, 8)
    assert same(first, train(info, 8))
    assert targets(first).tolist() != targets(train(info, 8, seed=2)).tolist()


def test_the_order_of_neighbouring_seeds_is_not_the_same_one_epoch_later(info):
    orders = [
        targets(train(info, 3, batch_size=COUNT, seed=seed)).reshape(3, COUNT) for seed in range(3)
    ]
    assert len({tuple(epoch) for run in orders for epoch in run}) == 9


def test_tensorflows_global_seed_changes_nothing(info):
    first = train(info, 8)
    tf.random.set_seed(77)
    second = train(info, 8)
    assert same(first, second)


def test_augmentation_is_drawn_anew_for_every_position(info, clips):
    noises = {}
    for batch in train(info, 2 * COUNT, batch_size=1):
        number = int(batch["targets"][0])
        noises.setdefault(number, []).append(batch["inputs"][0, 0] - clips[number][0])
    firsts = [noise[0].tobytes() for noise in noises.values()]
    assert len(set(firsts)) == COUNT
    assert all(not np.allclose(first, second) for first, second in noises.values())


def test_each_example_belongs_to_one_process_and_no_draw_is_shared(info, clips):
    owned, noises = [], []
    for index in range(3):
        steps = train(info, 12, batch_size=6, process_index=index, process_count=3)
        assert all(len(batch["targets"]) == 2 for batch in steps)
        owned.append(set(targets(steps).tolist()))
        noises += [
            x[0] - clips[y][0]
            for batch in steps
            for x, y in zip(batch["inputs"], batch["targets"], strict=True)
        ]
    assert [sorted(share) for share in owned] == [
        list(range(index, COUNT, 3)) for index in range(3)
    ]
    assert len({np.round(noise, 4).tobytes() for noise in noises}) == len(noises)


@pytest.mark.parametrize(
    ("batch_size", "processes"), [(1, 1), (4, 1), (23, 1), (60, 1), (1, 2), (4, 2), (4, 3), (23, 3)]
)
def test_evaluation_counts_every_example_exactly_once(info, batch_size, processes):
    parts = [
        evaluate(
            info, batch_size=batch_size * processes, process_index=index, process_count=processes
        )
        for index in range(processes)
    ]
    assert len({len(part) for part in parts}) == 1
    examples = []
    for part in parts:
        for batch in part:
            assert batch["inputs"].shape == (batch_size, 1, 4, 2, 25, 3)
            assert batch["mask"].dtype == bool
            mask = batch["mask"]
            assert not batch["inputs"][~mask].any()
            assert not batch["targets"][~mask].any()
            assert set(batch["id"][~mask]) <= {""}
            examples += list(zip(batch["targets"][mask].tolist(), batch["id"][mask], strict=True))
    assert sorted(examples) == [(number, f"clip {number}") for number in range(COUNT)]


def test_evaluation_goes_through_the_records_in_order_and_sees_them_plain(info, clips):
    examples = np.concatenate([batch["inputs"][batch["mask"]] for batch in evaluate(info)])
    for number, clip in enumerate(clips):
        expected = np.zeros((4, 2, 25, 3), np.float32)
        expected[: len(clip)] = clip[:4]
        np.testing.assert_array_equal(examples[number, 0], expected)


@pytest.mark.parametrize("processes", [1, 2])
def test_evaluation_of_some_classes_leaves_out_the_others(info, processes):
    class_ids = {2, 3, 5, 8, 13, 21}
    parts = [
        evaluate(info, classes=class_ids, process_index=index, process_count=processes)
        for index in range(processes)
    ]
    assert len({len(part) for part in parts}) == 1
    label_batches = [batch["targets"][batch["mask"]] for part in parts for batch in part]
    assert sorted(np.concatenate(label_batches)) == sorted(class_ids)


def test_views_are_an_axis_after_the_batch(info):
    batch = evaluate(info, clip=CLIP | {"views": 3, "sampling": "resize"})[0]
    assert batch["inputs"].shape == (4, 3, 4, 2, 25, 3)
    assert not np.array_equal(batch["inputs"][:, 0], batch["inputs"][:, 1])


def test_the_shuffle_buffer_is_bounded_in_bytes(info, monkeypatch):
    shards = read.shards(info, "all")
    assert epochs.records_in(1 << 30, shards) > COUNT
    assert 1 < epochs.records_in(9000, shards) < 8
    monkeypatch.setattr(batches, "SHUFFLE_BYTES", 1)
    assert sorted(targets(train(info, COUNT, batch_size=1))) == list(range(COUNT))


def test_gravity_radii_are_those_of_the_chosen_people(info, clips):
    radii = batches.gravity_radii(info, "all", clip=CLIP | {"persons": 1})
    np.testing.assert_allclose(radii, gravity_radii(clip[:, :1] for clip in clips), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 5, "process_count": 2}, "batch_size 5 does not divide over 2 processes"),
        ({"batch_size": 0}, "batch_size 0 does not divide over 1 processes"),
        ({"seed": -1}, r"seed is -1, but must lie in \[0, 2\*\*32\)"),
        ({"shuffle_buffer": 0}, "data.shuffle_buffer is 0, but must be at least 1"),
        ({"split": "train"}, "unknown split of 'toy' 'train'; available: all"),
        ({"clip": CLIP | {"pad": "wrap"}}, "unknown clip.pad 'wrap'"),
        (
            {"split": "a", "batch_size": 11, "process_index": 10, "process_count": 11},
            "split 'a' of 'toy' has 10 records, too few for 11 processes",
        ),
    ],
)
def test_unusable_training_options_are_refused_before_the_first_batch(info, options, message):
    with pytest.raises(UserError, match=message):
        train(info, 0, **options)


def test_unusable_evaluation_options_are_refused_before_the_first_batch(info):
    options = {"split": "all", "batch_size": 4, "clip": CLIP}
    with pytest.raises(
        UserError, match=r"'toy' has no label ids \[23\]; its 23 labels are numbered from 0"
    ):
        batches.eval_batches(info, classes=[1, 23], **options)
    with pytest.raises(UserError, match="split 'a' of 'toy' has no records of the classes"):
        batches.eval_batches(info, classes=[20], **options | {"split": "a"})
    with pytest.raises(UserError, match="person='clip_mean' ranks people by a score channel"):
        batches.eval_batches(info, **options | {"clip": CLIP | {"person": "clip_mean"}})
