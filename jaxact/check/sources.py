"""Sources of clips to check: a prepared set, raw files, or one file, as repeatable iterators."""

import dataclasses
import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jaxact.check.sets import Protocols
from jaxact.check.splits import protocols_of
from jaxact.datasets import DATASETS, custom, dataset_info
from jaxact.datasets import records as read
from jaxact.datasets.formats import label_table
from jaxact.datasets.formats.joint_arrays import clip_array, joints_of, load_clip, packed_arrays
from jaxact.datasets.preparation.builder import RawDataset, RecordBuilder
from jaxact.errors import UserError, missing_extra, unknown
from jaxact.skeletons import Layout

# A record of `datasets` with its `cell`. An unusable file has a `problem` and no joints.
Record = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Clips to check.

    Attributes:
        name: the name that was opened.
        layout, channels, labels: those of every clip.
        protocols: name -> (cells of its training split, cells of its test split).
        total: number of clips.
        records: starts another pass over the clips, in a fixed order.
    """

    name: str
    layout: Layout
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    protocols: Protocols
    total: int
    records: Callable[[], Iterator[Record]]


def open_corpus(
    name: str,
    *,
    data_dir: str | os.PathLike[str] = "",
    raw: str | os.PathLike[str] | None = None,
    layout: str | None = None,
) -> Corpus:
    """Opens a prepared set, the raw files of a data set, or clips of your own.

    Args:
        name: a prepared set; with `raw` a dataset whose raw files are read; or a file or folder of
            your own clips: a folder with a table or a packed .npz (as `prepare custom` reads them),
            a pyskl .pkl, a CTR-GCN .npz, or one clip's .npz, .npy or .json.
        data_dir: folder of prepared sets.
        raw: folder (or file) of raw data.
        layout: joint layout of your own clips, by name or JSON file.

    Raises:
        UserError: no such set or file, or one that cannot be read as a whole.
    """
    head = name.split("/")[0]
    if head in DATASETS and DATASETS[head].KIND != "skeleton":
        raise UserError(f"{name!r} holds videos; wanted a data set of skeletons")
    if raw is not None:
        if head not in DATASETS:
            raise unknown("dataset", name, DATASETS)
        if not Path(raw).expanduser().exists():
            raise UserError(
                f"no raw data at {os.fspath(raw)!r}; {name!r} expects {DATASETS[head].EXPECTS}"
            )
        return _open_raw(name, DATASETS[head], Path(raw).expanduser(), layout)
    path = Path(name).expanduser()
    if dataset_info.version_folder(name, data_dir) is None and path.exists():
        builder = _builder_of(path)
        if builder is None:
            return _open_clip(path, layout)
        return _open_raw(name, builder, path, layout)
    if head not in DATASETS and (path.suffix or os.sep in name):
        prepared = ", ".join(dataset_info.prepared_names(data_dir)) or "none"
        raise UserError(f"no file, folder or prepared set {name!r}; prepared are: {prepared}")
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "reading prepared data")
    return _open_prepared(dataset_info.load(name, data_dir))


def _builder_of(path: Path) -> type[RecordBuilder] | None:
    """Returns the builder that reads a file or folder of your own; None for one clip's file."""
    if path.suffix == ".pkl":
        return DATASETS["pyskl"]
    if path.suffix == ".npz":
        arrays = packed_arrays(str(path))
        if "x_train" in arrays:
            return DATASETS["ctr"]
        return custom.Custom if "x" in arrays else None
    return None if path.suffix in custom.SUFFIXES else custom.Custom


def _open_prepared(info: dataset_info.DatasetInfo) -> Corpus:
    def records() -> Iterator[Record]:
        for cell in info.unions["all"]:
            for record in read.records(info, cell, fields=None).as_numpy_iterator():
                for key, value in record.items():
                    if isinstance(value, bytes):
                        record[key] = value.decode()
                yield {**record, "label": int(record["label"]), "cell": cell}

    return Corpus(
        name=info.name,
        layout=info.layout,
        channels=info.channels,
        labels=info.labels,
        protocols=protocols_of(info.unions),
        total=info.splits["all"],
        records=records,
    )


def _open_raw(name: str, builder: type[RecordBuilder], raw: Path, layout: str | None) -> Corpus:
    dataset: RawDataset = builder.find(raw, layout=layout)

    def records() -> Iterator[Record]:
        for source in dataset.clips:
            base: Record = {"id": source.id, "label": source.label, "cell": source.cell}
            try:
                if builder is custom.Custom:
                    # Not parsed, so that joints of another layout are not reported as unreadable.
                    yield {**base, "joints": joints_of(source)}
                else:
                    for record in builder.parse(source):
                        yield {**record, "cell": source.cell}
            except (UserError, OSError) as error:
                yield {**base, "problem": str(error)}

    return Corpus(
        name=name,
        layout=dataset.layout,
        channels=dataset.channels,
        labels=dataset.labels,
        protocols=protocols_of(dataset.unions),
        total=len(dataset.clips),
        records=records,
    )


def _open_clip(path: Path, layout: str | None) -> Corpus:
    joints = clip_array(load_clip(str(path)), repr(str(path)))
    record = {"id": path.stem, "label": 0, "cell": "", "joints": joints}
    joint_layout = label_table.choose_layout(layout, joints.shape[2])
    return Corpus(
        name=str(path),
        layout=joint_layout,
        channels=label_table.choose_channels(None, joint_layout, joints.shape[3]),
        labels=("unknown",),
        protocols={},
        total=1,
        records=lambda: iter([record]),
    )
