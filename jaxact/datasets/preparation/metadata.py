"""The metadata stored beside the records; `jaxact.datasets.dataset_info` reads it back."""

from typing import Any

import jaxact
from jaxact.datasets.preparation.builder import RawDataset, RecordBuilder
from jaxact.datasets.preparation.parallel_parsing import ParseCounts
from jaxact.datasets.preparation.summary import metadata_summary


def cells(dataset: RawDataset) -> tuple[str, ...]:
    """The TFDS splits that have a clip, sorted."""
    return tuple(sorted({clip.cell for clip in dataset.clips}))


def dataset_metadata(
    name: str, builder: type[RecordBuilder], dataset: RawDataset, counts: ParseCounts
) -> dict[str, Any]:
    """Everything that a reader of the records needs, as plain JSON values."""
    written_cells = cells(dataset)
    unions = {}
    for split, members in dataset.unions.items():
        union = [cell for cell in written_cells if cell in members]
        if union:
            unions[split] = union
    unions["all"] = list(written_cells)
    return {
        "jaxact": jaxact.__version__,
        "name": name,
        "kind": builder.KIND,
        "layout": dataset.layout.to_dict(),
        "labels": list(dataset.labels),
        "channels": list(dataset.channels),
        "unions": unions,
        "subsets": {subset: list(ids) for subset, ids in dataset.subsets.items()},
        "test_only": list(dataset.test_only),
        "leaks": dataset.leaks,
        "stored": dataset.stored,
        "licence": builder.LICENCE,
        "summary": {**metadata_summary(counts), "dropped": dataset.dropped},
    }
