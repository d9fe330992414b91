"""Weights of keras.applications for the frame networks: Xception and two Inceptions.

These are Xception, Inception-v3 and Inception-ResNet-v2. Classifiers and other layers of the file
are not used. Such a file is written by

    keras.applications.Xception(weights="imagenet", include_top=False).save("xception.keras")
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact.errors import UserError
from jaxact.interop import keras_files, keras_networks
from jaxact.interop.keras_files import Layers
from jaxact.interop.keras_networks import Convolution
from jaxact.models.layers.backbone import Backbone
from jaxact.models.tsn import cross_modality
from jaxact.runs import safetensors


@dataclasses.dataclass(frozen=True, slots=True)
class Pretrained:
    """The pretrained weights of a backbone.

    Attributes:
        network: a key of `jaxact.models.backbones.BACKBONES`.
        fields: the module's fields that differ from the defaults.
        variables: {params, batch_stats}, arrays in float32.
        unused_layers: layers of the file that are not part of the backbone.
    """

    network: str
    fields: dict[str, Any]
    variables: dict[str, Any]
    unused_layers: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of parameters and statistics."""
        return sum(array.size for array in jax.tree.leaves(self.variables))


def load(path: str | os.PathLike[str]) -> Pretrained:
    """Reads the weights of a Keras file (see `keras_files.read`), or of one that `save` wrote.

    Raises:
        UserError: the file cannot be read, is none of the three networks, or its arrays do not fit.
    """
    if Path(path).suffix == ".safetensors":
        return _load_saved(path)
    layers = keras_files.read(path)
    network = keras_networks.identify(layers)
    if network is None:
        names = ", ".join([*layers][:4])
        raise UserError(
            f"{os.fspath(path)!r} is no Xception, Inception-v3 or Inception-ResNet-v2 of "
            f"keras.applications: its {len(layers)} layers are {names} ..."
        )
    module, convolutions = keras_networks.NETWORKS[network](layers)
    return _convert(network, module, convolutions, layers, os.fspath(path))


def save(path: str | os.PathLike[str], weights: Pretrained) -> None:
    """Writes a safetensors file that `load` reads quickly and without h5py."""
    arrays = {}
    for names, value in flatten_dict(weights.variables).items():
        arrays["/".join(names)] = np.asarray(value)
    metadata = {"network": weights.network, "fields": json.dumps(weights.fields)}
    safetensors.write(path, arrays, metadata)


def insert_backbone(
    variables: Mapping[str, Any], weights: Pretrained, name: str = "backbone"
) -> dict[str, Any]:
    """A model's variables with pretrained weights in one module.

    The module's excitation, which the pretrained network does not have, keeps its variables. If the
    first layer reads another number of channels than three, each gets the mean of the kernel over
    the three.

    Args:
        variables: {params, batch_stats} of the model.
        weights: the pretrained backbone.
        name: the module.

    Raises:
        UserError: an array is in one of the two only, or has another shape.
    """
    flat: dict[tuple[str, ...], Any] = dict(flatten_dict(variables))
    pretrained = {}
    for path, value in flatten_dict(weights.variables).items():
        pretrained[path[0], name, *path[1:]] = value
    paths = {path for path in flat if path[1] == name and "excitation" not in path}
    mismatch = f"weights of {weights.network!r} do not fit the model's {name!r}:"
    if paths != set(pretrained):
        path = "/".join(min(paths ^ set(pretrained)))
        raise UserError(f"{mismatch} {path!r} is in one of them only")
    for path, value in pretrained.items():
        shape = flat[path].shape
        value = _adapt_channels(value, shape)
        if value.shape != shape:
            raise UserError(
                f"{mismatch} {'/'.join(path)!r} has the shape {value.shape}, wanted {shape}"
            )
        flat[path] = jnp.asarray(value)
    return unflatten_dict(flat)


