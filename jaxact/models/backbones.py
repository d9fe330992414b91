"""The backbones of video networks by name, and what video networks share."""

from typing import Any, TypeVar

import flax.linen as nn

from jaxact.errors import unknown
from jaxact.models.inception import InceptionV3
from jaxact.models.inception_resnet import InceptionResNetV2
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.backbone import Backbone
from jaxact.models.xception import Xception

BACKBONES: dict[str, type[Backbone]] = {
    "xception": Xception,
    "inception_v3": InceptionV3,
    "inception_resnet_v2": InceptionResNetV2,
}


def make_backbone(name: str, /, *, depth: float = 1.0, **options: Any) -> Backbone:
    """The backbone `name`.

    Args:
        name: a key of `BACKBONES`.
        depth: factor on the number of repeated blocks.
        **options: other fields of the backbone.

    Raises:
        UserError: a name that is not in `BACKBONES`.
    """
    if name not in BACKBONES:
        raise unknown("backbone", name, BACKBONES)
    if name == "xception":
        options["middle"] = int(Xception.middle * depth)
    elif name == "inception_resnet_v2":
        repeats = [max(1, int(count * depth)) for count in InceptionResNetV2.repeats]
        options["repeats"] = tuple(repeats)
    return BACKBONES[name](**options)


class VideoNetwork(nn.Module):
    """A network that classifies clips by the feature maps of a backbone.

    Attributes:
        num_classes: number of logits.
        backbone: a key of `BACKBONES`.
        train_from: the backbone's first block that trains, "all", "none", or "last" for its blocks
            on the coarsest grid.
        width, depth: factors on the backbone's channels and on its repeated blocks, for toys.
        skip: names of the backbone's blocks to leave out, see
            `jaxact.models.layers.backbone.Backbone`.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        remat, chunk: see `jaxact.models.layers.backbone.Backbone`.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    num_classes: int
    backbone: str = "xception"
    train_from: str = "all"
    width: float = 1.0
    depth: float = 1.0
    skip: tuple[str, ...] = ()
    dtype: Any = "float32"
    remat: bool = False
    chunk: int = 0
    axis_name: str | None = None

    def make_backbone(self, **options: Any) -> Backbone:
        """The backbone with this network's options.

        Raises:
            UserError: a name that is not in `BACKBONES`.
        """
        return make_backbone(
            self.backbone,
            depth=self.depth,
            width=self.width,
            skip=self.skip,
            train_from=self.train_from,
            dtype=self.dtype,
            remat=self.remat,
            chunk=self.chunk,
            axis_name=self.axis_name,
            **options,
        )

    def frozen(self, params: Any) -> Any:
        """A mask of `params`, True in the backbone's frozen blocks."""
        return self.make_backbone(parent=None).frozen(params)


Network = TypeVar("Network", bound=VideoNetwork)


def build_video_network(
    network: type[Network], spec: InputSpec, options: dict[str, Any]
) -> Network:
    """A network over video frames, which have no joints and whose channels are read off the input.

    Args:
        network: its class.
        spec: gives the number of classes and the mapped axis; the rest is ignored.
        options: other fields of the class.
    """
    return network(num_classes=spec.num_classes, axis_name=spec.axis_name, **options)
