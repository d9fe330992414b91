"""ST-GCN that looks back only, as an ordinary network over clips and as a step over a stream.

The units are those of Yan, Xiong and Lin (AAAI 2018); their convolution along time reads this frame
and the eight before it. Nothing has to wait for what comes, so that a stream needs of each unit its
last eight frames and no more.

    clip    [b t m v c] -> norm -> stem, 9 causal units [bm t/4 v 256] -> mean so far -> [b k]
    stream  state, frame [b m v c] -> state, logits [b k], the same logits as of the clip so far

The units keep their strides: output s of a unit with stride 2 is that of its input frame 2 s, so
that the units behind it have a new frame for every second one, and those behind the second stride
for every fourth. In between, the step leaves them as they are, and so would the clip: its last
outputs are those of frames 0, 4, 8 ...

The mean is that of all outputs so far, or, for streams without an end, of the last `window` ones;
it is part of the network, so that clip and stream agree either way. Not the paper's: it has no
causal network, and no number is known.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxact import errors, skeletons
from jaxact.models import stgcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.temporal_conv import TAPS, correlate, fourier_kernel
from jaxact.models.spatial_attention_net import data_norm
from jaxact.models.stgcn import VARIANTS, kernel_init

PAST = TAPS - 1  # frames that a unit remembers
Weights = Any  # {params, batch_stats} of a `CausalSTGCN`


class CausalUnit(stgcn.Unit):
    """ST-GCN's unit with zeros in place of the frames before the clip, and none after it.

    With a variable `past` [n v 8 d] in the collection `stream`, those frames stand before the clip
    instead, and the last eight of all are left in it.
    """

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array]:
        features = self.features
        kernel, bias = self._weights(
            "temporal", (TAPS, features, features), (features,), fan_out=TAPS * features
        )
        if self.has_variable("stream", "past"):
            y = nn.relu(affine(y, factor, offset)).astype(y.dtype)
            y = jnp.concatenate([self.get_variable("stream", "past"), y], axis=2)
            self.put_variable("stream", "past", y[:, :, -PAST:])
            return _valid(y, kernel, self.stride), bias
        if self.fast:
            kernel = fourier_kernel(
                kernel, -(-(y.shape[2] + TAPS // 2) // self.stride), self.stride
            )
        return self._run(
            functools.partial(_causal, stride=self.stride), y, (kernel, factor, offset)
        ), bias


class CausalSTGCN(stgcn.STGCN):
    """The whole network; any number of frames and persons at run time. Its parameters are those of
    `stgcn.STGCN`.

    Attributes:
        window: how many of the last unit's outputs, one for every four frames, the class is read
            off; 0: all so far.
    """

    window: int = 0

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip; what the last unit makes of it is sown as `features` [b s m v d] in
        `intermediates`.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero. A clip
                shorter than t should begin with its padding: the last frames count as seen.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        batch, _, persons, joints, _ = inputs.shape
        x = data_norm(inputs, train, self.initial, self.axis_name).astype(self.dtype)
        for unit in self.units(
            jax.default_backend() == "cpu" if self.fast is None else self.fast, self.remat
        ):
            x = unit(x, train)
        features = x.reshape(batch, persons, joints, -1, x.shape[-1])
        self.sow("intermediates", "features", jnp.transpose(features, (0, 3, 1, 2, 4)))
        features = features[:, :, :, -self.window :] if self.window else features
        return self.head()(
            jnp.mean(features.astype(jnp.float32).reshape(batch, -1, x.shape[-1]), axis=1)
        )

    @nn.nowrap
    def units(self, fast: bool, remat: bool = False) -> list[CausalUnit]:
        """The units in their order."""
        kind = nn.remat(CausalUnit, static_argnums=(2,)) if remat else CausalUnit
        return [
            kind(
                features=factor * self.width,
                stride=stride,
                residual=name != "stem",
                adjacency=self.adjacency,
                edge_importance=self.edge_importance,
                dropout=0.0 if name == "stem" else self.dropout,
                initial=self.initial,
                axis_name=self.axis_name,
                fast=fast,
                name=name,
            )
            for name, factor, stride in VARIANTS[self.network]
        ]

    @nn.nowrap
    def head(self) -> nn.Dense:
        """Pooled features to logits."""
        return nn.Dense(
            self.num_classes, kernel_init=kernel_init(self.initial, self.num_classes), name="head"
        )


class Pool(NamedTuple):
    """The mean of the outputs so far, k = 1, or the last k = `window` of them, each a mean over
    joints and persons.
    """

    held: Float[Array, "b k d"]
    count: Int[Array, ""]  # outputs so far


class Stream(NamedTuple):
    """What the network knows after the frames so far; as large after a day as at the start."""

    pasts: dict[
        str, Float[Array, "n v 8 d"]
    ]  # of each unit, what its convolution along time has read last
    pool: Pool
    frames: Int[Array, ""]  # how many have come


def open_stream(model: CausalSTGCN, batch: int, persons: int) -> Stream:
    """The state before the first frame."""
    shape = (batch * persons, model.adjacency.num_joints, PAST)
    units = model.units(fast=False)
    return Stream(
        pasts={str(unit.name): jnp.zeros((*shape, unit.features), model.dtype) for unit in units},
        pool=Pool(
            jnp.zeros((batch, max(model.window, 1), units[-1].features)), jnp.zeros((), jnp.int32)
        ),
        frames=jnp.zeros((), jnp.int32),
    )


@functools.partial(jax.jit, static_argnums=0)
def step(
    model: CausalSTGCN, weights: Weights, state: Stream, frame: Float[Array, "b m v c"]
) -> tuple[Stream, Float[Array, "b classes"]]:
    """The state after `frame`, and the logits of `model` on all frames so far.

    One turn of every unit that has a new frame: the same work after any number of frames, and of
    the last three units a quarter of it on average. A person keeps the place m: a tracker's
    business.
    """
    batch, persons, joints, channels = frame.shape
    x = frame.reshape(batch, persons, joints * channels)
    x = affine(x, *_run(BatchNorm(name="data_norm"), weights, x))
    x = x.reshape(batch * persons, joints, 1, channels).astype(model.dtype)
    pasts, pool = _through(
        model, model.units(fast=False), weights, state.pasts, state.pool, x, state.frames
    )
    there = jnp.clip(pool.count, 1, max(model.window, 1))  # what is held beyond them is zero
    logits = _run(model.head(), weights, jnp.sum(pool.held, axis=1) / there)
    return Stream(pasts, pool, state.frames + 1), logits


def _through(
    model: CausalSTGCN,
    units: Sequence[CausalUnit],
    weights: Weights,
    pasts: dict[str, Array],
    pool: Pool,
    x: Float[Array, "n v 1 c"],
    number: Int[Array, ""],
) -> tuple[dict[str, Array], Pool]:
    """What the last `units` of the network remember after their frame `number`, which is x, and the
    pool behind.
    """
    if not units:
        return {}, _pooled(pool, x, model.window)
    unit, name = units[0], str(units[0].name)
    rest = {other: past for other, past in pasts.items() if other != name}

    def run() -> tuple[Array, Array]:
        streaming = {**weights, "stream": {name: {"past": pasts[name]}}}
        y, after = _run(unit, streaming, x, mutable="stream")
        return y, after["stream"]["past"]

    def go_on() -> tuple[dict[str, Array], Pool]:
        y, past = run()
        behind, after = _through(model, units[1:], weights, rest, pool, y, number // unit.stride)
        return behind | {name: past}, after

    def hold() -> tuple[dict[str, Array], Pool]:
        return rest | {name: run()[1]}, pool  # what the unit gives is not used, and so not computed

    return go_on() if unit.stride == 1 else jax.lax.cond(number % unit.stride == 0, go_on, hold)


def _pooled(pool: Pool, x: Float[Array, "n v 1 d"], window: int) -> Pool:
    """The pool with one more output."""
    batch, _, features = pool.held.shape
    newest = jnp.mean(x.astype(jnp.float32).reshape(batch, -1, features), axis=1, keepdims=True)
    count = pool.count + 1
    if not window:
        return Pool(pool.held + (newest - pool.held) / count, count)
    return Pool(jnp.concatenate([pool.held[:, 1:], newest], axis=1), count)


def _causal(
    x: Array, kernel: Array, factor: Array, offset: Array, *, stride: int, fast: bool
) -> Array:
    """The convolution along time of ReLU(x * factor + offset) with zeros before the clip."""
    frames = x.shape[2]
    x = nn.relu(affine(x, factor, offset)).astype(x.dtype)
    if not fast:
        return _valid(jnp.pad(x, ((0, 0), (0, 0), (PAST, 0), (0, 0))), kernel, stride)
    x = jnp.pad(
        x, ((0, 0), (0, 0), (TAPS // 2, 0), (0, 0))
    )  # the other half of the past it puts there itself
    return correlate(x, kernel, TAPS, stride)[:, :, : -(-frames // stride)].astype(x.dtype)


def _valid(
    x: Float[Array, "n v t c"], kernel: Float[Array, "taps c d"], stride: int
) -> Float[Array, "n v s d"]:
    """y[s] = sum_i x[stride * s + i] @ kernel[i], for every s where all of these are there."""
    order = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        x, kernel[None].astype(x.dtype), (1, stride), "VALID", dimension_numbers=order
    )


def _run(module: nn.Module, weights: Weights, *inputs: Array, **options: Any) -> Any:
    """A submodule with the variables that the network has under its name."""
    name = str(module.name)
    return module.apply(
        {kind: tree[name] for kind, tree in weights.items() if name in tree}, *inputs, **options
    )


def build_causal_stgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    strategy: str = "spatial",
    norm: str = "subset",
    init: str = "v2",
    **options: Any,
) -> CausalSTGCN:
    """The causal ST-GCN on the graph of `layout`; `options` are fields of `CausalSTGCN`.

    Raises:
        UserError: an unknown network, strategy or norm, or a window that is no number of outputs.
    """
    del channels  # read off the input
    if options.get("network", "stem9") not in stgcn.VARIANTS:
        raise errors.unknown("network", options["network"], stgcn.VARIANTS)
    if options.get("window", 0) < 0:
        raise errors.UserError(
            f"model.window is how many outputs are averaged, 0 for all; got {options['window']!r}"
        )
    adjacency = Adjacency(skeletons.adjacency(layout, strategy, norm))
    return CausalSTGCN(
        num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, initial=init, **options
    )
