"""A frame-level network as a chain of named blocks, whose first blocks may be frozen.

Frozen blocks use their running statistics, store no activations for the backward pass and stop the
gradient; the blocks behind them train. With `chunk` the frozen part processes a few frames at a
time, so that its large early feature maps exist for these frames only.
"""

from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxact.errors import UserError, unknown

Frames = Float[Array, "b t h w c"] | UInt8[Array, "b t h w c"]
Maps = Float[Array, "b t i j d"]


class BlockSpec(NamedTuple):
    """One block of a backbone: its name, its module class and the class's fields."""

    name: str
    module: type[nn.Module]
    fields: dict[str, Any]


class Backbone(nn.Module):
    """Frames in, feature maps out. A subclass lists its blocks in `all_blocks`.

    Attributes:
        width: factor on every layer's channels, for toys; 1 is the published network.
        skip: names of blocks to leave out. Small frames and few clips call for a shallow network,
            whose features describe places and not whole scenes.
        train_from: the first block that trains: its name, "all", "none", or "last" for the blocks
            on the coarsest grid.
        dtype: of the computation, "float32" or "bfloat16"; parameters and statistics stay float32.
        remat: recompute each trained block's activations in the backward pass: less memory, more
            time.
        chunk: frames that the frozen blocks process at once, rounded down to a divisor of the
            number of frames; 0 = all.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    width: float = 1.0
    skip: tuple[str, ...] = ()
    train_from: str = "all"
    dtype: Any = "float32"
    remat: bool = False
    chunk: int = 0
    axis_name: str | None = None

    COARSEST: ClassVar[str]  # the first block on the coarsest grid

    def all_blocks(self, frames: int) -> tuple[BlockSpec, ...]:
        """The published network's blocks in order, for clips of `frames` frames."""
        raise NotImplementedError

    def used_blocks(self, frames: int) -> tuple[BlockSpec, ...]:
        """The blocks of `all_blocks` that `skip` does not name.

        Raises:
            UserError: `skip` names an unknown block, or every block.
        """
        blocks = self.all_blocks(frames)
        names = [block.name for block in blocks]
        for name in self.skip:
            if name not in names:
                raise unknown("block to skip", name, names)
        used = tuple(block for block in blocks if block.name not in self.skip)
        if not used:
            raise UserError(
                f"all blocks are skipped: {', '.join(self.skip)}; wanted at least one to stay"
            )
        return used

    def frozen_blocks(self) -> tuple[str, ...]:
        """Names of the blocks that do not train.

        Raises:
            UserError: `train_from` names no block.
        """
        names = [block.name for block in self.used_blocks(1)]
        counts = {"all": 0, "none": len(names)}  # frozen blocks by value of `train_from`
        counts.update({name: index for index, name in enumerate(names)})
        if self.COARSEST in counts:
            counts["last"] = counts[self.COARSEST]
        if self.train_from not in counts:
            raise unknown("block to train from", self.train_from, counts)
        return tuple(names[: counts[self.train_from]])

    def frozen(self, params: Any, name: str = "backbone") -> Any:
        """A mask of a whole model's `params`, True in the frozen blocks of its submodule `name`.

        `jaxact.runs.state.split` splits the parameters by it.
        """
        frozen_paths = {(name, block) for block in self.frozen_blocks()}

        def is_frozen(path: tuple[Any, ...], _: Any) -> bool:
            return tuple(step.key for step in path[:2]) in frozen_paths

        return jax.tree_util.tree_map_with_path(is_frozen, params)

    @nn.compact
    def __call__(self, inputs: Frames, *, train: bool = False) -> Maps:
        """The last block's feature maps of every frame.

        Args:
            inputs: frames in [-1, 1], or bytes, which are scaled to that range by x / 127.5 - 1.
            train: batch statistics in the blocks that train; `batch_stats` must then be mutable.
        """
        batch, frames, *image = inputs.shape
        x = inputs.reshape(batch * frames, *image)
        blocks = self.used_blocks(frames)
        frozen = len(self.frozen_blocks())
        if frozen:
            x = jax.lax.stop_gradient(self._run_frozen(blocks[:frozen], x))
        else:
            x = to_range(x, self.dtype)
        for name, module, fields in blocks[frozen:]:
            if self.remat:
                module = nn.remat(module, static_argnums=(2,))
            x = module(**fields, dtype=self.dtype, axis_name=self.axis_name, name=name)(x, train)
        return x.reshape(batch, frames, *x.shape[1:])

    def _run_frozen(self, blocks: tuple[BlockSpec, ...], x: Array) -> Array:
        def run(parent: nn.Module, x: Array) -> Array:
            x = to_range(x, self.dtype)
            for name, module, fields in blocks:
                block = module(**fields, dtype=self.dtype, axis_name=None, name=name, parent=parent)
                x = block(x, False)
            return x

        count = x.shape[0]
        # An exported network has a symbolic batch axis, which cannot be divided into chunks.
        chunked = self.chunk > 0 and isinstance(count, int) and count > self.chunk
        if self.is_initializing() or not chunked:
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
        """A layer's channels, multiplied by `width`."""
        return max(1, int(features * self.width))


def to_range(x: Array, dtype: Any) -> Array:
    """Scales bytes from [0, 255] to [-1, 1]; floats keep their values."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        return x.astype(dtype)
    return (x.astype(jnp.float32) / 127.5 - 1).astype(dtype)
