"""A record's way, border by border: a raw `.skeleton` file becomes logits, a checkpoint, an
artifact.
"""

import dataclasses
import functools

import jax
import numpy as np
import pytest

from jaxact import config, export
from jaxact.datasets import dataset_info, records
from jaxact.datasets.formats.ntu_skeleton_file import read_skeleton
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.preparation.prepare import prepare
from jaxact.losses import classification as losses
from jaxact.metrics import classification as metrics
from jaxact.pipeline import batches, device_prefetch
from jaxact.runs import sharding, state, trained_model
from jaxact.training import data_source, loop, optim, train_step
from tests.helpers import toys

CLIPS = [
    f"S001C{camera:03d}P{subject:03d}R001A{action:03d}"
    for camera in (1, 2)
    for subject in (1, 3)
    for action in (1, 2)
]
FRAMES = 7


def raw_text(seed: int) -> str:
    """A file of NTU RGB+D with one body of 25 joints, three decimals a coordinate."""
    random = np.random.default_rng(seed)
    rows = [str(FRAMES)]
    for _ in range(FRAMES):
        rows += ["1", "72057594037931101 0 1 1 1 1 0 0.1 0.2 2", "25"]
        rows += [
            " ".join(f"{value:.3f}" for value in random.uniform(-1, 3, 11)) + " 2"
            for _ in range(25)
        ]
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    for index, clip in enumerate(CLIPS):
        (folder / f"{clip}.skeleton").write_text(raw_text(index))
    return folder


@pytest.fixture(scope="module", autouse=True)
def short():
    with toys.short_networks():
        yield


@pytest.fixture(scope="module")
def run(raw):
    """The config of a run on the eight clips, prepared."""
    data = raw.parent / "data"
    prepare("ntu60", raw=raw, data_dir=data, options=PrepareOptions(workers=1))
    run = config.TrainConfig(batch_size=4, epochs=2, eval_every=0.0, devices=4)
    run.data = config.DataConfig(
        name="ntu60", data_dir=str(data), train_split="xsub_train", eval_split="xsub_test"
    )
    run.clip.frames, run.model.network, run.model.width = 8, "stem3", 4
    return run


@pytest.fixture(scope="module")
def info(run):
    return dataset_info.load(run.data.name, run.data.data_dir)


def test_0_raw_text_parses_to_its_numbers(raw):
    joints, _ = read_skeleton(str(raw / f"{CLIPS[3]}.skeleton"))
    first = [float(value) for value in raw_text(3).splitlines()[4].split()[:3]]
    np.testing.assert_allclose(joints[0, 0, 0], first, rtol=1e-6)


def test_1_a_record_is_what_was_parsed(raw, info):
    splits = ("xsub_train", "xsub_test", "xview_train", "xview_test")
    assert {split: info.splits[split] for split in splits} == {
        "xsub_train": 4, "xsub_test": 4, "xview_train": 4, "xview_test": 4,
    }  # fmt: skip
    for record in records.records(info, "all").as_numpy_iterator():
        joints, _ = read_skeleton(str(raw / f"{record['id'].decode()}.skeleton"))
        np.testing.assert_array_equal(record["joints"], joints)
        assert (
            record["joints"].shape == (FRAMES, 1, 25, 3)
            and record["label"] == int(record["id"][-3:]) - 1
        )


def test_2_and_3_batches_are_static_seeded_and_count_every_example_once(run, info):
    clip, augment = dataclasses.asdict(run.clip), dataclasses.asdict(run.augment) | {"rotate": 0.3}
    make = functools.partial(
        batches.train_batches,
        info,
        split="xsub_train",
        batch_size=4,
        seed=0,
        clip=clip,
        augment=augment,
    )
    one, two = next(make()), next(make())
    assert one["inputs"].shape == (4, 8, 2, 25, 3) and one["inputs"].dtype == np.float32
    np.testing.assert_array_equal(one["inputs"], two["inputs"])
    assert not np.array_equal(one["inputs"], next(make(start_step=1))["inputs"])
    assert np.all(one["inputs"][:, FRAMES:] == 0) and np.all(one["inputs"][:, :, 1] == 0)
    passes = list(batches.eval_batches(info, split="all", batch_size=3, clip=clip))
    seen = [
        name
        for batch in passes
        for name, real in zip(batch["id"], batch["mask"], strict=True)
        if real
    ]
    assert sorted(seen) == sorted(CLIPS)


def test_4_to_8_a_batch_over_four_devices_becomes_an_update(run, info):
    where = sharding.make_placement(devices=4)
    data = data_source.from_records(run)
    meta = trained_model.RunMetadata(run, data.layout, data.labels, data.channels)
    with_feed = device_prefetch.to_devices(data.train(0), where.shard_train)
    batch = next(with_feed)
    with_feed.close()
    assert batch["inputs"].sharding.is_equivalent_to(where.split, 5)
    assert {shard.data.shape for shard in batch["inputs"].addressable_shards} == {(1, 8, 2, 25, 3)}
    model = trained_model.build(meta)
    tx = optim.optimizer(lambda count: 0.1, name="sgd")
    begun = where.replicate(state.create(model, trained_model.example_input(meta), tx, seed=0))
    logits = jax.jit(model.apply)(begun.weights, batch["inputs"])
    assert logits.shape == (4, 60)
    loss = losses.cross_entropy(logits, batch["targets"])
    sums = metrics.from_logits(np.asarray(logits), np.asarray(batch["targets"]))
    np.testing.assert_allclose(metrics.compute(sums)["loss"], np.mean(loss), rtol=1e-5)
    update = where.compile_train(
        functools.partial(
            train_step.train_step, apply=model.apply, loss=losses.classification_loss, tx=tx, seed=0
        )
    )
    after, found = update(begun, batch)
    assert after.step == 1 and found["count"] == 4


@pytest.mark.slow
def test_8_and_9_the_checkpoint_and_the_artifact_hold_the_same_network(run, tmp_path):
    assert loop.run(run, tmp_path / "run").step == 2
    net = trained_model.load(tmp_path / "run")
    export.run(tmp_path / "run", out=tmp_path / "net.jaxact")
    clips = np.random.default_rng(0).standard_normal((3, 8, 2, 25, 3)).astype(np.float32)
    wanted = np.asarray(jax.jit(lambda x: net.model.apply(net.weights, x))(clips))
    found = np.asarray(export.Artifact(tmp_path / "net.jaxact")(clips))
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())
    assert net.labels[0] == "drink water" and len(net.labels) == 60
