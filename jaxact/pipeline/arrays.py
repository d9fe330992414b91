"""Batches from arrays in memory, with NumPy alone.

For machines without TensorFlow, and for arrays of other projects. The arrays are model inputs
already: they are neither resampled nor augmented. The batches have the format of `batches.py`.
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
    """Endless full batches from `start_step` on.

    The order of an epoch depends on (seed, epoch) alone.

    Args:
        inputs: may be memory-mapped; only a batch's rows are copied.
        targets: label ids.
        batch_size: examples per step over all processes; process i takes the i-th part of each
            batch.
        seed: seed of the order.
        start_step: number of steps to skip.

    Returns:
        Iterator of {inputs f32 [b, t, m, v, c], targets i32 [b]}.

    Raises:
        UserError: lengths differ, the arrays are empty, or the number of processes does not divide
            the batch size.
    """
    _check_lengths(inputs, targets)
    rows = _rows_per_process(batch_size, process_count)

    # A generator would run the checks at its first batch only.
    def batches() -> Iterator[dict[str, np.ndarray]]:
        order_epoch, order = -1, np.empty(0, np.int64)
        position = (start_step * process_count + process_index) * rows
        while True:
            indices = []
            for row in range(position, position + rows):
                epoch, index = divmod(row, len(inputs))
                if epoch != order_epoch:
                    order_epoch = epoch
                    order = np.random.default_rng([seed, epoch]).permutation(len(inputs))
                indices.append(order[index])
            yield {
                "inputs": _float32(inputs[indices]),
                "targets": targets[indices].astype(np.int32),
            }
            position += rows * process_count

    return batches()


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
    """One pass over the arrays in order, padded to full batches.

    Every process yields the same number of batches.

    Args:
        inputs: with or without an axis of views after the first.
        targets: label ids.
        batch_size: rows per batch over all processes.
        ids: names of the examples; None numbers them.
        classes: label ids to keep; None is all.

    Returns:
        Iterator of {inputs f32 [b, views, t, m, v, c], targets i32 [b], mask bool [b], id object
        [b]}.

    Raises:
        UserError: lengths differ, no example remains, or the number of processes does not divide
            the batch size.
    """
    _check_lengths(inputs, targets)
    rows = _rows_per_process(batch_size, process_count)
    if ids is None:
        ids = [str(index) for index in range(len(inputs))]
    if len(ids) != len(inputs):
        raise UserError(f"{len(ids)} ids were given for {len(inputs)} examples")
    indices = np.arange(len(inputs))
    if classes is not None:
        indices = np.flatnonzero(np.isin(targets, list(classes)))
    if not len(indices):
        raise UserError(
            f"none of the {len(inputs)} examples has a label among {sorted(classes or ())}"
        )
    steps = -(-len(indices) // (rows * process_count))
    return _eval_batches(inputs, targets, ids, indices[process_index::process_count], steps, rows)


def _eval_batches(
    inputs: np.ndarray,
    targets: np.ndarray,
    ids: Sequence[str],
    indices: np.ndarray,
    steps: int,
    rows: int,
) -> Iterator[dict[str, np.ndarray]]:
    """The examples with these indices, in batches of `rows` rows; the last ones are padded."""
    for step in range(steps):
        batch_indices = indices[step * rows : (step + 1) * rows]
        mask = np.arange(rows) < len(batch_indices)
        clips = _float32(inputs[batch_indices])
        padded_inputs = np.zeros((rows, *clips.shape[1:]), np.float32)
        padded_inputs[mask] = clips
        padded_targets = np.zeros(rows, np.int32)
        padded_targets[mask] = targets[batch_indices]
        padded_ids = np.full(rows, "", object)
        padded_ids[mask] = [ids[index] for index in batch_indices]
        if padded_inputs.ndim < 6:
            padded_inputs = padded_inputs[:, None]
        yield {
            "inputs": padded_inputs,
            "targets": padded_targets,
            "mask": mask,
            "id": padded_ids,
        }


def _check_lengths(inputs: np.ndarray, targets: np.ndarray) -> None:
    if len(inputs) != len(targets):
        raise UserError(f"{len(inputs)} inputs were given with {len(targets)} targets")
    if not len(inputs):
        raise UserError("the arrays are empty: no batch can be made of them")


def _rows_per_process(batch_size: int, process_count: int) -> int:
    if batch_size < 1 or batch_size % process_count:
        raise UserError(f"batch_size {batch_size!r} does not divide over {process_count} processes")
    return batch_size // process_count


def _float32(clips: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(clips, np.float32)
