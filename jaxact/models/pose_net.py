"""The pose network of the online recognition paper (Li, Computer Science and Application 14(1),
2024; its sections 3.1 and 3.2), which locates people's joints in an image and links them to bodies.

A depthwise convolutional network computes features at an eighth of the image's size. From them two
branches predict, for every joint, a heatmap (S), and for every limb, a field of its direction (L).
Each further stage reads the features and both predictions and refines the predictions.

    [b h w 3] -> Table 1 -> features F [b h/8 w/8 864] -> stage 1 (F) -> stages 2 to 6 (F, S, L)
      -> S [.. 14], L [.. 26]

3 194 896 parameters, 916 080 of them in Table 1; 2.52 GMAC for an image of 224 x 224. With the
stages at half width 1 942 800 parameters and 1.55 GMAC.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact.errors import UserError
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.backbone import to_range
from jaxact.models.layers.conv_batch_norm import GLOROT, ConvBatchNorm, KerasBatchNorm
from jaxact.models.layers.convolution import depthwise
from jaxact.skeletons.pose_body import BODY, LIMBS

STRIDE = 8  # pixels of the image per cell of the maps, in both directions
# Table 1 from L1 on: ratio of output to input channels, and stride.
LAYERS = ((2, 1), (2, 2), (1, 1), (2, 2), (1, 1), (2, 1), *((1, 1),) * 5)
FINE, MIDDLE, LAST = 3, 7, 11  # layers whose outputs are the features
# Xavier initialisation of a depthwise kernel.
UNIFORM = nn.initializers.variance_scaling(1.0, "fan_avg", "uniform", in_axis=(), out_axis=-1)


class DepthwiseConv(nn.Module):
    """Depthwise 3 x 3 convolution and 1 x 1 convolution, each with batch normalisation and ReLU.

    Attributes:
        features: output channels.
        stride: 1 or 2, in both directions.
        between: batch normalisation and ReLU between the two, as in MobileNet; tf-pose-estimation
            has none.
        dtype, axis_name: see `PoseNet`.
    """

    features: int
    stride: int
    between: bool
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b i j d"]:
        """The output feature maps; `train` uses the batch's statistics."""
        kernel = self.param("depthwise", UNIFORM, (3, 3, x.shape[-1])).astype(self.dtype)
        x = depthwise(x, kernel, self.stride)
        if self.between:
            norm = KerasBatchNorm(True, self.axis_name, name="between")
            x = nn.relu(norm(x, train)).astype(self.dtype)
        pointwise = _conv_1x1(self.features, self.dtype, self.axis_name, name="pointwise")
        return pointwise(x, train)


class Features(nn.Module):
    """Table 1: a convolution and eleven depthwise separable ones, which compute the features F.

    F concatenates the output of L3 after 2 x 2 max pooling, of L7 and of L11: 96, 384 and 384
    channels.

    Attributes:
        filters, between, dtype, axis_name, remat: see `PoseNet`.
    """

    filters: int
    between: bool
    dtype: Any
    axis_name: str | None
    remat: bool

    @nn.compact
    def __call__(self, x: Float[Array, "b h w 3"], train: bool) -> Float[Array, "b i j d"]:
        """Features of images in [-1, 1]; `train` uses the batch's statistics."""
        conv = ConvBatchNorm(
            self.filters,
            (3, 3),
            2,
            "SAME",
            relu=True,
            scale=True,
            dtype=self.dtype,
            axis_name=self.axis_name,
            name="layer0",
        )
        x = conv(x, train)
        features = []
        layer = nn.remat(DepthwiseConv, static_argnums=(2,)) if self.remat else DepthwiseConv
        for number, (ratio, stride) in enumerate(LAYERS, 1):
            options = (self.between, self.dtype, self.axis_name)
            x = layer(ratio * x.shape[-1], stride, *options, name=f"layer{number}")(x, train)
            if number == FINE:
                features.append(nn.max_pool(x, (2, 2), (2, 2), "SAME"))
            elif number in (MIDDLE, LAST):
                features.append(x)
        return jnp.concatenate(features, axis=-1)


