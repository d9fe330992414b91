"""The only room that knows about devices: one mesh, one axis `data`, the state replicated, the
batch split.
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
      batch_norm: "global" gives BatchNorm the statistics of the whole batch, "per_device" those of
          a device's share.
    """

    mesh: Mesh
    parallel: str = "jit"
    batch_norm: str = "global"

    @property
    def per_device(self) -> bool:
        """The step sees one device's share of the batch, with the axis name `data`."""
        return self.parallel == "pmap" or self.batch_norm == "per_device"

    @property
    def step_axis(self) -> str | None:
        """The axis name that sums in the step are taken over."""
        return AXIS if self.per_device else None

    @property
    def norm_axis(self) -> str | None:
        """The axis name that BatchNorm's statistics are taken over."""
        return AXIS if self.per_device and self.batch_norm == "global" else None

    @property
    def replicated(self) -> NamedSharding:
        """Every device holds the whole array."""
        return NamedSharding(self.mesh, P())

    @property
    def split(self) -> NamedSharding:
        """The first axis is cut over the devices."""
        return NamedSharding(self.mesh, P(AXIS))

    def replicate(self, tree: Any) -> Any:
        """A copy on every device, which a compiled step may consume; every process must pass the
        same values.
        """
        if jax.process_count() == 1:
            return jax.device_put(jax.tree.map(jnp.array, tree), self.replicated)
        return jax.tree.map(
            lambda x: jax.make_array_from_callback(
                np.shape(x), self.replicated, lambda index: np.asarray(x)[index]
            ),
            tree,
        )

    def shard_train(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """This process's rows of a training batch, spread over its devices in the form the compiled
        step takes.

        For jit that is a row of one global array; for pmap an array `[devices of this process, rows
        a device, ...]`.
        """
        if self.parallel != "pmap":
            return self.shard_eval(batch)
        here = self.mesh.local_devices
        by_device = NamedSharding(Mesh(np.array(here), (AXIS,)), P(AXIS))
        return jax.tree.map(
            lambda array: jax.device_put(array.reshape(len(here), -1, *array.shape[1:]), by_device),
            dict(batch),
        )

    def shard_eval(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """This process's rows of a batch as part of one global array; the ids stay behind."""
        numbers = {name: value for name, value in batch.items() if name != "id"}
        return jax.tree.map(
            lambda array: jax.make_array_from_process_local_data(self.split, array), numbers
        )

    def globalize(self, tree: Any) -> Any:
        """The replicated state as arrays that span every process: pmap returns arrays of one
        process's devices.
        """
        if jax.process_count() == 1 or self.parallel != "pmap":
            return tree

        def span(x: jax.Array) -> jax.Array:
            if not x.is_fully_addressable:
                return x
            pieces = [shard.data for shard in x.addressable_shards]
            return jax.make_array_from_single_device_arrays(x.shape, self.replicated, pieces)

        return jax.tree.map(span, tree)

    def check_batch(self, batch_size: int, *, accumulate: int = 1) -> None:
        """Raises UserError where `batch_size` does not divide over devices and micro-batches."""
        shares = self.mesh.size * accumulate
        if batch_size % shares:
            raise UserError(
                f"batch_size {batch_size} does not divide over {self.mesh.size} devices"
                f"{f' x {accumulate} micro-batches' if accumulate > 1 else ''}; "
                f"use a multiple of {shares}, or fewer devices with --config.devices=N"
            )

    def compile_train(self, step: Callable) -> Callable:
        """`step(state, batch) -> (state, sums)` compiled; the state given is consumed."""
        if self.parallel == "pmap":
            devices = self.mesh.devices.ravel().tolist()
            axes = {"in_axes": (None, 0), "out_axes": (None, None)}
            return jax.pmap(step, axis_name=AXIS, devices=devices, donate_argnums=0, **axes)
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
        """`step(weights, batch) -> outputs` compiled; every process gets all rows of the
        outputs.
        """
        return jax.jit(
            step, in_shardings=(self.replicated, self.split), out_shardings=self.replicated
        )


def make_placement(
    *, parallel: str = "jit", batch_norm: str = "global", devices: int | Sequence[Any] = 0
) -> Placement:
    """A placement over all devices, the first `devices` of them, or exactly those given.

    Raises:
      UserError: an unknown option, or more devices than there are.
    """
    if parallel not in ("jit", "pmap"):
        raise unknown("parallel", parallel, ("jit", "pmap"))
    if batch_norm not in ("global", "per_device"):
        raise unknown("batch_norm", batch_norm, ("global", "per_device"))
    chosen = list(devices) if isinstance(devices, Sequence) else jax.devices()[: devices or None]
    if isinstance(devices, int) and devices > len(chosen):
        raise UserError(f"devices={devices} was asked for, but there are {len(chosen)}: {chosen}")
    return Placement(Mesh(np.array(chosen), (AXIS,)), parallel, batch_norm)
