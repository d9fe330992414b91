"""The papers' other systems train, change every parameter, and are exported.

All of them are slow. The quick tests train and export ST-GCN (`test_record_trip.py`), and pin these
networks' equations (`tests/models`).
"""

import dataclasses

import jax
import numpy as np
import pytest

from jaxact import config, export
from jaxact.models import asgcn_pose_head, stgcn, tcn
from jaxact.runs import trained_model
from jaxact.training import initialisation, loop
from tests.helpers import toys


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """One unit of each width or one at all, which compiles in a fraction of the time."""
    monkeypatch.setitem(
        tcn.VARIANTS, "stgcn_v1", dataclasses.replace(tcn.VARIANTS["stgcn_v1"], depth=1)
    )
    monkeypatch.setitem(stgcn.VARIANTS, "stem9", tuple(stgcn.VARIANTS["stem9"][i] for i in (4,)))
    monkeypatch.setitem(stgcn.VARIANTS, "literal9", stgcn.VARIANTS["literal9"][2:4])
    monkeypatch.setattr(asgcn_pose_head, "POSE_UNITS", asgcn_pose_head.POSE_UNITS[-1:])


@pytest.fixture
def initial_params(monkeypatch):
    """The initial parameters of each run, copied because the first step reuses their memory."""
    params, initialise = [], initialisation.initialise

    def copy_params(state, model, run):
        params.append(jax.device_get(state.params))
        return initialise(state, model, run)

    monkeypatch.setattr(initialisation, "initialise", copy_params)
    return params


@pytest.mark.parametrize(
    ("model", "symbolic"),
    [
        pytest.param(config.TCNConfig(width=2), ["n", "frames"], marks=pytest.mark.slow),
        pytest.param(config.LSTMConfig(width=4, layers=1), ["n", "frames"], marks=pytest.mark.slow),
        pytest.param(config.LocalConfig(width=4), ["n", "frames"], marks=pytest.mark.slow),
        pytest.param(
            config.STALSTMConfig(width=4, layers=1, weight_penalty=1e-5),
            ["n", "frames"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            config.ASGCNConfig(width=4, link_width=4, link_frames=4, horizon=2),
            ["n"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_network_trains_learns_and_is_exported(model, symbolic, initial_params, tmp_path):
    run = toys.run_config(epochs=6, devices=1, eval_every=0.0, checkpoint_every=24)
    run.model, run.model.dropout = model, 0.1
    run.optim = config.OptimConfig(name="adamw", learning_rate=0.02, schedule="constant")
    assert loop.run(run, tmp_path / "run", toys.toy_source(run)).step == 24
    net = trained_model.load(tmp_path / "run")
    assert type(net.model).__name__ in ("TCN", "DeepLSTM", "LocalSTGCN", "STALSTM", "ASGCN")
    assert net.config == run
    before = jax.tree.leaves(initial_params[0])
    after = jax.tree.leaves(jax.device_get(net.weights["params"]))
    for old, new in zip(before, after, strict=True):
        if new.ndim >= 2:  # a bias before a normalisation has no gradient
            assert np.any(old != new)
    losses = [line["train_loss"] for line in toys.lines(tmp_path / "run") if "train_loss" in line]
    assert losses[-1] < 0.8 * losses[0]
    description = export.run(tmp_path / "run", out=tmp_path / "net.jaxact")
    assert description["input"]["symbolic"] == symbolic
