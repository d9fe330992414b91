"""The papers' other systems go the way of a run: they train, move every parameter, and are exported."""

import dataclasses

import jax
import numpy as np
import pytest

from jaxact import config, export, train, trained
from jaxact.models import asgcn, stgcn, tcn
from tests import toys


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """One unit of each width, which compiles in a fraction of the time."""
    monkeypatch.setitem(tcn.VARIANTS, "stgcn_v1", dataclasses.replace(tcn.VARIANTS["stgcn_v1"], depth=1))
    monkeypatch.setitem(stgcn.VARIANTS, "stem9", tuple(stgcn.VARIANTS["stem9"][i] for i in (0, 4)))
    monkeypatch.setattr(asgcn, "UNITS", asgcn.UNITS[2:4])
    monkeypatch.setattr(asgcn, "POSE_UNITS", ())


@pytest.mark.parametrize(
    ("model", "symbolic"),
    [
        (config.TCNConfig(width=2), ["n", "frames"]),
        (config.LSTMConfig(width=4), ["n", "frames"]),
        (config.LocalConfig(width=4), ["n", "frames"]),
        (config.STALSTMConfig(width=4, weight_penalty=1e-5), ["n", "frames"]),
        (config.ASGCNConfig(width=4, link_width=4, link_frames=4, horizon=2), ["n"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_network_trains_learns_and_is_exported(model, symbolic, tmp_path):
    run = toys.run_config(epochs=6, devices=1, eval_every=0.0)
    run.model, run.model.dropout = model, 0.1
    run.optim = config.OptimConfig(name="adamw", learning_rate=0.02, schedule="constant")
    fresh = jax.tree.leaves(trained.state.init(*_network(run), 0)["params"])
    assert train.run(run, tmp_path / "run", toys.toy_source(run)).step == 24
    net = trained.load(tmp_path / "run")
    assert type(net.model).__name__ in ("TCN", "DeepLSTM", "LocalSTGCN", "STALSTM", "ASGCN") and net.config == run
    pairs = zip(fresh, jax.tree.leaves(net.weights["params"]), strict=True)
    # A bias that a normalisation takes away again has no gradient.
    assert all(np.any(np.asarray(old) != new) for old, new in pairs if new.ndim >= 2)
    lines = [line["train_loss"] for line in toys.lines(tmp_path / "run") if "train_loss" in line]
    assert lines[-1] < 0.8 * lines[0]
    assert export.run(tmp_path / "run", out=tmp_path / "net.jaxact")["input"]["symbolic"] == symbolic


def _network(run):
    meta = trained.describe(run, toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    return trained.build(meta), trained.example(meta)
