"""A partition around the centre of gravity comes from the training data, and every later command
rebuilds it.
"""

import itertools

import jax
import numpy as np
import pytest

from jaxact import config, export, skeletons
from jaxact.datasets import dataset_info, records
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.preparation.prepare import prepare
from jaxact.evaluation import classification
from jaxact.models import stgcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.pipeline import batches
from jaxact.runs import trained_model
from jaxact.training import loop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def short():
    """A network of one unit, which compiles in a fraction of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem9", stgcn.VARIANTS["stem9"][4:5])
        yield


@pytest.fixture(scope="module")
def run(short, tmp_path_factory):
    """The config of a toy run on twelve clips of one's own, the partition asked for on the command
    line.
    """
    folder = tmp_path_factory.mktemp("gravity")
    random, rows = np.random.default_rng(0), ["id,label,split"]
    (folder / "raw").mkdir()
    for split, label in itertools.product(("train", "test"), ("bow", "wave")):
        body = random.uniform(0.1, 1.0, (20, 3))
        for number in range(3):
            rows.append(f"{split}_{label}_{number},{label},{split}")
            clip = body + random.normal(0, 0.02, (9, 1, 20, 3))
            np.save(folder / "raw" / f"{split}_{label}_{number}.npy", clip.astype(np.float32))
    (folder / "raw" / "labels.csv").write_text("\n".join(rows) + "\n")
    prepare(
        "custom/gravity",
        raw=folder / "raw",
        data_dir=folder / "data",
        options=PrepareOptions(layout="kinect-20", workers=1),
    )
    file = folder / "run.py"
    file.write_text(
        "from jaxact.config import *\n"
        "def get_config(arg):\n"
        "    data = DataConfig(name='custom/gravity')\n"
        "    model, clip = STGCNConfig(width=4), ClipConfig(frames=8, persons=1)\n"
        "    return TrainConfig(\n"
        "        data=data, model=model, clip=clip, batch_size=2, epochs=1, devices=1\n"
        "    )\n"
    )
    run = config.load(str(file), ["--config.model.metric=gravity"])
    run.data.data_dir = str(folder / "data")
    return run


@pytest.fixture(scope="module")
def workdir(run, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    loop.run(run, workdir)
    return workdir


def partition(radii=None):
    metric = "hop" if radii is None else "gravity"
    return Adjacency(
        skeletons.adjacency(
            skeletons.get_layout("kinect-20"), "spatial", metric=metric, radii=radii
        )
    )


def test_the_checkpoint_rebuilds_the_partition_of_the_training_data(run, workdir):
    info = dataset_info.load(run.data.name, run.data.data_dir)
    clips = [record["joints"] for record in records.records(info, "train").as_numpy_iterator()]
    distances = [
        np.linalg.norm(clip - clip.mean(2, keepdims=True), axis=-1).reshape(-1, 20)
        for clip in clips
    ]
    net = trained_model.load(workdir)
    np.testing.assert_allclose(net.radii, np.concatenate(distances).mean(0), rtol=1e-5)
    assert net.model.adjacency == partition(np.array(net.radii)) != partition()
    other = batches.gravity_radii(info, "test", clip=config.to_dict(run)["clip"])
    assert net.model.adjacency != partition(
        np.array(other)
    )  # so that a partition of other data would be noticed


def test_evaluation_and_export_use_the_partition_of_the_checkpoint(workdir, tmp_path):
    net = trained_model.load(workdir)
    classification.run(workdir, out=tmp_path / "results")
    scores = np.load(tmp_path / "results" / "scores.npz")
    info = dataset_info.load(net.config.data.name, net.config.data.data_dir)
    clip = config.to_dict(net.config)["clip"]
    (batch,) = batches.eval_batches(info, split="test", batch_size=6, clip=clip)
    inputs = batch["inputs"][:, 0]
    same = stgcn.STGCN(num_classes=2, adjacency=partition(np.array(net.radii)), width=4)
    by_hop = stgcn.STGCN(num_classes=2, adjacency=partition(), width=4)
    wanted, otherwise = (
        np.asarray(jax.jit(model.apply)(net.weights, inputs)) for model in (same, by_hop)
    )
    tolerance = 1e-4 * np.abs(wanted).max()
    assert np.abs(wanted - otherwise).max() > 10 * tolerance
    np.testing.assert_allclose(scores["logits"], wanted, atol=tolerance)

    export.run(workdir, out=tmp_path / "net.jaxact")
    np.testing.assert_allclose(
        export.Artifact(tmp_path / "net.jaxact")(inputs), wanted, atol=tolerance
    )


def test_a_run_goes_on_with_the_partition_it_began_with(run, workdir):
    run.epochs = 2
    assert loop.run(run, workdir).step == 6
    assert trained_model.load(workdir).model.adjacency == partition(
        np.array(trained_model.load(workdir).radii)
    )
