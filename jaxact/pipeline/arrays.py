"""Batches from arrays in memory, with numpy alone: for a machine without TensorFlow, and for arrays
of other projects.

The arrays are model inputs already: nothing is resampled or augmented. The batches have the form of
`batches.py`.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from jaxact.errors import UserError


def train_batches_from_arrays(
    inputs: Float[np.ndarray, "n t m v c"],
    targets: Int[np.ndarray, " _"],
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    process_index: int = 0,
    process_count: int = 1,
) -> Iterator[dict[str, np.ndarray]]:
    """Endless full batches from `start_step` on, each epoch in an order that depends on (seed,
    epoch) alone.

    Args:
      inputs: may be memory-mapped; only a batch's rows are copied.
      targets: label ids.
      batch_size: examples per step over all processes; process i takes the i-th part of each batch.
      start_step: steps already taken.

    Returns:
      Iterator of {inputs f32 [b, t, m, v, c], targets i32 [b]}.

    Raises:
      UserError: lengths differ, there is nothing, or the processes do not divide the batch.
    """
    count, rows = _checked(inputs, targets, batch_size, process_count)
    # Checked before the first batch is asked for, which a generator would not do.
    return _train(inputs, targets, count, rows, seed, start_step, process_index, process_count)


def eval_batches_from_arrays(
    inputs: Float[np.ndarray, "n *views t m v c"],
    targets: Int[np.ndarray, " _"],
    *,
    batch_size: int,
    ids: Sequence[str] | None = None,
    classes: Collection[int] | None = None,
    process_index: int = 0,
    process_count: int = 1,
) -> Iterator[dict[str, np.ndarray]]:
    """One pass in order over the arrays, padded to full batches; every process yields the same
    number of them.

    Args:
      inputs: with or without an axis of views after the first.
      ids: names of the examples; their numbers where None.
      classes: label ids to keep; None is all.

    Returns:
      Iterator of {inputs f32 [b, views, t, m, v, c], targets i32 [b], mask bool [b], id object
      [b]}.

    Raises:
      UserError: lengths differ, nothing is left, or the processes do not divide the batch.
    """
    count, rows = _checked(inputs, targets, batch_size, process_count)
    if ids is not None and len(ids) != count:
        raise UserError(f"{len(ids)} ids were given for {count} examples")
    kept = np.arange(count) if classes is None else np.flatnonzero(np.isin(targets, list(classes)))
    if not len(kept):
        raise UserError(f"none of the {count} examples has a label among {sorted(classes or ())}")
    return _evaluate(inputs, targets, ids, kept, rows, process_index, process_count)


def _train(
    inputs: np.ndarray,
    targets: np.ndarray,
    count: int,
    rows: int,
    seed: int,
    start_step: int,
    process_index: int,
    process_count: int,
) -> Iterator[dict[str, np.ndarray]]:
    current, order = -1, np.empty(0, np.int64)
    position = (start_step * process_count + process_index) * rows
    while True:
        chosen = []
        for place in range(position, position + rows):
            epoch, index = divmod(place, count)
            if epoch != current:
                current, order = epoch, np.random.default_rng([seed, epoch]).permutation(count)
            chosen.append(order[index])
        yield {"inputs": _float32(inputs[chosen]), "targets": targets[chosen].astype(np.int32)}
        position += rows * process_count


def _evaluate(
    inputs: np.ndarray,
    targets: np.ndarray,
    ids: Sequence[str] | None,
    kept: np.ndarray,
    rows: int,
    process_index: int,
    process_count: int,
) -> Iterator[dict[str, np.ndarray]]:
    mine = kept[process_index::process_count]
    for step in range(-(-len(kept) // (rows * process_count))):
        chosen = mine[step * rows : (step + 1) * rows]
        mask = np.arange(rows) < len(chosen)
        clips = _float32(inputs[chosen])
        batch = np.zeros((rows, *clips.shape[1:]), np.float32)
        batch[mask] = clips
        labels, names = np.zeros(rows, np.int32), np.full(rows, "", object)
        labels[mask] = targets[chosen]
        names[mask] = [str(index) if ids is None else ids[index] for index in chosen]
        views = batch if batch.ndim == 6 else batch[:, None]
        yield {"inputs": views, "targets": labels, "mask": mask, "id": names}


def _checked(
    inputs: np.ndarray, targets: np.ndarray, batch_size: int, process_count: int
) -> tuple[int, int]:
    if len(inputs) != len(targets):
        raise UserError(f"{len(inputs)} inputs were given with {len(targets)} targets")
    if not len(inputs):
        raise UserError("the arrays are empty: there is nothing to make a batch of")
    if batch_size < 1 or batch_size % process_count:
        raise UserError(f"batch_size {batch_size!r} does not divide over {process_count} processes")
    return len(inputs), batch_size // process_count


def _float32(clips: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(clips, np.float32)
