"""The pose network of the online recognition paper (Li, Computer Science and Application 14(1),
2024; its sections 3.1 and 3.2): where in a picture the joints of people are, and which of them
belong together.

A depthwise convolutional network gives features at an eighth of the picture's size. Two branches
read off them, for every joint, how likely it is at a place (S), and for every limb, in which
direction it runs there (L); each further stage reads the features and both answers again and
corrects them.

    [b h w 3] -> Table 1 -> features F [b h/8 w/8 864] -> stage 1 (F) -> stages 2 to 6 (F, S, L) -> S [.. 14], L [.. 26]

3 194 896 numbers, 916 080 of them in Table 1; 2.52 GMAC for a picture of 224 x 224. With the stages
at half width 1 942 800 and 1.55 GMAC.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models.layers import conv_batch_norm
from jaxact.models.layers.backbone import to_range
from jaxact.models.layers.conv_batch_norm import GLOROT, ConvNorm, Norm
from jaxact.skeletons.pose_body import BODY, LIMBS

STRIDE = 8  # pixels of the picture to a cell of the maps, each way
# Table 1 from L1 on: channels out for each one in, and the stride.
LAYERS = ((2, 1), (2, 2), (1, 1), (2, 2), (1, 1), (2, 1), *((1, 1),) * 5)
FINE, MIDDLE, LAST = 3, 7, 11  # layers whose maps are the features
UNIFORM = nn.initializers.variance_scaling(
    1.0, "fan_avg", "uniform", in_axis=(), out_axis=-1
)  # Xavier's, depthwise


class DepthwiseConv(nn.Module):
    """3 x 3 within each channel, then 1 x 1 across them, each with its normalisation and ReLU.

    Attributes:
        features: channels out.
        stride: distance of output pixels, both ways, 1 or 2.
        between: normalisation and ReLU between the two, as in MobileNet; tf-pose-estimation has
            none there.
        dtype, axis_name, fast: see `PoseNet`.
    """

    features: int
    stride: int
    between: bool
    dtype: Any
    axis_name: str | None
    fast: bool

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b i j d"]:
        """Maps in, maps out; `train` takes the batch's statistics."""
        kernel = self.param("depthwise", UNIFORM, (3, 3, x.shape[-1])).astype(self.dtype)
        x = depthwise(x, kernel, self.stride, self.fast)
        if self.between:
            x = nn.relu(Norm(True, self.axis_name, name="between")(x, train)).astype(self.dtype)
        options = (self.dtype, self.axis_name)
        return ConvNorm(self.features, (1, 1), 1, "SAME", True, True, *options, name="pointwise")(
            x, train
        )


class Features(nn.Module):
    """Table 1: a convolution and eleven depthwise separable ones, and the features F that the
    stages see.

    F stacks the maps of L3, the largest of 2 x 2 pixels each, of L7 and of L11: 96, 384 and 384
    channels.

    Attributes:
        filters, between, dtype, axis_name, fast, remat: see `PoseNet`.
    """

    filters: int
    between: bool
    dtype: Any
    axis_name: str | None
    fast: bool
    remat: bool

    @nn.compact
    def __call__(self, x: Float[Array, "b h w 3"], train: bool) -> Float[Array, "b i j d"]:
        """Features of pictures from -1 to 1; `train` takes the batch's statistics."""
        x = ConvNorm(
            self.filters, (3, 3), 2, "SAME", True, True, self.dtype, self.axis_name, name="layer0"
        )(x, train)
        seen = []
        kind = nn.remat(DepthwiseConv, static_argnums=(2,)) if self.remat else DepthwiseConv
        for number, (ratio, stride) in enumerate(LAYERS, 1):
            options = (self.between, self.dtype, self.axis_name, self.fast)
            x = kind(ratio * x.shape[-1], stride, *options, name=f"layer{number}")(x, train)
            if number in (FINE, MIDDLE, LAST):
                seen.append(nn.max_pool(x, (2, 2), (2, 2), "SAME") if number == FINE else x)
        return jnp.concatenate(seen, axis=-1)


class Branch(nn.Module):
    """One branch of one stage: three depthwise separable convolutions and two of 1 x 1, the last
    one linear.

    Attributes:
        out: channels out.
        width: channels of the separable convolutions.
        wide: channels of the first 1 x 1 convolution.
        between, dtype, axis_name, fast: see `PoseNet`.
    """

    out: int
    width: int
    wide: int
    between: bool
    dtype: Any
    axis_name: str | None
    fast: bool

    @nn.compact
    def __call__(self, x: Float[Array, "b i j c"], train: bool) -> Float[Array, "b i j d"]:
        """Maps in, the branch's answer out, in float32; `train` takes the batch's statistics."""
        for number in (1, 2, 3):
            options = (self.between, self.dtype, self.axis_name, self.fast)
            x = DepthwiseConv(self.width, 1, *options, name=f"sepconv{number}")(x, train)
        options = (self.dtype, self.axis_name)
        x = ConvNorm(self.wide, (1, 1), 1, "SAME", True, True, *options, name="mixed")(x, train)
        return nn.Dense(self.out, dtype=self.dtype, kernel_init=GLOROT, name="answer")(x).astype(
            jnp.float32
        )


