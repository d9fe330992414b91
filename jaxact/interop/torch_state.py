"""From a state dict of PyTorch's to our arrays: each is taken by its name once, and what nobody
took is told.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError

_SHOWN = 8  # names in a complaint
_STATISTICS = (
    ("params", "scale", "weight"),
    ("params", "bias", "bias"),
    ("batch_stats", "mean", "running_mean"),
    ("batch_stats", "var", "running_var"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network of other people's.

    Attributes:
        model: our name of it and its options, as in the model section of a config.
        arrays: ours, by paths such as "params/head/kernel".
        graph: the file's own partition of the skeleton, [k, source, target], where it is no
            parameter.
        joints, channels, classes: sizes of its input and output.
        persons: people whose numbers are normalised apart; 0 where any number will do.
    """

    model: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    graph: np.ndarray | None
    joints: int
    channels: int
    classes: int
    persons: int = 0


class State:
    """Arrays by public name, of which each is taken once; `arrays` fills up with ours."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = weights
        self.arrays: dict[str, np.ndarray] = {}
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.weights

    def take(self, name: str, axes: int | None = None) -> np.ndarray:
        """An array by its public name; with `axes`, of so many, ones at the end added or taken off.

        Raises:
            UserError: there is none, or one of other axes.
        """
        if name not in self.weights:
            raise UserError(f"it has no {name!r}")
        self._taken.add(name)
        array = np.asarray(self.weights[name], np.float32)
        if axes is not None and array.ndim != axes:
            longer = axes > array.ndim
            shape = (*array.shape, *(1,) * (axes - array.ndim)) if longer else array.shape[:axes]
            if not longer and set(array.shape[axes:]) != {1}:
                raise UserError(f"{name!r} has the shape {array.shape}; wanted {axes} axes")
            array = array.reshape(shape)
        return array

    def put(self, path: str, array: np.ndarray) -> None:
        """Keeps one of our arrays."""
        self.arrays[path] = np.array(array, np.float32, order="C")

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of one of our arrays.

        Raises:
            UserError: the file had nothing for it.
        """
        if path not in self.arrays:
            raise UserError(f"it has nothing for {path!r}")
        return self.arrays[path].shape

    def norm(self, path: str, *names: str, left_out: np.ndarray | float = 0.0) -> None:
        """Normalisations side by side as one; `left_out` is a bias before it that ours does not
        have.
        """
        for collection, leaf, theirs in _STATISTICS:
            array = np.concatenate([self.take(f"{name}.{theirs}", 1) for name in names])
            self.put(f"{collection}/{path}/{leaf}", array - left_out if leaf == "mean" else array)

    def dense(self, path: str, *names: str) -> None:
        """Projections of the same input side by side: a kernel [c, d] and a bias."""
        self.put(
            f"params/{path}kernel",
            np.concatenate([self.take(f"{name}.weight", 2).T for name in names], -1),
        )
        self.put(
            f"params/{path}bias", np.concatenate([self.take(f"{name}.bias", 1) for name in names])
        )

    def along_time(self, path: str, name: str) -> None:
        """A convolution along time: [d, c, taps, 1] as [taps, c, d]."""
        self.put(f"params/{path}_kernel", self.take(f"{name}.weight", 3).transpose(2, 1, 0))
        self.put(f"params/{path}_bias", self.take(f"{name}.bias", 1))

    def over_graph(self, path: str, name: str, parts: int) -> None:
        """A projection whose outputs run over the parts of the graph, then over channels: [c, k,
        d].
        """
        weight, bias = self.take(f"{name}.weight", 2), self.take(f"{name}.bias", 1)
        if len(weight) % parts:
            raise UserError(f"{name!r} has {len(weight)} outputs, which are not {parts} parts")
        self.put(
            f"params/{path}kernel", weight.reshape(parts, -1, weight.shape[1]).transpose(2, 0, 1)
        )
        self.put(f"params/{path}bias", bias.reshape(parts, -1))

    def check_empty(self, aside: Sequence[str] = ()) -> None:
        """Raises UserError where an array found no place; counters of batches and those in `aside`
        need none.
        """
        left = [
            name
            for name in self.weights
            if name not in self._taken
            and not name.endswith("num_batches_tracked")
            and name not in aside
        ]
        if left:
            more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
            raise UserError(f"no place for {', '.join(left[:_SHOWN])}{more}")


def without_prefix(weights: Mapping[str, np.ndarray], mark: str) -> dict[str, np.ndarray]:
    """The arrays under the names that they have in the network itself, which are told by the array
    `mark`.

    A prefix ("module.backbone.") that only some have stays on the others, which then find no place.

    Raises:
        UserError: there are several such networks in the file.
    """
    heads = [name.removesuffix(mark) for name in weights if name.endswith(mark)]
    if len(heads) > 1:
        raise UserError(f"it holds several networks: {', '.join(map(repr, heads))}; wanted one")
    head = heads[0] if heads else ""
    return {name.removeprefix(head): array for name, array in weights.items()}


def count(weights: Mapping[str, np.ndarray], prefix: str) -> int:
    """How many numbered modules lie under a prefix."""
    return len({name[len(prefix) :].split(".")[0] for name in weights if name.startswith(prefix)})
