"""Trains one network per stream on the same records, one after the other, and fuses their scores.

The streams are computed from the joints as they are read; nothing is stored twice.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from jaxact.config import TrainConfig
from jaxact.errors import UserError, unknown
from jaxact.evaluation import classification, score_fusion
from jaxact.training import loop


def run(config: TrainConfig, workdir: str | Path, streams: Sequence[str]) -> dict[str, Any] | None:
    """Trains and evaluates the run once per stream, then fuses the scores.

    A second call resumes where the first one stopped.

    Args:
        config: the config of every run, but for `clip.stream`.
        workdir: gets a folder for each stream, and `fused`.
        streams: at least two streams.

    Returns:
        The fused report's `metrics.json`, or None if a signal stopped the training.

    Raises:
        UserError: an unknown stream, the same stream twice, or what training and evaluation refuse.
    """
    for name in "+".join(streams).split("+"):
        if name not in score_fusion.STREAM_WEIGHTS:
            raise unknown("stream", name, score_fusion.STREAM_WEIGHTS)
    if len(set(streams)) < max(2, len(streams)):
        raise UserError(
            f"streams are {','.join(streams)}; "
            f"wanted at least two different ones of {', '.join(score_fusion.STREAM_WEIGHTS)}"
        )
    if jax.process_count() > 1:
        raise UserError(
            "--streams evaluates in one process; "
            "in several, train each stream with --config.clip.stream=S"
        )
    results = []
    weights = []
    for stream in streams:
        folder = Path(workdir) / stream
        stream_config = copy.deepcopy(config)
        stream_config.clip.stream = stream
        if loop.run(stream_config, folder / "run").stopped:
            return None
        classification.run(folder / "run", out=folder / "results")
        results.append(folder / "results")
        weights.append(score_fusion.STREAM_WEIGHTS[stream.split("+")[0]])
    return score_fusion.run(results, out=Path(workdir) / "fused", weights=weights)