class PoseNet(nn.Module):
    """Features, and the stages' two branches on them. Any size of picture; a cell of the maps is 8
    x 8 pixels.

    Departs from the paper where it is silent: normalisation between the depthwise and the 1 x 1
    convolution as in MobileNet; the stages' widths are those of OpenPose and tf-pose-estimation.

    Attributes:
        width: factor on the channels of the stages; 1, or 0.5 as in tf-pose-estimation's thin
            network.
        filters: channels of the first layer; 24 is the paper's, fewer are for toys.
        stages: 6 in the paper.
        background: S has a fifteenth map, of the places without a joint, as OpenPose's has.
        between: normalisation and ReLU behind every depthwise convolution.
        dtype: of the convolutions, "float32" or "bfloat16"; parameters, statistics and answers stay
            float32.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
        remat: recompute each layer's and each branch's activations in the backward pass: less
            memory, more time.
        fast: the formulation for CPUs (the same numbers to rounding); None takes it where the
            default backend is one.
    """

    width: float = 1.0
    filters: int = 24
    stages: int = 6
    background: bool = False
    between: bool = True
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None
    fast: bool | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b h w 3"] | UInt8[Array, "b h w 3"], *, train: bool = False
    ) -> dict[str, Float[Array, "b t i j _"]]:
        """What every stage answers; the last one's is the network's.

        Args:
            inputs: pictures from -1 to 1, or bytes from 0 to 255, which become x / 127.5 - 1.
            train: the batch's statistics; `batch_stats` must then be mutable.

        Returns:
            `joints` [b stages h/8 w/8 14], S: 1 where a joint is, 0 far from all; with `background`
            15 maps. `limbs` [b stages h/8 w/8 26], L: x and y of each limb's unit vector, limb
            after limb in `body.LIMBS`.
        """
        fast = jax.default_backend() == "cpu" if self.fast is None else self.fast
        options = (self.between, self.dtype, self.axis_name, fast)
        features = Features(self.filters, *options, self.remat, name="features")(
            to_range(inputs, self.dtype), train
        )
        out = {"joints": len(BODY.joints) + self.background, "limbs": 2 * len(LIMBS)}
        answers: list[dict[str, Array]] = []
        branch = nn.remat(Branch, static_argnums=(2,)) if self.remat else Branch
        for stage in range(1, self.stages + 1):
            before = [answers[-1][name].astype(self.dtype) for name in out] if answers else []
            seen = jnp.concatenate([features, *before], axis=-1)
            width, wide = (
                max(1, int(size * self.width)) for size in (128, 128 if answers else 512)
            )
            answers.append(
                {
                    name: branch(size, width, wide, *options, name=f"stage{stage}_{name}")(
                        seen, train
                    )
                    for name, size in out.items()
                }
            )
        return {name: jnp.stack([answer[name] for answer in answers], axis=1) for name in out}


def depthwise(
    x: Float[Array, "b h w c"], kernel: Float[Array, "3 3 c"], stride: int, fast: bool
) -> Float[Array, "b i j c"]:
    """A 3 x 3 convolution within each channel with padding "SAME"; `fast` as in
    `convnorm.depthwise`.
    """
    if stride == 1:
        return conv_batch_norm.depthwise(x, kernel, fast)
    if fast:  # every second pixel: XLA computes no other
        height, width = x.shape[1:3]
        return conv_batch_norm.depthwise(x, kernel, True)[
            :, 1 - height % 2 :: 2, 1 - width % 2 :: 2
        ]
    order, groups = ("NHWC", "HWIO", "NHWC"), x.shape[-1]
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        "SAME",
        dimension_numbers=order,
        feature_group_count=groups,
    )


def build_pose(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> PoseNet:
    """The pose network, whose joints are those of `body-14` whatever the set's are; `options` are
    fields of `PoseNet`.

    Raises:
        UserError: no stage, or a first layer without channels.
    """
    del layout, num_classes, channels
    for name in ("stages", "filters"):
        if options.get(name, 1) < 1:
            raise UserError(f"model.{name} is {options[name]!r}, but must be at least 1")
    return PoseNet(axis_name=axis_name, **options)
