"""Checkpoints on disk: the training state, and the metadata that later commands read.

`WORKDIR/checkpoints/STEP/` holds three items: `weights` (params, batch_stats, ema), `optimizer`
(step, opt_state) and `meta` (JSON: resolved config, labels, layout, channels), so no later command
needs a config. The position in the data is the step itself. Orbax writes asynchronously and renames
a finished folder into place, so a folder that exists is complete.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

from jaxact.errors import UserError
from jaxact.runs.state import TrainState

FOLDER = "checkpoints"
OVERHEAD = 1 << 20  # bytes of a checkpoint beside its arrays: indices and JSON


def _score(metrics: Mapping[str, float]) -> float:
    """What the best checkpoint maximises: top-1, or minus the loss of a network without classes."""
    if "top1" in metrics:
        return metrics["top1"]
    return -metrics["loss"]


class Checkpoints:
    """The checkpoints of one run: the latest ones, and the best by top-1 if it was evaluated."""

    def __init__(self, workdir: str | Path, *, keep: int = 1, read_only: bool = False):
        """Opens the checkpoints of a run.

        Args:
            workdir: the run's folder.
            keep: number of latest checkpoints that are kept, beside the best one.
            read_only: do not write; there must be a checkpoint.

        Raises:
            UserError: there is no checkpoint to read, or the folder cannot be made.
        """
        self.folder = Path(workdir).resolve() / FOLDER
        if read_only and not self.folder.is_dir():
            raise UserError(
                f"no checkpoints in {str(workdir)!r}: "
                f"wanted the --workdir of a `jaxact train` run, with a folder {FOLDER!r}, "
                "or a ready network, ready:NAME (see `jaxact models`)"
            )
        policy = AnyPreservationPolicy(
            [
                LatestN(n=keep),
                BestN(get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False),
            ]
        )
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy,
            best_fn=_score,
            best_mode="max",
            read_only=read_only,
            cleanup_tmp_directories=not read_only,
        )
        with _full_disk(self.folder):
            self._manager = ocp.CheckpointManager(
                self.folder, item_names=("weights", "optimizer", "meta"), options=options
            )
        if read_only and self._manager.latest_step() is None:
            raise UserError(
                f"no finished checkpoint in {str(self.folder)!r}: "
                "train first, or wait for the first save"
            )

    @property
    def steps(self) -> list[int]:
        """The steps of the checkpoints, in ascending order."""
        return sorted(self._manager.all_steps())

    @property
    def latest(self) -> int | None:
        """The step of the latest checkpoint, or None."""
        return self._manager.latest_step()

    def select(self, how: str = "last", step: int | None = None) -> int:
        """The step of one checkpoint.

        Args:
            how: "last", or "best" by top-1, which is the last one if none was evaluated.
            step: a step to use instead.

        Raises:
            UserError: there is no checkpoint of `step`.
        """
        if step is not None:
            if step not in self.steps:
                raise UserError(
                    f"no checkpoint of step {step} in {str(self.folder)!r}; there are {self.steps}"
                )
            return step
        selected = None
        if how == "best":
            selected = self._manager.best_step()
        if selected is None:
            selected = self.latest
        assert selected is not None
        return selected

    def save(
        self, state: TrainState, meta: Mapping[str, Any], metrics: Mapping[str, float] | None = None
    ) -> None:
        """Starts writing a checkpoint; returns once the arrays have left the devices.

        A step that is saved already is not written again.

        Args:
            state: its `step` names the checkpoint.
            meta: JSON values.
            metrics: the evaluation of the state; `select("best")` compares it.

        Raises:
            UserError: the disk is full, or the folder cannot be written.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        weights = {"params": state.params, "batch_stats": state.batch_stats, "ema": state.ema}
        optimizer = {"step": state.step, "opt_state": state.opt_state}
        args = ocp.args.Composite(
            weights=ocp.args.StandardSave(_single_copy(weights)),
            optimizer=ocp.args.StandardSave(_single_copy(optimizer)),
            meta=ocp.args.JsonSave(dict(meta)),
        )
        if metrics is not None:
            metrics = dict(metrics)
        _require_room(self.folder, weights, optimizer)
        with _full_disk(self.folder):
            self._manager.save(step, args=args, metrics=metrics, force=True)

    def meta(self, step: int) -> dict[str, Any]:
        """The metadata that was saved with `step`."""
        args = ocp.args.Composite(meta=ocp.args.JsonRestore())
        return self._manager.restore(step, args=args)["meta"]

    def metrics(self, step: int) -> dict[str, float] | None:
        """The evaluation that was saved with `step`, or None."""
        return self._manager.metrics(step)

    def restore(self, step: int, like: TrainState, sharding: jax.sharding.Sharding) -> TrainState:
        """The whole state of `step`, whatever devices saved it.

        Args:
            like: arrays or `jax.ShapeDtypeStruct` of the state's form.
            sharding: the sharding of every array.

        Raises:
            UserError: the checkpoint has another form, or is damaged.
        """
        weights = {"params": like.params, "batch_stats": like.batch_stats, "ema": like.ema}
        optimizer = {"step": like.step, "opt_state": like.opt_state}
        args = ocp.args.Composite(
            weights=ocp.args.StandardRestore(_abstract(weights, sharding)),
            optimizer=ocp.args.StandardRestore(_abstract(optimizer, sharding)),
        )
        with _other_model(self.folder, step):
            _check_shapes(self.folder / str(step) / "weights", weights)
            items = self._manager.restore(step, args=args)
        return like.replace(**items["weights"], **items["optimizer"])

    def restore_weights(
        self, step: int, like: Any, sharding: jax.sharding.Sharding
    ) -> dict[str, Any]:
        """Only `{params, batch_stats, ema}` of `step`, for evaluation and export; see `restore`."""
        args = ocp.args.Composite(weights=ocp.args.StandardRestore(_abstract(like, sharding)))
        with _other_model(self.folder, step):
            _check_shapes(self.folder / str(step) / "weights", like)
            return self._manager.restore(step, args=args)["weights"]

    def wait(self) -> None:
        """Waits until everything that `save` started is on disk."""
        with _full_disk(self.folder):
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits for pending writes, then closes the folder."""
        self.wait()
        self._manager.close()


def _single_copy(tree: Any) -> Any:
    """The first device's copy of each replicated array, where one process has them all.

    Orbax would write a slice from each device, and compile a program for each shape to cut them.
    """
    if jax.process_count() > 1:
        return tree

    def first(array: Any) -> Any:
        if isinstance(array, jax.Array) and array.is_fully_replicated:
            return array.addressable_data(0)
        return array

    return jax.tree.map(first, tree)


def _abstract(tree: Any, sharding: jax.sharding.Sharding) -> Any:
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), tree)


def _check_shapes(folder: Path, like: Any) -> None:
    """Raises ValueError for the first array whose stored shape is another one.

    Orbax would find it while it reads the other arrays, and leave their reads unfinished.
    """
    try:
        stored = ocp.StandardCheckpointHandler().metadata(
            folder  # pyright: ignore[reportArgumentType]
        )
    except (OSError, ValueError):
        return  # Orbax reports a damaged checkpoint
    shapes = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(stored.tree)[0]:
        shapes[jax.tree_util.keystr(path)] = tuple(leaf.shape)
    for path, leaf in jax.tree_util.tree_flatten_with_path(like)[0]:
        name = jax.tree_util.keystr(path)
        if name in shapes and shapes[name] != leaf.shape:
            raise ValueError(f"{name} has the shape {shapes[name]}; wanted {leaf.shape}")


def _require_room(folder: Path, *trees: Any) -> None:
    """Raises UserError if the disk has no room for the arrays, before the first byte is written.

    If Orbax's threads meet a full disk, what they wrote stays until the next start, and each of
    them prints its own traceback.
    """
    needed = sum(leaf.nbytes for leaf in jax.tree.leaves(trees)) + OVERHEAD
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise _no_room(
            folder,
            f"the disk is full: {free / 1e6:.1f} MB are free, {needed / 1e6:.1f} MB are needed",
        )


def _no_room(folder: Path, reason: str) -> UserError:
    return UserError(
        f"cannot write a checkpoint to {str(folder)!r}: {reason}; earlier checkpoints are kept"
    )


class _full_disk:
    """Turns an operating system's write error into a UserError."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        full = error is not None and (
            "No space left" in str(error) or "RESOURCE_EXHAUSTED" in str(error)
        )
        if not full and not isinstance(error, OSError):
            return
        for unfinished in self.folder.glob("*.orbax-checkpoint-tmp"):
            shutil.rmtree(unfinished, ignore_errors=True)
        reason = "the disk is full"
        if not full:
            reason = str(error).splitlines()[0]
        raise _no_room(self.folder, reason) from error


class _other_model:
    """Turns a mismatch of trees or shapes into a UserError."""

    def __init__(self, folder: Path, step: int):
        self.path = f"{folder}/{step}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError | KeyError) and not isinstance(error, UserError):
            reason = str(error).strip().splitlines()[0][:300]
            raise UserError(
                f"the checkpoint {self.path!r} is damaged, or is of a model with other parameters: "
                f"{reason}"
            ) from error
