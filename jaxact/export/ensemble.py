"""What is exported: one network, or several streams' networks as one function of their inputs side
by side.
"""

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
from jaxact.models.outputs import logits_of
from jaxact.runs import trained_model

AXES = (
    ("n", "frames"),
    ("n",),
)  # axes of the input that may be symbolic, in the order in which they are tried


@dataclasses.dataclass(frozen=True)
class Network:
    """Networks whose logits are one answer.

    Attributes:
      nets: one, or the networks of an ensemble.
      shares: of each network's probabilities, of sum 1.
    """

    nets: tuple[trained_model.Trained, ...]
    shares: tuple[float, ...] = (1.0,)

    @property
    def name(self) -> str:
        """What messages call it."""
        return " + ".join(
            f"{net.config.model.name} on {net.config.clip.stream}" for net in self.nets
        )

    @functools.cached_property
    def metas(self) -> tuple[trained_model.RunMetadata, ...]:
        """What a checkpoint says of each network."""
        return tuple(
            trained_model.RunMetadata(
                net.config, net.layout, net.labels, net.channels, radii=net.radii
            )
            for net in self.nets
        )

    @functools.cached_property
    def inputs(self) -> jax.ShapeDtypeStruct:
        """The shape of one input, [1, T, ..., C], C being the channels of all networks."""
        first, *_ = shapes = [
            trained_model.example(meta, training=False).shape for meta in self.metas
        ]
        return jax.ShapeDtypeStruct((*first[:-1], sum(shape[-1] for shape in shapes)), np.float32)

    @property
    def variables(self) -> tuple[Any, ...]:
        """The weights of each network."""
        return tuple(net.weights for net in self.nets)

    def apply(
        self, variables: Sequence[Any], clips: Float[Array, "n ..."]
    ) -> Float[Array, "n classes"]:
        """Logits, by the formulation for every platform; of an ensemble log(sum_s share_s
        softmax(z_s)).
        """
        modules = [trained_model.build(meta, portable=True) for meta in self.metas]
        logits = self._each(modules, variables, clips)
        if len(logits) == 1:
            return logits[0]
        # Added one by one: a sum over a stacked axis would be one more thing that each format has
        # to know.
        powers = [share * nn.softmax(one) for share, one in zip(self.shares, logits, strict=True)]
        return jnp.log(jnp.maximum(functools.reduce(operator.add, powers), 1e-30))

    def reference(self, clips: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n classes"]:
        """The same as evaluation computes it: each network in its own formulation, fused by
        `score_fusion.fuse`.
        """
        logits = self._evaluated(clips)
        return (
            logits[0]
            if len(logits) == 1
            else score_fusion.fuse(logits.astype(np.float64), self.shares)
        )

    def describe(self, axes: Sequence[str]) -> dict[str, Any]:
        """What a user of the artifact must know, as plain JSON values; `axes` are symbolic."""
        about = metadata.describe(self.nets[0], self.inputs, tuple(axes))
        return about if len(self.nets) == 1 else metadata.ensemble(self.nets, self.shares, about)

    def symbolic(self, axes: Sequence[str]) -> jax.ShapeDtypeStruct:
        """The input with these axes symbolic."""
        names = ["n", "t" if "frames" in axes else str(self.inputs.shape[1])]
        shape = jax_export.symbolic_shape(
            ", ".join([*names, *map(str, self.inputs.shape[2:])]),
            constraints=[f"{name} >= 1" for name in names if name.isalpha()],
        )
        return jax.ShapeDtypeStruct(shape, np.float32)

    def _each(
        self, modules: Sequence[nn.Module], variables: Sequence[Any], clips: Any
    ) -> list[Any]:
        ends = np.cumsum(
            [trained_model.example(meta, training=False).shape[-1] for meta in self.metas]
        )
        logits = []
        for module, weights, end, start in zip(
            modules, variables, ends, [0, *ends[:-1]], strict=True
        ):
            part = clips if len(modules) == 1 else clips[..., start:end]
            logits.append(logits_of(module.apply(weights, part, train=False)).astype(jnp.float32))
        return logits

    @functools.cached_property
    def _evaluated(self) -> Any:
        run = jax.jit(
            lambda variables, clips: self._each([net.model for net in self.nets], variables, clips)
        )
        return lambda clips: np.stack([np.asarray(logits) for logits in run(self.variables, clips)])


def load(
    workdirs: Sequence[str | Path],
    *,
    step: int | None = None,
    how: str | None = None,
    shares: Sequence[float] | None = None,
) -> Network:
    """The network of a run, or those of several as one.

    Args:
      workdirs: folders of runs, see `trained_model.load`.
      step, how: which checkpoint of each.
      shares: weights of their probabilities; by default those that are usual for their streams.

    Raises:
      UserError: no checkpoint, networks with other classes, joints or shapes, or weights that are
          none.
    """
    nets = tuple(trained_model.load(workdir, step=step, how=how) for workdir in workdirs)
    for net, workdir in zip(nets[1:], workdirs[1:], strict=True):
        _check_pair((nets[0], net), (str(workdirs[0]), str(workdir)))
    if shares is None:
        shares = [
            score_fusion.STREAMS.get(net.config.clip.stream.split("+")[0], 1.0) for net in nets
        ]
    score_fusion.fuse(np.zeros((len(nets), 1, 1)), shares)  # refuses weights that are none
    return Network(nets, tuple(float(share) / float(sum(shares)) for share in shares))


def _check_pair(
    nets: tuple[trained_model.Trained, trained_model.Trained], workdirs: tuple[str, str]
) -> None:
    """Raises UserError where two networks cannot read one input and give one answer."""
    one, other = ({"classes": n.labels, "joint layout": n.layout, **_clip(n)} for n in nets)
    for name, value in one.items():
        if value != other[name]:
            shown = (
                "" if name in ("classes", "joint layout") else f" ({value!r} and {other[name]!r})"
            )
            raise UserError(
                f"the networks in {workdirs[0]!r} and {workdirs[1]!r} differ in {name}{shown}: one artifact holds "
                "networks that differ in their stream; fuse the scores of others with `jaxact fuse`"
            )


def _clip(net: trained_model.Trained) -> dict[str, Any]:
    """What is done to a record, but for the stream."""
    options = dataclasses.asdict(net.config.clip)
    return {f"clip.{name}": value for name, value in options.items() if name != "stream"}
