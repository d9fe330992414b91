"""Weights of keras.applications for the networks over frames: Xception, Inception-v3,
Inception-ResNet-v2.

A layer is told by its name; one that Keras named itself (conv2d_17), by its rank among its kind,
which is the order in which the topology makes them. Classifiers and other layers of the file are
left aside. Such a file comes of

    keras.applications.Xception(weights="imagenet", include_top=False).save("xception.keras")
"""

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact.errors import UserError
from jaxact.interop import keras_files, safetensors
from jaxact.interop.keras_files import Layers
from jaxact.models.inception import BLOCKS, InceptionV3, count_convolutions
from jaxact.models.inception_resnet import InceptionResNetV2
from jaxact.models.layers.backbone import Backbone
from jaxact.models.tsn import cross_modality
from jaxact.models.xception import Xception

# One convolution of ours: its module's path, and the Keras layers of its numbers and of its
# normalisation's.
Place = tuple[tuple[str, ...], str, str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Pretrained:
    """A backbone's numbers.

    Attributes:
        network: a key of `jaxact.models.sc_xception.BACKBONES`.
        fields: of the module that they fit, where these are not the defaults.
        variables: {params, batch_stats}, arrays in float32.
        left_aside: layers of the file that are no part of the network.
    """

    network: str
    fields: dict[str, Any]
    variables: dict[str, Any]
    left_aside: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return sum(array.size for array in jax.tree.leaves(self.variables))


def load(path: str | os.PathLike[str]) -> Pretrained:
    """The numbers of a file of Keras's (see `keras_files.read`), or of one that `save` wrote.

    Raises:
        UserError: the file cannot be read, is none of the three networks, or its arrays do not fit.
    """
    if Path(path).suffix == ".safetensors":
        return _saved(path)
    layers = keras_files.read(path)
    for network, marks, plan in _NETWORKS:
        if all(any(re.fullmatch(mark, name) for name in layers) for mark in marks):
            return _converted(network, *plan(layers), layers, os.fspath(path))
    raise UserError(
        f"{os.fspath(path)!r} is no Xception, Inception-v3 or Inception-ResNet-v2 of keras.applications: its "
        f"{len(layers)} layers are {', '.join([*layers][:4])} ..."
    )


def save(path: str | os.PathLike[str], weights: Pretrained) -> None:
    """Writes a safetensors file that `load` reads in a moment, without h5py."""
    arrays = {"/".join(path): np.asarray(value) for path, value in _flat(weights.variables).items()}
    metadata = {"network": weights.network, "fields": json.dumps(weights.fields)}
    safetensors.write(path, arrays, metadata)


def insert_backbone(
    variables: Mapping[str, Any], weights: Pretrained, name: str = "backbone"
) -> dict[str, Any]:
    """A model's variables with the numbers of `weights` in its module `name`; excitation, which is
    new, stays.

    A first layer that sees another number of channels than three gets their mean for each of them.

    Raises:
        UserError: an array has no place there, a place stays empty, or a shape differs.
    """
    flat = _flat(variables)
    places = {path for path in flat if path[1] == name and "excitation" not in path}
    given = {(path[0], name, *path[1:]): value for path, value in _flat(weights.variables).items()}
    misfit = f"weights of {weights.network!r} do not fit the model's {name!r}:"
    if places != set(given):
        raise UserError(f"{misfit} {'/'.join(min(places ^ set(given)))!r} is in one of them only")
    for path, value in given.items():
        wanted = flat[path].shape
        if wanted[2:3] != value.shape[2:3] == (3,) and wanted == (
            *value.shape[:2],
            wanted[2],
            *value.shape[3:],
        ):
            value = given[path] = np.asarray(cross_modality(jnp.asarray(value), wanted[2]))
        if value.shape != flat[path].shape:
            raise UserError(
                f"{misfit} {'/'.join(path)!r} has the shape {value.shape}, wanted {flat[path].shape}"
            )
    return unflatten_dict(flat | {path: jnp.asarray(value) for path, value in given.items()})


def _flat(variables: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    return dict(flatten_dict(variables))


def _saved(path: str | os.PathLike[str]) -> Pretrained:
    arrays, metadata = safetensors.read(path)
    if "network" not in metadata or "fields" not in metadata:
        raise UserError(
            f"{os.fspath(path)!r} names no network; wanted a file that `jaxact import keras` wrote"
        )
    fields = {
        key: tuple(v) if isinstance(v, list) else v
        for key, v in json.loads(metadata["fields"]).items()
    }
    return Pretrained(metadata["network"], fields, unflatten_dict(arrays, sep="/"))


def _converted(
    network: str, module: Backbone, places: list[Place], layers: Layers, path: str
) -> Pretrained:
    """The numbers at their places, each of the shape that the network has there."""
    flat: dict[str, np.ndarray] = {}
    used: set[str] = set()
    for place, convolution, norm in places:
        for layer in filter(None, (convolution, norm)):
            if layer not in layers:
                raise UserError(f"{path!r} has no layer {layer!r}, which {network!r} needs")
            used.add(layer)
        try:
            arrays = dict(_arrays(place, layers[convolution], layers.get(norm or "")))
        except (ValueError, IndexError):
            shapes = [array.shape for array in (*layers[convolution], *layers.get(norm or "", ()))]
            raise UserError(
                f"{path!r} has arrays of {shapes} for {convolution!r}: not as {network!r} has them"
            ) from None
        flat |= {"/".join(name): value for name, value in arrays.items()}
    fresh = jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 1, 75, 75, 3)))
    wanted = {"/".join(name): array.shape for name, array in _flat(fresh).items()}
    for name in sorted(wanted.keys() | flat.keys()):
        found = flat[name].shape if name in flat else None
        if found != wanted.get(name):
            raise UserError(
                f"{path!r}, taken for {network!r}, has {found} for {name!r}; wanted {wanted.get(name)}"
            )
    default = type(module)()
    fields = {
        name: getattr(module, name)
        for name in ("width", "middle", "repeats")
        if hasattr(module, name)
    }
    fields = {name: value for name, value in fields.items() if value != getattr(default, name)}
    return Pretrained(
        network, fields, unflatten_dict(flat, sep="/"), tuple(sorted(layers.keys() - used))
    )


