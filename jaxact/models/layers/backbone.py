"""A network over single frames as a chain of named blocks, whose first ones may be frozen.

Frozen blocks run with their running statistics, keep nothing for the backward pass and hand on maps
through which no gradient flows; the blocks behind them train. `chunk` lets the frozen part see a
few frames at a time, so that its large early maps exist for these alone.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact.errors import UserError, unknown

Link = tuple[str, type[nn.Module], dict[str, Any]]  # a block's name, class and fields
Frames = Float[Array, "b t h w c"] | UInt8[Array, "b t h w c"]
Maps = Float[Array, "b t i j d"]


class Backbone(nn.Module):
    """Frames in, maps out. A subclass says what the blocks are.

    Attributes:
        width: factor on every layer's channels, for toys; 1 is the published network.
        skip: names of blocks that are left out. Small pictures of few clips want a shallow network,
            whose features are of places and not of whole scenes.
        train_from: the first block that trains: its name, "all", "none", or "last" for the blocks
            on the coarsest grid.
        dtype: of the computation, "float32" or "bfloat16"; parameters and statistics stay float32.
        remat: recompute each trained block's activations in the backward pass: less memory, more
            time.
        chunk: frames that the frozen blocks see at once, as far as it divides their number; 0: all.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
        fast: the formulation for CPUs (the same numbers to rounding); None takes it where the
            default backend is one.
    """

    width: float = 1.0
    skip: tuple[str, ...] = ()
    train_from: str = "all"
    dtype: Any = "float32"
    remat: bool = False
    chunk: int = 0
    axis_name: str | None = None
    fast: bool | None = None

    COARSEST: ClassVar[str]  # the block that makes the coarsest grid

    def chain(self, frames: int) -> tuple[Link, ...]:
        """The published network's blocks in their order, for clips of so many frames."""
        raise NotImplementedError

    def links(self, frames: int) -> tuple[Link, ...]:
        """The blocks of this network: those of `chain` but what `skip` names.

        Raises:
            UserError: `skip` names what is no block, or all of them.
        """
        chain = self.chain(frames)
        names = [name for name, _, _ in chain]
        for name in self.skip:
            if name not in names:
                raise unknown("block to skip", name, names)
        if not (kept := tuple(link for link in chain if link[0] not in self.skip)):
            raise UserError(
                f"all blocks are skipped: {', '.join(self.skip)}; wanted at least one to stay"
            )
        return kept

    def frozen_blocks(self) -> tuple[str, ...]:
        """Names of the blocks that do not train.

        Raises:
            UserError: `train_from` names no block.
        """
        names = [name for name, _, _ in self.links(1)]
        known = {"all": 0, "none": len(names), **{name: index for index, name in enumerate(names)}}
        if self.COARSEST in known:
            known["last"] = known[self.COARSEST]
        if self.train_from not in known:
            raise unknown("block to train from", self.train_from, known)
        return tuple(names[: known[self.train_from]])

    def frozen(self, params: Any, name: str = "backbone") -> Any:
        """A tree like a whole model's `params` that is True for the frozen blocks of its module
        `name`.

        `jaxact.runs.state.split` takes the two kinds apart.
        """
        still = {(name, block) for block in self.frozen_blocks()}
        return jax.tree_util.tree_map_with_path(
            lambda path, _: tuple(step.key for step in path[:2]) in still, params
        )

    @nn.compact
    def __call__(self, inputs: Frames, *, train: bool = False) -> Maps:
        """The last block's maps of every frame.

        Args:
            inputs: frames from -1 to 1, or bytes from 0 to 255, which are brought to that range by
                x / 127.5 - 1.
            train: batch statistics in the blocks that train; `batch_stats` must then be mutable.
        """
        batch, frames, *image = inputs.shape
        x = inputs.reshape(batch * frames, *image)
        chain, frozen = self.links(frames), self.frozen_blocks()
        x = (
            jax.lax.stop_gradient(self._frozen(chain[: len(frozen)], x))
            if frozen
            else to_range(x, self.dtype)
        )
        for name, kind, fields in chain[len(frozen) :]:
            kind = nn.remat(kind, static_argnums=(2,)) if self.remat else kind
            x = kind(**fields, dtype=self.dtype, axis_name=self.axis_name, name=name)(x, train)
        return x.reshape(batch, frames, *x.shape[1:])

    def _frozen(self, chain: tuple[Link, ...], x: Array) -> Array:
        def run(module: nn.Module, x: Array) -> Array:
            x = to_range(x, self.dtype)
            for name, kind, fields in chain:
                x = kind(**fields, dtype=self.dtype, axis_name=None, name=name, parent=module)(
                    x, False
                )
            return x

        count = x.shape[0]
        if (
            self.is_initializing()
            or not self.chunk
            or not isinstance(count, int)
            or count <= self.chunk
        ):
            return run(self, x)
        size = max(divisor for divisor in range(1, self.chunk + 1) if count % divisor == 0)
        over_chunks = nn.scan(
            lambda module, carry, x: (carry, run(module, x)),
            variable_broadcast=("params", "batch_stats"),
            split_rngs={"params": False},
        )
        _, y = over_chunks(self, (), x.reshape(count // size, size, *x.shape[1:]))
        return y.reshape(count, *y.shape[2:])

    def scaled(self, features: int) -> int:
        """Channels of a layer under `width`."""
        return max(1, int(features * self.width))

    def is_fast(self) -> bool:
        """Whether the formulation for CPUs is used."""
        return jax.default_backend() == "cpu" if self.fast is None else self.fast


def to_range(x: Array, dtype: Any) -> Array:
    """Bytes 0 to 255 as numbers from -1 to 1; numbers stay as they are."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        return x.astype(dtype)
    return (x.astype(jnp.float32) / 127.5 - 1).astype(dtype)
