"""ST-GCN that looks back only: a network over clips, and the same network as a step over a stream.

The units are those of Yan, Xiong and Lin (AAAI 2018), but their temporal convolution reads the
current frame and the eight before it. No output depends on a later frame, so a stream stores the
last eight frames of each unit and nothing else.

    clip    [b t m v c] -> norm -> stem, 9 causal units [bm t/4 v 256] -> mean so far -> [b k]
    stream  state, frame [b m v c] -> state, logits [b k], the logits of the clip so far

The units keep their strides: output s of a unit with stride 2 belongs to its input frame 2 s. The
units after the first stride therefore get a new frame for every second input frame, and those after
the second stride for every fourth. In between, the step leaves them unchanged. So does the clip,
whose last outputs are those of frames 0, 4, 8 ...

The class is read off the mean of all outputs so far or, for endless streams, of the last `window`
ones. The mean is part of the network, so clip and stream agree in both cases. Departs from the
paper, which has no causal network; no accuracy is published.
"""

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxact import errors, skeletons
from jaxact.models import stgcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.formulation import formulation
from jaxact.models.layers.stgcn_unit import STGCNUnit
from jaxact.models.layers.temporal_conv import PAST, norm_relu, norm_relu_causal_conv, valid_conv
from jaxact.models.variants import check_network

Weights = Any  # {params, batch_stats} of a `CausalSTGCN`


class StreamingUnit(STGCNUnit):
    """A unit whose temporal convolution reads past frames only, of a clip or of a stream.

    If the collection `stream` has a variable `past` [n v 8 d], those frames precede the clip
    instead of zeros, and the last eight frames of all are stored in it.
    """

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array]:
        kernel, bias = self._temporal_weights()
        if not self.has_variable("stream", "past"):
            return norm_relu_causal_conv(y, factor, offset, kernel, self.stride), bias
        y = norm_relu(y, factor, offset)
        y = jnp.concatenate([self.get_variable("stream", "past"), y], axis=2)
        self.put_variable("stream", "past", y[:, :, -PAST:])
        return valid_conv(y, kernel, self.stride), bias


class CausalSTGCN(stgcn.STGCN):
    """Causal ST-GCN, for any number of frames and persons at run time.

    Its parameters are those of `stgcn.STGCN`. A clip that is padded should begin with its padding,
    because the last frames count as seen.

    Attributes:
        window: number of last outputs, one for every four frames, that are averaged for the class;
            0: all so far.
    """

    window: int = 0

    unit_class: ClassVar[type[STGCNUnit]] = StreamingUnit

    @nn.nowrap
    def pooled(self, x: Float[Array, "n v s d"], batch: Any) -> Float[Array, "b d"]:
        """The mean over the last `window` outputs, joints and persons, in float32."""
        if self.window:
            x = x[:, :, -self.window :]
        return super().pooled(x, batch)


class Pool(NamedTuple):
    """The outputs that the class is read off, each a mean over joints and persons.

    Attributes:
        outputs: the mean of all so far, k = 1; or the last k = `window` ones, zeros at the start.
        count: outputs so far.
    """

    outputs: Float[Array, "b k d"]
    count: Int[Array, ""]


class Stream(NamedTuple):
    """The state of a stream, of constant size.

    Attributes:
        pasts: for each unit, the last frames that its temporal convolution has read.
        pool: outputs of the last unit.
        frames: frames so far.
    """

    pasts: dict[str, Float[Array, "n v 8 d"]]
    pool: Pool
    frames: Int[Array, ""]


def open_stream(model: CausalSTGCN, batch: int, persons: int) -> Stream:
    """The state before the first frame."""
    shape = (batch * persons, model.adjacency.num_joints, PAST)
    units = model.units()
    pasts = {str(unit.name): jnp.zeros((*shape, unit.features), model.dtype) for unit in units}
    outputs = jnp.zeros((batch, max(model.window, 1), units[-1].features))
    zero = jnp.zeros((), jnp.int32)
    return Stream(pasts=pasts, pool=Pool(outputs, zero), frames=zero)