def _adapt_channels(kernel: Any, shape: tuple[int, ...]) -> Any:
    """A kernel for three channels as one of `shape`, if that differs in its channels only."""
    channels = shape[2:3]
    if kernel.shape[2:3] != (3,) or channels == (3,):
        return kernel
    if shape != (*kernel.shape[:2], *channels, *kernel.shape[3:]):
        return kernel
    return np.asarray(cross_modality(jnp.asarray(kernel), channels[0]))


def _load_saved(path: str | os.PathLike[str]) -> Pretrained:
    arrays, metadata = safetensors.read(path)
    if "network" not in metadata or "fields" not in metadata:
        raise UserError(
            f"{os.fspath(path)!r} names no network; wanted a file that `jaxact import keras` wrote"
        )
    fields = json.loads(metadata["fields"])
    for name, value in fields.items():
        if isinstance(value, list):
            fields[name] = tuple(value)
    return Pretrained(metadata["network"], fields, unflatten_dict(arrays, sep="/"))


def _convert(
    network: str, module: Backbone, convolutions: list[Convolution], layers: Layers, path: str
) -> Pretrained:
    """The weights in the backbone's form.

    Raises:
        UserError: a layer is missing, or has other arrays than the backbone.
    """
    flat: dict[str, np.ndarray] = {}
    used: set[str] = set()
    for convolution in convolutions:
        _, layer, norm = convolution
        for name in (layer, norm):
            if name is None:
                continue
            if name not in layers:
                raise UserError(f"{path!r} has no layer {name!r}, which {network!r} needs")
            used.add(name)
        try:
            for names, value in _arrays(convolution, layers):
                flat["/".join(names)] = value
        except (ValueError, IndexError):
            shapes = [array.shape for array in (*layers[layer], *layers.get(norm or "", ()))]
            raise UserError(
                f"{path!r} has arrays of {shapes} for {layer!r}: not as {network!r} has them"
            ) from None
    expected = jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 1, 75, 75, 3)))
    flat_expected: dict[tuple[str, ...], Any] = dict(flatten_dict(expected))
    shapes = {"/".join(names): array.shape for names, array in flat_expected.items()}
    for name in sorted(shapes.keys() | flat.keys()):
        shape = flat[name].shape if name in flat else None
        if shape != shapes.get(name):
            raise UserError(
                f"{path!r}, read as {network!r}, has {shape} for {name!r}; "
                f"wanted {shapes.get(name)}"
            )
    unused = tuple(sorted(layers.keys() - used))
    return Pretrained(network, _fields(module), unflatten_dict(flat, sep="/"), unused)


def _fields(module: Backbone) -> dict[str, Any]:
    """The sizes of a backbone that differ from its defaults."""
    default = type(module)()
    fields = {}
    for name in ("width", "middle", "repeats"):
        if hasattr(module, name) and getattr(module, name) != getattr(default, name):
            fields[name] = getattr(module, name)
    return fields


def _arrays(
    convolution: Convolution, layers: Layers
) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Paths and arrays of one convolution and its normalisation, or of a dense layer."""
    path = convolution.path
    if convolution.norm is None:
        kernel, bias = layers[convolution.layer]
        yield ("params", *path, "kernel"), kernel[0, 0]
        yield ("params", *path, "bias"), bias
        return
    if path[-1].startswith("sepconv"):
        depthwise, pointwise = layers[convolution.layer]
        yield ("params", *path, "depthwise"), depthwise[..., 0]
        yield ("params", *path, "pointwise"), pointwise[0, 0]
    else:
        (kernel,) = layers[convolution.layer]
        yield ("params", *path, "kernel"), kernel
    *scale, bias, mean, var = layers[convolution.norm]
    if scale:
        yield ("params", *path, "norm", "scale"), scale[0]
    yield ("params", *path, "norm", "bias"), bias
    yield ("batch_stats", *path, "norm", "mean"), mean
    yield ("batch_stats", *path, "norm", "var"), var
