"""Evaluation batches that are padded to full size, with a mask of the real rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def padded_batches(
    source: Iterator[dict[str, Any]], spec: Any, *, batches: int, rows: int
) -> Iterator[dict[str, Any]]:
    """Exactly `batches` batches of `rows` rows.

    The last batch of `source` is filled up with zeros; batches of zeros follow. An id of a padding
    row is empty.

    Args:
        source: batches of at most `rows` rows, with an `id` in bytes.
        spec: a tree like a batch, of tensor specs.
        batches: number of batches.
        rows: rows of a batch.

    Returns:
        Iterator of batches with `mask` bool [rows] and `id` object [rows].
    """
    for _ in range(batches):
        batch = next(source, None)
        count = 0 if batch is None else len(batch["id"])
        padded = _pad_rows(spec, batch, count, rows)
        ids = np.full(rows, "", object)
        ids[:count] = [name.decode() for name in padded.pop("id")[:count]]
        yield {**padded, "mask": np.arange(rows) < count, "id": ids}


def _pad_rows(spec: Any, batch: Any, count: int, rows: int) -> Any:
    """A batch of `rows` rows: the `count` rows of `batch`, then zeros of the spec's dtype."""
    if isinstance(spec, dict):
        padded = {}
        for name in spec:
            part = batch[name] if count else None
            padded[name] = _pad_rows(spec[name], part, count, rows)
        return padded
    if count == rows:
        return batch
    padded = np.zeros((rows, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
    if count:
        padded[:count] = batch
    return padded
