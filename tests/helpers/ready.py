"""A small ready network in a folder of its own."""

import argparse
from pathlib import Path

import numpy as np

from jaxact import config
from jaxact.export import parity
from scripts import ready_cards, ready_networks
from tests.helpers import random_runs

RECIPE = ready_cards.Recipe(
    dataset="synthetic_actions",
    config="configs/stgcn.py:synthetic_actions",
    title="A toy",
    protocol="nothing",
    example="jaxact predict --checkpoint ready:toy clip.npy",
    data="Random numbers.",
    terms="None.",
    training="It was not trained.",
    limits=("It recognises nothing.",),
)


def package(folder: Path, monkeypatch, name: str = "toy") -> Path:
    """Packages a network with random weights; returns the workdir of its run."""
    network = config.STGCNConfig(network="stem3", width=2)
    workdir = random_runs.write(
        folder / "seed0" / "run", network, layout="openpose-18", frames=8, scale="frame"
    )
    results = folder / "seed0" / "results"
    results.mkdir()
    results.joinpath("per_class.csv").write_text("class,recall\nkick,0.5\nrest,1\nwave,0.25\n")
    clips = np.random.default_rng(0).uniform(-1, 1, (2, 8, 1, 18, 3)).astype(np.float32)
    monkeypatch.setattr(parity, "real_clips", lambda *_: clips)
    monkeypatch.setitem(ready_cards.RECIPES, name, RECIPE)
    options = argparse.Namespace(name=name, out=folder, data_dir="")
    reports = [{"top1": 0.5, "top5": 1.0, "count": 4}, {"top1": 0.75, "top5": 1.0, "count": 4}]
    ready_networks.package(folder / "ready" / name, options, [0, 1], reports)
    return workdir
