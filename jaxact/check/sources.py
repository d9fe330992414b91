"""What is to be checked, as an iterator of records that can be run again: a prepared set, raw
files, or one file.
"""

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

# A record of `datasets`, with the `cell` it is in; or one whose file cannot be used, with a
# `problem` and no joints.
Record = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Clips to check.

    Attributes:
      name: what was asked for.
      layout, channels, labels: of every clip.
      protocols: name -> the cells of its training split and those of its test split.
      total: number of clips.
      records: starts another pass over the clips, in one fixed order.
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
    """What `name` stands for.

    Args:
      name: a prepared set; with `raw` a dataset whose raw files are there; or a file or folder of
        your own clips: a folder with a table or a packed .npz (as `prepare custom` reads them), a
        pyskl .pkl, a CTR-GCN .npz, or one clip's .npz, .npy or .json.
      data_dir: folder of prepared sets.
      raw: folder (or file) of raw data.
      layout: joint layout of clips of your own, by name or JSON file.

    Raises:
      UserError: there is no such set or file, or it cannot be read as a whole.
    """
    head = name.split("/")[0]
    if head in DATASETS and DATASETS[head].KIND != "skeleton":
        raise UserError(
            f"{name!r} holds videos; wanted skeletons, which are what there is to check"
        )
    if raw is not None:
        if head not in DATASETS:
            raise unknown("dataset", name, DATASETS)
        if not Path(raw).expanduser().exists():
            raise UserError(
                f"no raw data at {os.fspath(raw)!r}; {name!r} expects there {DATASETS[head].EXPECTS}"
            )
        return _raw(name, DATASETS[head], Path(raw).expanduser(), layout)
    path = Path(name).expanduser()
    if dataset_info.version_folder(name, data_dir) is None and path.exists():
        maker = _maker(path)
        return _raw(name, maker, path, layout) if maker else _one(path, layout)
    if head not in DATASETS and (path.suffix or os.sep in name):
        raise UserError(
            f"no file, folder or prepared set {name!r}; prepared are: {_prepared(data_dir)}"
        )
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "reading prepared data")
    return _set(dataset_info.load(name, data_dir))


def _maker(path: Path) -> type[RecordBuilder] | None:
    """What reads a file or folder that no data set is named for; None for one clip."""
    if path.suffix == ".pkl":
        return DATASETS["pyskl"]
    if path.suffix == ".npz":
        held = packed_arrays(str(path))
        return DATASETS["ctr"] if "x_train" in held else custom.Custom if "x" in held else None
    return None if path.suffix in custom.SUFFIXES else custom.Custom


def _prepared(data_dir: str | os.PathLike[str]) -> str:
    return ", ".join(dataset_info.prepared_names(data_dir)) or "none"


def _set(info: dataset_info.DatasetInfo) -> Corpus:
    def records() -> Iterator[Record]:
        for cell in info.unions["all"]:
            for record in read.records(info, cell, fields=None).as_numpy_iterator():
                texts = {
                    key: value.decode() for key, value in record.items() if isinstance(value, bytes)
                }
                yield {**record, **texts, "label": int(record["label"]), "cell": cell}

    return Corpus(
        name=info.name,
        layout=info.layout,
        channels=info.channels,
        labels=info.labels,
        protocols=protocols_of(info.unions),
        total=info.splits["all"],
        records=records,
    )


def _raw(name: str, maker: type[RecordBuilder], raw: Path, layout: str | None) -> Corpus:
    found: RawDataset = maker.find(raw, layout=layout)

    def records() -> Iterator[Record]:
        for source in found.sources:
            known: Record = {"id": source.id, "label": source.label, "cell": source.cell}
            try:
                if (
                    maker is custom.Custom
                ):  # as it is, so that wrong joints are told from files that cannot be read
                    yield {**known, "joints": joints_of(source)}
                else:
                    yield from ({**record, "cell": source.cell} for record in maker.parse(source))
            except (UserError, OSError) as error:
                yield {**known, "problem": str(error)}

    return Corpus(
        name=name,
        layout=found.layout,
        channels=found.channels,
        labels=found.labels,
        protocols=protocols_of(found.unions),
        total=len(found.sources),
        records=records,
    )


def _one(path: Path, layout: str | None) -> Corpus:
    joints = clip_array(load_clip(str(path)), repr(str(path)))
    known = label_table.choose_layout(layout, joints.shape[2])
    return Corpus(
        name=str(path),
        layout=known,
        channels=label_table.choose_channels(None, known, joints.shape[3]),
        labels=("unknown",),
        protocols={},
        total=1,
        records=lambda: iter([{"id": path.stem, "label": 0, "cell": "", "joints": joints}]),
    )
