"""The layers of keras.applications' networks, and the backbone's convolutions that they belong to.

A layer is identified by its name; one that Keras named by itself (conv2d_17) by its rank among the
layers of its kind, which is the order in which the network creates them.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from jaxact.errors import UserError
from jaxact.interop.keras_files import Layers
from jaxact.models.inception import BLOCKS, InceptionV3, count_convolutions
from jaxact.models.inception_resnet import InceptionResNetV2
from jaxact.models.layers.backbone import Backbone
from jaxact.models.xception import Xception


class Convolution(NamedTuple):
    """A convolution of a backbone, and the Keras layers that hold its parameters.

    Attributes:
        path: of the module in the backbone.
        layer: the Keras layer of its kernel.
        norm: the Keras layer of its normalisation; None for a dense layer without one.
    """

    path: tuple[str, ...]
    layer: str
    norm: str | None


def identify(layers: Layers) -> str | None:
    """The network whose layers these are, a key of `NETWORKS`, or None."""
    for network, patterns in _PATTERNS.items():
        if all(_any_match(pattern, layers) for pattern in patterns):
            return network
    return None


def _any_match(pattern: str, layers: Layers) -> bool:
    return any(re.fullmatch(pattern, name) for name in layers)


def _numbered(layers: Layers, pattern: str) -> list[str]:
    """Layers that Keras named by itself, such as conv2d and conv2d_1, in order of creation."""
    numbered = []
    for name in layers:
        match = re.fullmatch(rf"(?:{pattern})(?:_(\d+))?", name)
        if match:
            numbered.append((int(match[1] or 0), name))
    return [name for _, name in sorted(numbered)]


def _numbered_convolutions(layers: Layers, paths: list[tuple[str, ...]]) -> list[Convolution]:
    """Pairs the convolutions that Keras named by itself with the backbone's paths, in order."""
    convolutions = _numbered(layers, r"conv(?:olution)?2d")
    norms = _numbered(layers, r"batch_?normalization")
    if not len(convolutions) == len(norms) == len(paths):
        raise UserError(
            f"the file has {len(convolutions)} convolutions and {len(norms)} normalisations "
            f"without names of their own; wanted {len(paths)} of each"
        )
    return [Convolution(*names) for names in zip(paths, convolutions, norms, strict=True)]


def _width(layers: Layers, first: str) -> float:
    """The backbone's width, from the channels of its first convolution."""
    return layers[first][0].shape[-1] / 32


def _xception(layers: Layers) -> tuple[Backbone, list[Convolution]]:
    convolutions = []
    for name in layers:
        if re.fullmatch(r"block\d+_(sep)?conv\d", name):
            convolutions.append(Convolution(tuple(name.split("_")), name, f"{name}_bn"))
    middle = sum(re.fullmatch(r"block\d+_sepconv3", name) is not None for name in layers)
    shortcuts = [(f"block{number}", "shortcut") for number in (2, 3, 4, 13)]
    convolutions += _numbered_convolutions(layers, shortcuts)
    return Xception(middle=middle, width=_width(layers, "block1_conv1")), convolutions


def _inception_v3(layers: Layers) -> tuple[Backbone, list[Convolution]]:
    paths = []
    for block, branches in BLOCKS.items():
        for number in range(1, count_convolutions(branches) + 1):
            paths.append((block, f"conv{number}"))
    convolutions = _numbered_convolutions(layers, paths)
    return InceptionV3(width=_width(layers, convolutions[0].layer)), convolutions


def _inception_resnet_v2(layers: Layers) -> tuple[Backbone, list[Convolution]]:
    projections: dict[str, list[str]] = {"block35": [], "block17": [], "block8": []}
    for name in layers:
        match = re.fullmatch(r"(block\d+)_(\d+)_conv", name)
        if match and match[1] in projections:
            projections[match[1]].append(name)
    for names in projections.values():
        names.sort(key=lambda name: int(name.split("_")[1]))
    fine, coarse, last = (len(names) for names in projections.values())
    module = InceptionResNetV2(repeats=(fine, coarse, last))
    paths = []
    for block, _, fields in module.used_blocks(1):
        if block != "conv_7b":
            for number in range(1, count_convolutions(fields["branches"]) + 1):
                paths.append((block, f"conv{number}"))
    convolutions = _numbered_convolutions(layers, paths)
    for kind, names in projections.items():
        for rank, name in enumerate(names, 1):
            convolutions.append(Convolution((f"{kind}_{rank}", "up"), name, None))
    convolutions.append(Convolution(("conv_7b", "conv1"), "conv_7b", "conv_7b_bn"))
    return module.clone(width=_width(layers, convolutions[0].layer)), convolutions


# How the convolutions of each network are found.
NETWORKS: dict[str, Callable[[Layers], tuple[Backbone, list[Convolution]]]] = {
    "xception": _xception,
    "inception_resnet_v2": _inception_resnet_v2,
    "inception_v3": _inception_v3,
}
# Layers that identify a network; the first network that has all of them is used.
_PATTERNS = {
    "xception": ("block1_conv1", r"block14_sepconv2"),
    "inception_resnet_v2": ("conv_7b", r"block35_\d+_conv"),
    "inception_v3": (r"conv2d_\d+", r"batch_normalization_\d+"),
}
