"""What is exported: one network, or the networks of several streams as one function."""

import dataclasses
import functools
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import export as jax_export
from jaxtyping import Array, Float

from jaxact.errors import UserError
from jaxact.evaluation import score_fusion
from jaxact.export import metadata
from jaxact.models.layers.formulation import formulation
from jaxact.models.outputs import logits_of
from jaxact.runs import trained_model

# Input axes that may be symbolic, in the order in which they are tried.
SYMBOLIC_AXES = (("n", "frames"), ("n",))


@dataclasses.dataclass(frozen=True)
class Network:
    """One network, or an ensemble that reads its streams side by side along the channels.

    Attributes:
        nets: one network, or those of the ensemble.
        shares: weights of the networks' probabilities in their mean; the sum is 1.
    """

    nets: tuple[trained_model.TrainedModel, ...]
    shares: tuple[float, ...] = (1.0,)

    @property
    def name(self) -> str:
        """The name in messages, e.g. "stgcn on joint"."""
        names = [f"{net.config.model.name} on {net.config.clip.stream}" for net in self.nets]
        return " + ".join(names)

    @functools.cached_property
    def metas(self) -> tuple[trained_model.RunMetadata, ...]:
        """The metadata of each network's run."""
        metas = []
        for net in self.nets:
            metas.append(
                trained_model.RunMetadata(
                    net.config, net.layout, net.labels, net.channels, radii=net.radii
                )
            )
        return tuple(metas)

    @functools.cached_property
    def _widths(self) -> tuple[int, ...]:
        """The number of channels that each network reads."""
        shapes = [trained_model.example_input(meta, training=False).shape for meta in self.metas]
        return tuple(shape[-1] for shape in shapes)

    @functools.cached_property
    def inputs(self) -> jax.ShapeDtypeStruct:
        """The shape of one input, [1, T, ..., C], where C are the channels of all networks."""
        shape = trained_model.example_input(self.metas[0], training=False).shape
        return jax.ShapeDtypeStruct((*shape[:-1], sum(self._widths)), np.float32)

    @property
    def variables(self) -> tuple[Any, ...]:
        """The weights of each network."""
        return tuple(net.weights for net in self.nets)

    def apply(
        self, variables: Sequence[Any], clips: Float[Array, "n ..."]
    ) -> Float[Array, "n classes"]:
        """Logits in the direct formulation; of an ensemble log(sum_s share_s softmax(z_s))."""
        modules = [net.model for net in self.nets]
        with formulation("direct"):
            logits = self._apply_each(modules, variables, clips)
        if len(logits) == 1:
            return logits[0]
        probabilities = []
        for share, net_logits in zip(self.shares, logits, strict=True):
            probabilities.append(share * nn.softmax(net_logits))
        # Added one by one: the sum over a stacked axis is an operator more for each format.
        mean = functools.reduce(operator.add, probabilities)
        return jnp.log(jnp.maximum(mean, 1e-30))

    def reference(self, clips: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n classes"]:
        """Logits as evaluation computes them: each network's own formulation, then score fusion."""
        logits = self._evaluate(clips)
        if len(logits) == 1:
            return logits[0]
        return score_fusion.fuse(logits.astype(np.float64), self.shares)

    def describe(self, axes: Sequence[str]) -> dict[str, Any]:
        """The artifact's metadata as plain JSON values, for these symbolic axes."""
        meta = metadata.describe(self.nets[0], self.inputs, tuple(axes))
        if len(self.nets) == 1:
            return meta
        return metadata.ensemble(self.nets, self.shares, meta)

    def symbolic(self, axes: Sequence[str]) -> jax.ShapeDtypeStruct:
        """The input's shape with these axes symbolic."""
        names = ["n", str(self.inputs.shape[1])]
        constraints = ["n >= 1"]
        if "frames" in axes:
            names[1] = "t"
            constraints.append("t >= 1")
        names += map(str, self.inputs.shape[2:])
        shape = jax_export.symbolic_shape(", ".join(names), constraints=constraints)
        return jax.ShapeDtypeStruct(shape, np.float32)

    def _apply_each(
        self, modules: Sequence[nn.Module], variables: Sequence[Any], clips: Any
    ) -> list[Any]:
        """The logits of each network."""
        logits = []
        start = 0
        for module, weights, width in zip(modules, variables, self._widths, strict=True):
            stream = clips
            if len(modules) > 1:
                stream = clips[..., start : start + width]
            outputs = module.apply(weights, stream, train=False)
            logits.append(logits_of(outputs).astype(jnp.float32))
            start += width
        return logits

    @functools.cached_property
    def _evaluate(self) -> Any:
        modules = [net.model for net in self.nets]
        apply = jax.jit(lambda variables, clips: self._apply_each(modules, variables, clips))

        def evaluate(clips: Any) -> np.ndarray:
            return np.stack([np.asarray(logits) for logits in apply(self.variables, clips)])

        return evaluate


def load(
    workdirs: Sequence[str | Path],
    *,
    step: int | None = None,
    how: str | None = None,
    shares: Sequence[float] | None = None,
) -> Network:
    """The network of a run, or the networks of several runs as an ensemble.

    Args:
        workdirs: folders of runs, see `trained_model.load`.
        step, how: which checkpoint of each.
        shares: weights of their probabilities; by default the usual weights of their streams.

    Raises:
        UserError: no checkpoint, networks with other classes, joints or shapes, or invalid weights.
    """
    nets = tuple(trained_model.load(workdir, step=step, how=how) for workdir in workdirs)
    for net, workdir in zip(nets[1:], workdirs[1:], strict=True):
        _check_pair((nets[0], net), (str(workdirs[0]), str(workdir)))
    if shares is None:
        streams = [net.config.clip.stream.split("+")[0] for net in nets]
        shares = [score_fusion.STREAM_WEIGHTS.get(stream, 1.0) for stream in streams]
    score_fusion.fuse(np.zeros((len(nets), 1, 1)), shares)  # refuses invalid weights
    total = float(sum(shares))
    return Network(nets, tuple(float(share) / total for share in shares))


def _check_pair(
    nets: tuple[trained_model.TrainedModel, trained_model.TrainedModel], workdirs: tuple[str, str]
) -> None:
    """Raises UserError if two networks cannot read the same input and give the same classes."""
    first, second = _requirements(nets[0]), _requirements(nets[1])
    for name, value in first.items():
        if value == second[name]:
            continue
        values = ""
        if name.startswith("clip."):
            values = f" ({value!r} and {second[name]!r})"
        raise UserError(
            f"the networks in {workdirs[0]!r} and {workdirs[1]!r} differ in {name}{values}: "
            "one artifact holds networks that differ in their stream only; "
            "fuse the scores of others with `jaxact fuse`"
        )


def _requirements(net: trained_model.TrainedModel) -> dict[str, Any]:
    """What the networks of an ensemble must have in common: all but the stream."""
    values = {"classes": net.labels, "joint layout": net.layout}
    for name, value in dataclasses.asdict(net.config.clip).items():
        if name != "stream":
            values[f"clip.{name}"] = value
    return values
