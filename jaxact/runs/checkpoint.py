"""Checkpoints on disk: the state, and beside it all that a later command needs, so that none of
them needs a config.

`WORKDIR/checkpoints/STEP/` holds three items: `weights` (params, batch_stats, ema), `optimizer`
(step, opt_state) and `meta` (JSON: resolved config, labels, layout, channels). The position in the
data is the step itself. Orbax writes asynchronously and renames a finished folder into place, so a
folder that exists is whole.
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


def _goodness(metrics: Mapping[str, float]) -> float:
    """What the best checkpoint has most of: top-1, or of a network without classes the least
    loss.
    """
    return metrics["top1"] if "top1" in metrics else -metrics["loss"]


class Checkpoints:
    """The checkpoints of one run: the latest, and the best by top-1 where it was evaluated."""

    def __init__(self, workdir: str | Path, *, keep: int = 1, read_only: bool = False):
        """Opens `workdir`; `keep` latest checkpoints and the best one are kept.

        Raises:
          UserError: `read_only` and there is no checkpoint, or the folder cannot be made.
        """
        self.folder = Path(workdir).resolve() / FOLDER
        if read_only and not self.folder.is_dir():
            raise UserError(
                f"no checkpoints in {str(workdir)!r}: wanted the --workdir of a `jaxact train` run, "
                f"with a folder {FOLDER!r}"
            )
        policy = AnyPreservationPolicy(
            [
                LatestN(n=keep),
                BestN(get_metric_fn=_goodness, n=1, keep_checkpoints_without_metrics=False),
            ]
        )
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy,
            best_fn=_goodness,
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
                f"no finished checkpoint in {str(self.folder)!r}: train first, or wait for the first save"
            )

    @property
    def steps(self) -> list[int]:
        """Steps of the checkpoints that exist, in order."""
        return sorted(self._manager.all_steps())

    @property
    def latest(self) -> int | None:
        """The last step saved."""
        return self._manager.latest_step()

    def select(self, how: str = "last", step: int | None = None) -> int:
        """The step to use: a given one, the "last", or the "best" by top-1 (the last where none was
        evaluated).
        """
        if step is not None:
            if step not in self.steps:
                raise UserError(
                    f"no checkpoint of step {step} in {str(self.folder)!r}; there are {self.steps}"
                )
            return step
        best = self._manager.best_step() if how == "best" else None
        chosen = self.latest if best is None else best
        assert chosen is not None
        return chosen

    def save(
        self, state: TrainState, meta: Mapping[str, Any], metrics: Mapping[str, float] | None = None
    ) -> None:
        """Starts writing the state; returns once the arrays have left the devices. A saved step
        stays as it is.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        weights = {"params": state.params, "batch_stats": state.batch_stats, "ema": state.ema}
        args = ocp.args.Composite(
            weights=ocp.args.StandardSave(weights),
            optimizer=ocp.args.StandardSave({"step": state.step, "opt_state": state.opt_state}),
            meta=ocp.args.JsonSave(dict(meta)),
        )
        _require_room(self.folder, weights, state.opt_state)
        with _full_disk(self.folder):
            self._manager.save(
                step, args=args, metrics=None if metrics is None else dict(metrics), force=True
            )

    def meta(self, step: int) -> dict[str, Any]:
        """What was saved beside the arrays of `step`."""
        return self._manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore()))[
            "meta"
        ]

    def metrics(self, step: int) -> dict[str, float] | None:
        """The evaluation that was saved with `step`, if there was one."""
        return self._manager.metrics(step)

    def restore(self, step: int, like: TrainState, sharding: jax.sharding.Sharding) -> TrainState:
        """The whole state of `step`, every array laid out by `sharding`, whatever devices saved
        it.
        """
        weights = {"params": like.params, "batch_stats": like.batch_stats, "ema": like.ema}
        rest = {"step": like.step, "opt_state": like.opt_state}
        args = ocp.args.Composite(
            weights=ocp.args.StandardRestore(_abstract(weights, sharding)),
            optimizer=ocp.args.StandardRestore(_abstract(rest, sharding)),
        )
        with _other_model(self.folder, step):
            found = self._manager.restore(step, args=args)
        return like.replace(**found["weights"], **found["optimizer"])

    def restore_weights(
        self, step: int, like: Any, sharding: jax.sharding.Sharding
    ) -> dict[str, Any]:
        """Only `{params, batch_stats, ema}` of `step`, for evaluation and export."""
        args = ocp.args.Composite(weights=ocp.args.StandardRestore(_abstract(like, sharding)))
        with _other_model(self.folder, step):
            return self._manager.restore(step, args=args)["weights"]

    def wait(self) -> None:
        """Returns when everything started by `save` is on the disk."""
        with _full_disk(self.folder):
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits, then lets go of the folder."""
        self.wait()
        self._manager.close()


def _abstract(tree: Any, sharding: jax.sharding.Sharding) -> Any:
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), tree)


def _require_room(folder: Path, *trees: Any) -> None:
    """Raises UserError where the disk has no room for the arrays, before the first byte is written.

    Once Orbax's threads have met a full disk, what they wrote stays until the next start and each
    prints its own trace.
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
    """Turns the operating system's refusal to write into the user's error."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        full = error is not None and (
            "No space left" in str(error) or "RESOURCE_EXHAUSTED" in str(error)
        )
        if full or isinstance(error, OSError):
            for unfinished in self.folder.glob("*.orbax-checkpoint-tmp"):
                shutil.rmtree(unfinished, ignore_errors=True)
            raise _no_room(
                self.folder, "the disk is full" if full else str(error).splitlines()[0]
            ) from error


class _other_model:
    """Turns a mismatch of trees or shapes into the user's error."""

    def __init__(self, folder: Path, step: int):
        self.where = f"{folder}/{step}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError | KeyError) and not isinstance(error, UserError):
            first = str(error).strip().splitlines()[0][:300]
            raise UserError(
                f"the checkpoint {self.where!r} is of another model than the one asked for, or is damaged: {first}"
            ) from error
