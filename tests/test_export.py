"""The artifact is the network, or there is no artifact."""

import zipfile

import jax
import numpy as np
import pytest

from jaxact import export, train, trained
from jaxact.errors import UserError
from tests import toys


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    run = toys.run_config(epochs=1, eval_every=0.0, devices=1)
    train.run(run, workdir, toys.toy_source(run))
    return workdir


@pytest.fixture(scope="module")
def artifact(workdir):
    path = workdir / "net.jaxact"
    export.run(workdir, out=path)
    return path


@pytest.mark.parametrize(("rows", "frames"), [(1, 8), (5, 8), (2, 21)])
def test_the_reloaded_function_is_the_network_at_any_batch_and_length(workdir, artifact, rows, frames):
    net = trained.load(workdir)
    clips = np.random.default_rng(0).standard_normal((rows, frames, 2, 18, 3)).astype(np.float32)
    wanted = jax.jit(lambda x: net.model.apply(net.weights, x, train=False))(clips)
    np.testing.assert_allclose(export.Exported(artifact)(clips), wanted, atol=1e-4 * float(np.abs(wanted).max()))


def test_the_artifact_says_what_it_is(artifact):
    meta = export.Exported(artifact).meta
    assert meta["labels"] == list(toys.LABELS) and meta["layout"]["name"] == "openpose-18"
    assert meta["input"]["shape"] == ["n", 8, 2, 18, 3] and meta["input"]["symbolic"] == ["n", "frames"]
    assert meta["platforms"] == ["cpu", "cuda", "tpu"] and meta["preprocessing"]["frames"] == 8
    assert 0 <= meta["parity"]["max_relative_difference"] <= meta["parity"]["tolerance"] and meta["step"] == 4


def test_a_function_that_differs_is_not_written(workdir, tmp_path, monkeypatch):
    class Wrong(export.Exported):
        def __call__(self, inputs):
            return super().__call__(inputs) * 1.01

    monkeypatch.setattr(export, "Exported", Wrong)
    with pytest.raises(RuntimeError, match=r"differs from the network by .* of the largest logit; not written"):
        export.run(workdir, out=tmp_path / "net.jaxact")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("content", "message"), [(b"not a zip", "is not an artifact"), (None, "no file")])
def test_what_is_no_artifact_is_refused(tmp_path, content, message):
    path = tmp_path / "x.jaxact"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        export.Exported(path)


def test_a_zip_without_a_network_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("meta.json", "{}")
    with pytest.raises(UserError, match="is not an artifact of `jaxact export`"):
        export.Exported(tmp_path / "x.zip")
