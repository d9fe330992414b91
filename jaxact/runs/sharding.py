"""Devices and shardings: one mesh with one axis `data`, a replicated state, a split batch.

No other module knows about devices.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxact.errors import UserError, unknown

AXIS = "data"


@dataclasses.dataclass(frozen=True, slots=True)
class Placement:
    """Where arrays live and how a step is compiled over the devices.

    Attributes:
        mesh: one axis, `data`, over every device of every process.
        parallel: "jit" compiles the step over the mesh; "pmap" runs the same step on each device
          under an axis name.
        batch_norm: "global" computes BatchNorm's statistics over the whole batch, "per_device" over
          each device's share of it.
    """

    mesh: Mesh
    parallel: str = "jit"
    batch_norm: str = "global"

    @property
    def per_device(self) -> bool:
        """Whether the step reads one device's share of the batch, under the axis name `data`."""
        return self.parallel == "pmap" or self.batch_norm == "per_device"

    @property
    def step_axis(self) -> str | None:
        """The axis name over which the step sums, or None."""
        return AXIS if self.per_device else None

    @property
    def norm_axis(self) -> str | None:
        """The axis name over which BatchNorm averages its statistics, or None."""
        return AXIS if self.per_device and self.batch_norm == "global" else None

    @property
    def replicated(self) -> NamedSharding:
        """The sharding in which every device holds the whole array."""
        return NamedSharding(self.mesh, P())

    @property
    def split(self) -> NamedSharding:
        """The sharding that splits the first axis over the devices."""
        return NamedSharding(self.mesh, P(AXIS))

    def replicate(self, tree: Any, *, donatable: bool = True) -> Any:
        """Copies a tree to every device.

        Args:
            tree: arrays; every process must pass the same values.
            donatable: also copy what is on a device already, so that a compiled step may donate
              the result. One program copies the whole tree.
        """
        if jax.process_count() == 1:
            if donatable:
                tree = _copy(tree)
            return jax.device_put(tree, self.replicated)

        def span(array: Any) -> jax.Array:
            return jax.make_array_from_callback(
                np.shape(array), self.replicated, lambda index: np.asarray(array)[index]
            )

        return jax.tree.map(span, tree)

    def shard_train(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Places this process's rows of a training batch on its devices.

        Returns:
            For jit, global arrays that the processes' rows form together; for pmap, arrays
            `[devices of this process, rows per device, ...]`.
        """
        if self.parallel != "pmap":
            return self.shard_eval(batch)
        devices = self.mesh.local_devices
        by_device = NamedSharding(Mesh(np.array(devices), (AXIS,)), P(AXIS))

        def place(array: Any) -> jax.Array:
            rows = array.reshape(len(devices), -1, *array.shape[1:])
            return jax.device_put(rows, by_device)

        return jax.tree.map(place, dict(batch))

    def shard_eval(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Places this process's rows of a batch as part of global arrays; drops the ids."""
        arrays = {name: value for name, value in batch.items() if name != "id"}
        return jax.tree.map(
            lambda array: jax.make_array_from_process_local_data(self.split, array), arrays
        )

    def globalize(self, tree: Any) -> Any:
        """The replicated state as arrays that span all processes.

        pmap returns arrays that span the devices of one process only.
        """
        if jax.process_count() == 1 or self.parallel != "pmap":
            return tree

        def span(array: jax.Array) -> jax.Array:
            if not array.is_fully_addressable:
                return array
            shards = [shard.data for shard in array.addressable_shards]
            return jax.make_array_from_single_device_arrays(array.shape, self.replicated, shards)

        return jax.tree.map(span, tree)

    def check_batch(self, batch_size: int, *, accumulate: int = 1) -> None:
        """Raises UserError if `batch_size` does not divide over devices and micro-batches."""
        shares = self.mesh.size * accumulate
        if batch_size % shares == 0:
            return
        parts = f"{self.mesh.size} devices"
        if accumulate > 1:
            parts += f" x {accumulate} micro-batches"
        raise UserError(
            f"batch_size {batch_size} does not divide over {parts}; "
            f"use a multiple of {shares}, or fewer devices with --config.devices=N"
        )

    def compile_train(self, step: Callable) -> Callable:
        """Compiles `step(state, batch) -> (state, sums)`; the state that it reads is donated."""
        if self.parallel == "pmap":
            devices = self.mesh.devices.ravel().tolist()
            return jax.pmap(
                step,
                axis_name=AXIS,
                devices=devices,
                donate_argnums=0,
                in_axes=(None, 0),
                out_axes=(None, None),
            )
        if self.per_device:
            step = jax.shard_map(
                step, mesh=self.mesh, in_specs=(P(), P(AXIS)), out_specs=(P(), P()), check_vma=False
            )
        return jax.jit(
            step,
            in_shardings=(self.replicated, self.split),
            out_shardings=(self.replicated, self.replicated),
            donate_argnums=0,
        )

    def compile_eval(self, step: Callable) -> Callable:
        """Compiles `step(weights, batch) -> outputs`; every process gets all rows."""
        return jax.jit(
            step, in_shardings=(self.replicated, self.split), out_shardings=self.replicated
        )


def make_placement(
    *, parallel: str = "jit", batch_norm: str = "global", devices: int | Sequence[Any] = 0
) -> Placement:
    """A placement over all devices, the first `devices` of them, or a given list of devices.

    Args:
        parallel, batch_norm: see `Placement`.
        devices: how many devices, 0 for all; or the devices themselves.

    Raises:
        UserError: an unknown option, or more devices than there are.
    """
    if parallel not in ("jit", "pmap"):
        raise unknown("parallel", parallel, ("jit", "pmap"))
    if batch_norm not in ("global", "per_device"):
        raise unknown("batch_norm", batch_norm, ("global", "per_device"))
    if isinstance(devices, Sequence):
        chosen = list(devices)
    else:
        chosen = jax.devices()[: devices or None]
        if devices > len(chosen):
            raise UserError(f"wanted devices={devices}, but there are {len(chosen)}: {chosen}")
    return Placement(Mesh(np.array(chosen), (AXIS,)), parallel, batch_norm)


@jax.jit
def _copy(tree: Any) -> Any:
    return jax.tree.map(jnp.copy, tree)
