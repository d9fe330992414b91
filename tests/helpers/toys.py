"""A training run of a second: four classes of noise around different means, four units of four
channels.
"""

import contextlib
import json
from collections.abc import Iterator

import jax
import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.models import stgcn
from jaxact.runs import trained_model
from jaxact.training import data_source

LABELS = ("a", "b", "c", "d")
CHANNELS = ("x", "y", "score")
LAYOUT = skeletons.get_layout("openpose-18")


@contextlib.contextmanager
def short_networks() -> Iterator[None]:
    """Networks of one unit instead of four, inside the block: a fraction of the time to compile.

    It has what the others have: stride two, a projected shortcut, three normalisations, dropout.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem3", (("unit4", 2, 2),))
        yield


def clips(count: int, seed: int = 0, frames: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [count, frames, 2, 18, 3] whose mean tells the class, and targets."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, len(LABELS), count).astype(np.int32)
    noise = random.standard_normal((count, frames, 2, 18, 3)) * 0.3
    return (noise + targets[:, None, None, None, None] * 0.5).astype(np.float32), targets


def run_config(**overrides: object) -> config.TrainConfig:
    """Twelve steps of eight clips; `optim__ema=0.9` sets `config.optim.ema`."""
    run = config.TrainConfig(
        batch_size=8, epochs=3, log_every=4, checkpoint_every=5, eval_every=1.0
    )
    run.clip.frames = 8
    run.model.network = "stem3"
    run.model.width = 4
    run.model.dropout = 0.5
    run.optim.learning_rate = 0.02
    for name, value in overrides.items():
        config.override(run, name.replace("__", "."), str(value))
    return run


def toy_source(run: config.TrainConfig, train: int = 32, test: int = 13) -> data_source.DataSource:
    """The source of a run on toy clips."""
    return data_source.from_arrays(
        run, clips(train), clips(test, seed=1), labels=LABELS, layout=LAYOUT, channels=CHANNELS
    )


def weights(workdir) -> list[np.ndarray]:
    """The arrays that a run's last checkpoint holds."""
    return jax.tree.leaves(jax.device_get(trained_model.load(workdir).weights))


def same(a, b) -> bool:
    """Whether two lists of arrays are bitwise the same."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def lines(workdir) -> list[dict]:
    """What a run wrote to its metrics."""
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
