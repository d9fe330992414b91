"""Metrics of a training run: sums fetched late, `metrics.jsonl`, and TensorBoard."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxact import files
from jaxact.errors import UserError


class MetricWindow:
    """The sums of the steps since the last log line; they stay on the devices until needed."""

    def __init__(self, step: int):
        """Starts after `step`."""
        self._restart(step)

    def _restart(self, step: int) -> None:
        self._step = step
        self._sums: list[Any] = []
        self._checked = 0
        self._start_time = time.monotonic()

    def add(self, sums: Mapping[str, jax.Array]) -> None:
        """Adds the sums of the next step."""
        self._sums.append(sums)

    def check(self, last_checkpoint: int | None) -> list[dict[str, np.ndarray]]:
        """Fetches the sums from the devices.

        Args:
            last_checkpoint: its step, for the message.

        Raises:
            UserError: a loss or a gradient is not finite.
        """
        self._sums = jax.device_get(self._sums)
        first = self._step + self._checked + 1
        for step, sums in enumerate(self._sums[self._checked :], first):
            if np.isfinite(sums["loss"]) and np.isfinite(sums["grad_norm"]):
                continue
            checkpoint = "none" if last_checkpoint is None else f"of step {last_checkpoint}"
            raise UserError(
                f"the loss or its gradient is not finite at step {step}; "
                f"the last good checkpoint is {checkpoint}; "
                "lower --config.optim.learning_rate, "
                "set --config.optim.clip_norm, or look for NaN in the data"
            )
        self._checked = len(self._sums)
        return self._sums

    def flush(self, step: int, batch_size: int, last_checkpoint: int | None) -> dict[str, float]:
        """Returns the means since the last call, and restarts after `step`.

        Raises:
            UserError: see `check`.
        """
        sums = self.check(last_checkpoint)
        seconds = time.monotonic() - self._start_time
        examples = _total(sums, "count")
        means = {"train_loss": _total(sums, "loss") / examples}
        if "correct" in sums[0]:
            means["train_top1"] = _total(sums, "correct") / examples
        means["grad_norm"] = float(sums[-1]["grad_norm"])
        means["clips_per_second"] = len(sums) * batch_size / seconds
        self._restart(step)
        return means


def _total(sums: list[dict[str, np.ndarray]], name: str) -> float:
    return sum(float(step_sums[name]) for step_sums in sums)


class MetricLogger:
    """Writes `metrics.jsonl`, `config.json` and TensorBoard's scalars.

    Lines after the step that a run resumes from are dropped.
    """

    def __init__(self, workdir: Path, config: Mapping[str, Any], step: int):
        """Opens the files of `workdir`; the run starts after `step`."""
        from tensorboardX import SummaryWriter

        files.write_json(workdir / "config.json", config)
        path = workdir / "metrics.jsonl"
        lines = [json.dumps(line) for line in _read_lines(path) if line["step"] <= step]
        with files.replacing(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self._stream = path.open("a", encoding="utf-8")
        purge_step = None
        if step:
            purge_step = step + 1
        self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=purge_step)

    def write(self, line: Mapping[str, Any]) -> None:
        """Writes metrics by name; `step` is one of them.

        Raises:
            UserError: the files cannot be written.
        """
        try:
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()
            for name, value in line.items():
                if name != "step":
                    self._board.add_scalar(name.replace("_", "/", 1), value, line["step"])
        except OSError as error:
            raise UserError(f"cannot write the run's metrics: {error}") from error

    def __enter__(self) -> "MetricLogger":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            with contextlib.closing(self._stream):
                self._board.close()
        except OSError as close_error:
            # An error that ends the run matters more; a full disk would fail here once more.
            if error is None:
                raise UserError(f"cannot write the run's metrics: {close_error}") from close_error


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of a JSON-lines file; skips one that a crash cut off."""
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(text)
