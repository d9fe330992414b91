"""Several streams of one run: a network for each, trained one after the other from the same
records, and their fusion.

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
    """Trains and evaluates the run once a stream, in `workdir/STREAM`, and fuses the scores into
    `workdir/fused`.

    A second call goes on where the first one stopped.

    Returns:
      The fused report's `metrics.json`, or None where a signal stopped the training.

    Raises:
      UserError: an unknown stream or one that is given twice, and all that training and evaluation
          refuse.
    """
    for name in "+".join(streams).split("+"):
        if name not in score_fusion.STREAMS:
            raise unknown("stream", name, score_fusion.STREAMS)
    if len(set(streams)) < max(2, len(streams)):
        raise UserError(
            f"streams are {','.join(streams)}; wanted at least two different ones of {', '.join(score_fusion.STREAMS)}"
        )
    if jax.process_count() > 1:
        raise UserError(
            "--streams evaluates in one process; in several, train each stream with --config.clip.stream=S"
        )
    results = []
    for stream in streams:
        one = copy.deepcopy(config)
        one.clip.stream = stream
        if loop.run(one, Path(workdir) / stream / "run").stopped:
            return None
        results.append(Path(workdir) / stream / "results")
        classification.run(Path(workdir) / stream / "run", out=results[-1])
    weights = [score_fusion.STREAMS[stream.split("+")[0]] for stream in streams]
    return score_fusion.run(results, out=Path(workdir) / "fused", weights=weights)
