"""What a run says of itself while it trains: sums fetched late, `metrics.jsonl`, TensorBoard."""

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


class Window:
    """The sums of the steps since the last log line, left on the devices until they are needed."""

    def __init__(self, count: int):
        self.first, self.sums, self.checked, self.began = count, [], 0, time.monotonic()

    def add(self, sums: Mapping[str, jax.Array]) -> None:
        self.sums.append(sums)

    def check(self, last_good: int | None) -> list[dict[str, np.ndarray]]:
        """Fetches the sums; raises UserError where a loss is not finite."""
        self.sums = jax.device_get(self.sums)
        for index, sums in enumerate(self.sums[self.checked :], self.first + self.checked + 1):
            if not np.isfinite(sums["loss"]) or not np.isfinite(sums["grad_norm"]):
                raise UserError(
                    f"the loss or its gradient is not finite at step {index}; the last good checkpoint is "
                    f"{f'of step {last_good}' if last_good is not None else 'none'}; "
                    "lower --config.optim.learning_rate, "
                    "set --config.optim.clip_norm, or look for NaN in the data"
                )
        self.checked = len(self.sums)
        return self.sums

    def flush(self, count: int, batch_size: int, last_good: int | None) -> dict[str, float]:
        """The window's means; a new one begins."""
        sums, seconds = self.check(last_good), time.monotonic() - self.began
        examples = sum(float(s["count"]) for s in sums)
        line = {
            "train_loss": sum(float(s["loss"]) for s in sums) / examples,
            **(
                {"train_top1": sum(float(s["correct"]) for s in sums) / examples}
                if "correct" in sums[0]
                else {}
            ),
            "grad_norm": float(sums[-1]["grad_norm"]),
            "clips_per_second": len(sums) * batch_size / seconds,
        }
        self.__init__(count)
        return line


class Journal:
    """`metrics.jsonl`, `config.json` and TensorBoard's scalars; lines past the step a run resumes
    from are dropped.
    """

    def __init__(self, workdir: Path, config: Mapping[str, Any], count: int):
        from tensorboardX import SummaryWriter

        files.write_json(workdir / "config.json", config)
        path = workdir / "metrics.jsonl"
        kept = [line for line in _lines(path) if line["step"] <= count]
        with files.replacing(path) as temporary:
            temporary.write_text(
                "".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8"
            )
        self._stream = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(
            str(workdir / "tensorboard"), purge_step=count + 1 if count else None
        )

    def write(self, line: Mapping[str, Any]) -> None:
        try:
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()
            for name, value in line.items():
                if name != "step":
                    self._board.add_scalar(name.replace("_", "/", 1), value, line["step"])
        except OSError as error:
            raise UserError(f"cannot write the run's metrics: {error}") from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            with contextlib.closing(self._stream):
                self._board.close()
        except OSError as problem:
            if (
                error is None
            ):  # else what stopped the run is the news, and the disk is full for this too
                raise UserError(f"cannot write the run's metrics: {problem}") from problem


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a JSON-lines file; one cut off by a crash is left out."""
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(text)