@functools.partial(jax.jit, static_argnums=0)
def step(
    model: CausalSTGCN, weights: Weights, state: Stream, frame: Float[Array, "b m v c"]
) -> tuple[Stream, Float[Array, "b classes"]]:
    """The state after `frame`, and the logits of `model` on all frames so far.

    Every unit that has a new frame runs once. The cost does not grow with the number of frames; the
    last three units run for a quarter of them.

    Args:
        model: the network.
        weights: its variables.
        state: from `open_stream` or the step before.
        frame: joint coordinates (and scores). A tracker must give each person the same index m in
            every frame.
    """
    batch, persons, joints, channels = frame.shape
    x = frame.reshape(batch, persons, joints * channels)
    x = affine(x, *_apply(BatchNorm(name="data_norm"), weights, x))
    x = x.reshape(batch * persons, joints, 1, channels).astype(model.dtype)
    with formulation("direct"):  # a single frame has nothing to divide
        pasts, pool = _advance(
            model, model.units(), weights, state.pasts, state.pool, x, state.frames
        )
    averaged = jnp.clip(pool.count, 1, max(model.window, 1))
    logits = _apply(model.head(), weights, jnp.sum(pool.outputs, axis=1) / averaged)
    return Stream(pasts, pool, state.frames + 1), logits


def _advance(
    model: CausalSTGCN,
    units: Sequence[STGCNUnit],
    weights: Weights,
    pasts: dict[str, Array],
    pool: Pool,
    x: Float[Array, "n v 1 c"],
    number: Int[Array, ""],
) -> tuple[dict[str, Array], Pool]:
    """The pasts of the last `units` of the network and the pool, after x, their frame `number`."""
    if not units:
        return {}, _add_output(pool, x, model.window)
    unit, name = units[0], str(units[0].name)
    other_pasts = {other: past for other, past in pasts.items() if other != name}

    def run_unit() -> tuple[Array, Array]:
        variables = {**weights, "stream": {name: {"past": pasts[name]}}}
        y, updated = _apply(unit, variables, x, mutable="stream")
        return y, updated["stream"]["past"]

    def with_output() -> tuple[dict[str, Array], Pool]:
        y, past = run_unit()
        later_pasts, new_pool = _advance(
            model, units[1:], weights, other_pasts, pool, y, number // unit.stride
        )
        return later_pasts | {name: past}, new_pool

    def without_output() -> tuple[dict[str, Array], Pool]:
        _, past = run_unit()  # XLA drops the output, which is not used
        return other_pasts | {name: past}, pool

    if unit.stride == 1:
        return with_output()
    return jax.lax.cond(number % unit.stride == 0, with_output, without_output)


def _add_output(pool: Pool, x: Float[Array, "n v 1 d"], window: int) -> Pool:
    """The pool with one more output."""
    batch, _, features = pool.outputs.shape
    newest = jnp.mean(x.astype(jnp.float32).reshape(batch, -1, features), axis=1, keepdims=True)
    count = pool.count + 1
    if not window:
        return Pool(pool.outputs + (newest - pool.outputs) / count, count)
    return Pool(jnp.concatenate([pool.outputs[:, 1:], newest], axis=1), count)


def _apply(module: nn.Module, weights: Weights, *inputs: Array, **options: Any) -> Any:
    """A submodule, applied with the variables that the network has under its name."""
    name = str(module.name)
    variables = {kind: tree[name] for kind, tree in weights.items() if name in tree}
    return module.apply(variables, *inputs, **options)


def build_causal_stgcn(
    spec: InputSpec,
    *,
    strategy: str = "spatial",
    norm: str = "subset",
    init: str = "v2",
    **options: Any,
) -> CausalSTGCN:
    """The causal ST-GCN on the graph of `spec.layout`; arguments as of `stgcn.build_stgcn`.

    Raises:
        UserError: an unknown network, strategy or norm, or a negative window.
    """
    check_network(options, stgcn.VARIANTS)
    if options.get("window", 0) < 0:
        raise errors.UserError(
            f"model.window is how many outputs are averaged, 0 for all; got {options['window']!r}"
        )
    return CausalSTGCN(
        num_classes=spec.num_classes,
        adjacency=Adjacency(skeletons.adjacency(spec.layout, strategy, norm)),
        axis_name=spec.axis_name,
        initial=init,
        **options,
    )