def _arrays(
    place: tuple[str, ...], convolution: list[np.ndarray], norm: list[np.ndarray] | None
) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Our names and arrays of one convolution with its normalisation, or of a dense layer where
    there is none.
    """
    if norm is None:
        kernel, bias = convolution
        yield ("params", *place, "kernel"), kernel[0, 0]
        yield ("params", *place, "bias"), bias
        return
    if place[-1].startswith("sepconv"):
        within, across = convolution
        yield ("params", *place, "depthwise"), within[..., 0]
        yield ("params", *place, "pointwise"), across[0, 0]
    else:
        (kernel,) = convolution
        yield ("params", *place, "kernel"), kernel
    *scale, bias, mean, var = norm
    if scale:
        yield ("params", *place, "norm", "scale"), scale[0]
    yield ("params", *place, "norm", "bias"), bias
    yield ("batch_stats", *place, "norm", "mean"), mean
    yield ("batch_stats", *place, "norm", "var"), var


def _unnamed(layers: Layers) -> tuple[list[str], list[str]]:
    """Convolutions and normalisations that Keras named, each in the order in which they were
    made.
    """
    found: tuple[list[tuple[int, str]], ...] = ([], [])
    for name in layers:
        match = re.fullmatch(r"(conv(?:olution)?2d|batch_?normalization)(?:_(\d+))?", name)
        if match:
            found[match[1].startswith("batch")].append((int(match[2] or 0), name))
    convolutions, norms = ([name for _, name in sorted(kind)] for kind in found)
    return convolutions, norms


def _pairs(layers: Layers, paths: list[tuple[str, ...]]) -> list[Place]:
    """The layers that Keras named, at our paths in their order."""
    convolutions, norms = _unnamed(layers)
    if not len(convolutions) == len(norms) == len(paths):
        raise UserError(
            f"the file has {len(convolutions)} convolutions and {len(norms)} normalisations without names of their "
            f"own; wanted {len(paths)} of each"
        )
    return list(zip(paths, convolutions, norms, strict=True))


def _width(layers: Layers, first: str) -> float:
    return layers[first][0].shape[-1] / 32


def _xception(layers: Layers) -> tuple[Backbone, list[Place]]:
    named = [name for name in layers if re.fullmatch(r"block\d+_(sep)?conv\d", name)]
    middle = sum(re.fullmatch(r"block\d+_sepconv3", name) is not None for name in named)
    places: list[Place] = [(tuple(name.split("_")), name, f"{name}_bn") for name in named]
    places += _pairs(layers, [(f"block{number}", "shortcut") for number in (2, 3, 4, 13)])
    return Xception(middle=middle, width=_width(layers, "block1_conv1")), places


def _inception_v3(layers: Layers) -> tuple[Backbone, list[Place]]:
    paths = [
        (block, f"conv{number}")
        for block, branches in BLOCKS.items()
        for number in range(1, count_convolutions(branches) + 1)
    ]
    places = _pairs(layers, paths)
    return InceptionV3(width=_width(layers, places[0][1])), places


def _inception_resnet_v2(layers: Layers) -> tuple[Backbone, list[Place]]:
    ups: dict[str, list[str]] = {"block35": [], "block17": [], "block8": []}
    for name in layers:
        match = re.fullmatch(r"(block\d+)_(\d+)_conv", name)
        if match and match[1] in ups:
            ups[match[1]].append(name)
    for names in ups.values():
        names.sort(key=lambda name: int(name.split("_")[1]))
    fine, coarse, last = (len(names) for names in ups.values())
    module = InceptionResNetV2(repeats=(fine, coarse, last))
    paths = [
        (block, f"conv{number}")
        for block, _, fields in module.links(1)
        if block != "conv_7b"
        for number in range(1, count_convolutions(fields["branches"]) + 1)
    ]
    places = _pairs(layers, paths)
    for kind, names in ups.items():
        places += [((f"{kind}_{rank}", "up"), name, None) for rank, name in enumerate(names, 1)]
    places.append((("conv_7b", "conv1"), "conv_7b", "conv_7b_bn"))
    return module.clone(width=_width(layers, places[0][1])), places


# Networks, the layers that tell them apart, and how their layers are placed; the first that fits is
# taken.
_NETWORKS: tuple[
    tuple[str, tuple[str, ...], Callable[[Layers], tuple[Backbone, list[Place]]]], ...
] = (
    ("xception", ("block1_conv1", r"block14_sepconv2"), _xception),
    ("inception_resnet_v2", ("conv_7b", r"block35_\d+_conv"), _inception_resnet_v2),
    ("inception_v3", (r"conv2d_\d+", r"batch_normalization_\d+"), _inception_v3),
)
