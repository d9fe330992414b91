"""Converts a PyTorch state dict: every array is read by its name once, and no array is ignored."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError

_MAX_NAMES = 8  # in a message
_BATCH_NORM = (
    ("params", "scale", "weight"),
    ("params", "bias", "bias"),
    ("batch_stats", "mean", "running_mean"),
    ("batch_stats", "var", "running_var"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImportedNetwork:
    """A network of another project in this project's form.

    Attributes:
        model: the model's name and options, as in the model section of a config.
        arrays: variables by paths such as "params/head/kernel".
        graph: the file's own partition of the skeleton, [k, source, target], if it is no parameter.
        joints, channels, classes: sizes of its input and output.
        persons: number of persons whose inputs are normalised separately; 0 if any number will do.
    """

    model: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    graph: np.ndarray | None
    joints: int
    channels: int
    classes: int
    persons: int = 0


class StateDict:
    """The arrays of a state dict by PyTorch's names, each of which is to be read once.

    Attributes:
        weights: the state dict.
        arrays: the converted arrays, by this project's paths.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = weights
        self.arrays: dict[str, np.ndarray] = {}
        self._used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.weights

    def take(self, name: str, axes: int | None = None) -> np.ndarray:
        """An array by its PyTorch name, as float32.

        Args:
            name: in the state dict.
            axes: number of axes to return; axes of size one at the end are added or removed.

        Raises:
            UserError: no such array, or one of other axes.
        """
        if name not in self.weights:
            raise UserError(f"it has no {name!r}")
        self._used.add(name)
        array = np.asarray(self.weights[name], np.float32)
        if axes is None or array.ndim == axes:
            return array
        if array.ndim < axes:
            return array.reshape(*array.shape, *[1] * (axes - array.ndim))
        if set(array.shape[axes:]) != {1}:
            raise UserError(f"{name!r} has the shape {array.shape}; wanted {axes} axes")
        return array.reshape(array.shape[:axes])

    def put(self, path: str, array: np.ndarray) -> None:
        """Stores a converted array."""
        self.arrays[path] = np.array(array, np.float32, order="C")

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of a converted array.

        Raises:
            UserError: the file has no such array.
        """
        if path not in self.arrays:
            raise UserError(f"it has nothing for {path!r}")
        return self.arrays[path].shape

    def batch_norm(self, path: str, *names: str, bias_before: np.ndarray | float = 0.0) -> None:
        """Converts BatchNorm layers to one; several are concatenated along the channels.

        Args:
            path: of the converted layer.
            names: of PyTorch's layers.
            bias_before: a bias of PyTorch's layer before, which the converted one does not have; it
                moves into the mean.
        """
        for collection, ours, theirs in _BATCH_NORM:
            array = np.concatenate([self.take(f"{name}.{theirs}", 1) for name in names])
            if ours == "mean":
                array = array - bias_before
            self.put(f"{collection}/{path}/{ours}", array)

    def dense(self, path: str, *names: str) -> None:
        """Converts linear layers of the same input to one: a kernel [c, d] and a bias."""
        kernels = [self.take(f"{name}.weight", 2).T for name in names]
        biases = [self.take(f"{name}.bias", 1) for name in names]
        self.put(f"params/{path}kernel", np.concatenate(kernels, -1))
        self.put(f"params/{path}bias", np.concatenate(biases))

    def temporal_conv(self, path: str, name: str) -> None:
        """Converts a convolution along time: [d, c, taps, 1] to [taps, c, d]."""
        self.put(f"params/{path}_kernel", self.take(f"{name}.weight", 3).transpose(2, 1, 0))
        self.put(f"params/{path}_bias", self.take(f"{name}.bias", 1))

    def graph_conv(self, path: str, name: str, parts: int) -> None:
        """Converts a projection to [parts * d] channels to a kernel [c, parts, d]."""
        weight = self.take(f"{name}.weight", 2)
        bias = self.take(f"{name}.bias", 1)
        if len(weight) % parts:
            raise UserError(f"{name!r} has {len(weight)} outputs, which are not {parts} parts")
        kernel = weight.reshape(parts, -1, weight.shape[1]).transpose(2, 0, 1)
        self.put(f"params/{path}kernel", kernel)
        self.put(f"params/{path}bias", bias.reshape(parts, -1))

    def check_all_used(self, ignored: Sequence[str] = ()) -> None:
        """Raises UserError if an array was not read, except batch counters and `ignored`."""
        unused = []
        for name in self.weights:
            counter = name.endswith("num_batches_tracked")
            if name not in self._used and name not in ignored and not counter:
                unused.append(name)
        if not unused:
            return
        names = ", ".join(unused[:_MAX_NAMES])
        if len(unused) > _MAX_NAMES:
            names += f" and {len(unused) - _MAX_NAMES} more"
        raise UserError(f"no place for {names}")


def strip_prefix(weights: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Strips the prefix that the array `name` has, such as "module.backbone.".

    Arrays without the prefix keep their names, and the conversion then refuses them.

    Raises:
        UserError: several arrays have that name under different prefixes.
    """
    prefixes = [full.removesuffix(name) for full in weights if full.endswith(name)]
    if len(prefixes) > 1:
        raise UserError(f"it holds several networks: {', '.join(map(repr, prefixes))}; wanted one")
    prefix = prefixes[0] if prefixes else ""
    return {full.removeprefix(prefix): array for full, array in weights.items()}


def count_modules(weights: Mapping[str, np.ndarray], prefix: str) -> int:
    """The number of numbered modules under a prefix."""
    numbers = set()
    for name in weights:
        if name.startswith(prefix):
            numbers.add(name[len(prefix) :].split(".")[0])
    return len(numbers)
