"""Ready networks: trained networks that are part of the package, named `ready:NAME`.

Each is a folder of small files:
    weights.safetensors      parameters and statistics, named as in `params/stem/spatial_kernel`
    network.json             metadata of its run, and the figures of the table
    certificate.json         difference between these files and the run that they were made of
    certificate.safetensors  inputs and logits, with which anybody can repeat the comparison
    README.md                the model card
"""

import dataclasses
import functools
import hashlib
import io
import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError, unknown
from jaxact.runs import safetensors

PREFIX = "ready:"
FOLDER = Path(__file__).parent / "ready"
MAX_BYTES = 2_000_000  # of one network's folder


def is_ready(workdir: str | os.PathLike[str]) -> bool:
    """Whether a name is that of a ready network, `ready:NAME`, and not of a folder."""
    return os.fspath(workdir).startswith(PREFIX)


def names() -> list[str]:
    """The names of the ready networks, without the prefix."""
    return sorted(path.parent.name for path in FOLDER.glob("*/network.json"))


def find(workdir: str | os.PathLike[str]) -> "ReadyNetwork":
    """Reads the metadata of a ready network.

    Args:
        workdir: its name, with or without the prefix.

    Raises:
        UserError: there is no such network, or its files are damaged.
    """
    name = os.fspath(workdir).removeprefix(PREFIX)
    if name not in names():
        raise unknown("ready network", name, names())
    return ReadyNetwork(name, FOLDER / name)


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def describe_accuracy(top1: Sequence[float]) -> str:
    """The mean and standard deviation of the seeds, "94.9 ± 0.3 % (3 seeds)".

    Args:
        top1: top-1 accuracy of each seed, as a share.
    """
    mean = 100 * statistics.mean(top1)
    if len(top1) == 1:
        return f"{mean:.1f} % (1 seed)"
    return f"{mean:.1f} ± {100 * statistics.stdev(top1):.1f} % ({len(top1)} seeds)"


@dataclasses.dataclass(frozen=True)
class ReadyNetwork:
    """A ready network. Every file but the certificate must have the SHA-256 that it states.

    Attributes:
        name: without the prefix.
        folder: of its files.
    """

    name: str
    folder: Path

    @functools.cached_property
    def certificate(self) -> dict[str, Any]:
        """The content of `certificate.json`: the comparison, and the SHA-256 of the other files.

        Raises:
            UserError: the file is damaged.
        """
        path = self.folder / "certificate.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return {"sha256": dict(content["sha256"]), **content}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise self._damaged(path.name, error) from error

    @functools.cached_property
    def values(self) -> dict[str, Any]:
        """The content of `network.json`.

        `run` is the metadata of the run, see `trained_model.RunMetadata`; `step` and `selection`
        state its checkpoint; `data` names the data set; `accuracy` has the `protocol` in words, the
        number of `clips` and `top1` of each seed, as shares.

        Raises:
            UserError: the file is damaged.
        """
        return json.loads(self._read("network.json"))

    @property
    def card(self) -> str:
        """The model card in Markdown; raises UserError where the file is damaged."""
        return self._read("README.md").decode()

    @property
    def size(self) -> int:
        """The size of all files in bytes."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    @property
    def row(self) -> tuple[str, ...]:
        """Cells of the table of networks: name, input, classes, accuracy, protocol, size."""
        run = self.values["run"]
        persons = run["config"]["clip"]["persons"]
        people = "1 person" if persons == 1 else f"{persons} people"
        return (
            self.name,
            f"{run['layout']['name']} ({', '.join(run['channels'])}), {people}",
            str(len(run["labels"])),
            describe_accuracy(self.values["accuracy"]["top1"]),
            self.values["accuracy"]["protocol"],
            f"{self.size / 1e6:.1f} MB",
        )

    def check_selection(self, step: int | None, how: str | None) -> None:
        """Raises UserError where another checkpoint than the one in the package is wanted."""
        own = self.values["step"]
        if step not in (None, own) or how == "best":
            selection = f"the {how} one"
            if step is not None:
                selection = f"step {step}"
            raise UserError(
                f"the ready network {self.name!r} has one checkpoint, of step {own} "
                f"({self.values['selection']}); {selection} was wanted"
            )

    def arrays(self) -> dict[str, np.ndarray]:
        """The parameters and statistics by name; raises UserError where the file is damaged."""
        return safetensors.parse(io.BytesIO(self._read("weights.safetensors")))[0]

    def example(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs [n, ...] and the logits [n, classes] that the run's network gave for them.

        Raises:
            UserError: the file is damaged.
        """
        arrays, _ = safetensors.parse(io.BytesIO(self._read("certificate.safetensors")))
        return arrays["inputs"], arrays["logits"]

    def _read(self, file: str) -> bytes:
        """The content of a file; raises UserError where it is not what the certificate states."""
        try:
            content = (self.folder / file).read_bytes()
        except OSError as error:
            raise self._damaged(file, error.strerror) from error
        if digest(content) != self.certificate["sha256"].get(file):
            raise self._damaged(file, "its SHA-256 is not the one in certificate.json")
        return content

    def _damaged(self, file: str, reason: object) -> UserError:
        return UserError(
            f"the ready network {self.name!r} is damaged: {str(self.folder / file)!r}: {reason}; "
            "install jaxact again"
        )