class Branch(nn.Module):
    """One branch of one stage: three depthwise separable convolutions and two of 1 x 1, the last
    one linear.

    Attributes:
        out: output channels.
        width: channels of the separable convolutions.
        wide: channels of the first 1 x 1 convolution.
        between, dtype, axis_name: see `PoseNet`.
    """

    out: int
    width: int
    wide: int
    between: bool
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "b i j c"], train: bool) -> Float[Array, "b i j d"]:
        """The predicted maps in float32; `train` uses the batch's statistics."""
        for number in (1, 2, 3):
            options = (self.between, self.dtype, self.axis_name)
            x = DepthwiseConv(self.width, 1, *options, name=f"sepconv{number}")(x, train)
        x = _conv_1x1(self.wide, self.dtype, self.axis_name, name="mixed")(x, train)
        predict = nn.Dense(self.out, dtype=self.dtype, kernel_init=GLOROT, name="answer")
        return predict(x).astype(jnp.float32)


class PoseNet(nn.Module):
    """The features, and the stages' two branches on them. The image size is free; a cell of the
    maps is 8 x 8 pixels.

    Departs from the paper where it is silent: batch normalisation between the depthwise and the
    1 x 1 convolution as in MobileNet; the stages' widths are those of OpenPose and
    tf-pose-estimation.

    Attributes:
        width: factor on the channels of the stages; 1, or 0.5 as in tf-pose-estimation's thin
            network.
        filters: channels of the first layer; 24 in the paper, fewer for toys.
        stages: 6 in the paper.
        background: predict a fifteenth joint map, of the pixels without a joint, as OpenPose does.
        between: batch normalisation and ReLU behind every depthwise convolution.
        dtype: of the convolutions, "float32" or "bfloat16"; parameters, statistics and predictions
            stay float32.
        remat: recompute each layer's and each branch's activations in the backward pass: less
            memory, more time.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    width: float = 1.0
    filters: int = 24
    stages: int = 6
    background: bool = False
    between: bool = True
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b h w 3"] | UInt8[Array, "b h w 3"], *, train: bool = False
    ) -> dict[str, Float[Array, "b t i j _"]]:
        """The predictions of every stage; the last stage's are the network's.

        Args:
            inputs: images in [-1, 1], or bytes, which are scaled to that range by x / 127.5 - 1.
            train: use the batch's statistics; `batch_stats` must then be mutable.

        Returns:
            `joints` [b stages h/8 w/8 14], S: 1 at a joint, 0 far from all; with `background` 15
            maps. `limbs` [b stages h/8 w/8 26], L: x and y of each limb's unit vector, limb after
            limb in `pose_body.LIMBS`.
        """
        options = (self.between, self.dtype, self.axis_name)
        features_network = Features(self.filters, *options, self.remat, name="features")
        features = features_network(to_range(inputs, self.dtype), train)
        channels = {"joints": len(BODY.joints) + self.background, "limbs": 2 * len(LIMBS)}
        width = max(1, int(128 * self.width))
        branch = nn.remat(Branch, static_argnums=(2,)) if self.remat else Branch
        predictions: list[dict[str, Array]] = []
        for stage in range(1, self.stages + 1):
            if stage == 1:
                x, wide = features, max(1, int(512 * self.width))
            else:
                previous = [maps.astype(self.dtype) for maps in predictions[-1].values()]
                x, wide = jnp.concatenate([features, *previous], axis=-1), width
            predicted = {}
            for name, size in channels.items():
                network = branch(size, width, wide, *options, name=f"stage{stage}_{name}")
                predicted[name] = network(x, train)
            predictions.append(predicted)
        stacked = {}
        for name in channels:
            stacked[name] = jnp.stack([predicted[name] for predicted in predictions], axis=1)
        return stacked


def _conv_1x1(features: int, dtype: Any, axis_name: str | None, *, name: str) -> ConvBatchNorm:
    return ConvBatchNorm(
        features,
        (1, 1),
        1,
        "SAME",
        relu=True,
        scale=True,
        dtype=dtype,
        axis_name=axis_name,
        name=name,
    )


def build_pose(spec: InputSpec, **options: Any) -> PoseNet:
    """The pose network; `options` are fields of `PoseNet`.

    Its joints are those of `body-14`, whatever the data set's are.

    Raises:
        UserError: no stage, or a first layer without channels.
    """
    for name in ("stages", "filters"):
        if options.get(name, 1) < 1:
            raise UserError(f"model.{name} is {options[name]!r}, but must be at least 1")
    return PoseNet(axis_name=spec.axis_name, **options)
