"""What every dataset shares: finding sources, parsing them into records, and writing the records
with TFDS.

A dataset is a subclass of `SkeletonBuilder` or of
`jaxact.datasets.preparation.video_builder.VideoBuilder` with two pure functions. `find` looks at
names and lists, never into clips, and says what there is; `parse` turns one source into records and
runs in other processes. Neither imports TensorFlow. Which split a clip is in depends on the
protocol, so TFDS's splits are *cells*, the finest pieces that no protocol cuts, and every protocol
split is a union of cells, kept in the metadata beside everything else a reader needs.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.skeletons import Layout

Record = dict[str, Any]

XYZ = ("x", "y", "z")
XY = ("x", "y")
XY_SCORE = ("x", "y", "score")


@dataclasses.dataclass(frozen=True, slots=True)
class RawClip:
    """One raw thing that becomes a record (or several).

    Attributes:
      id: what the record is called; unique in its dataset.
      path: the raw file, "" where there is none.
      cell: the TFDS split its records go to.
      label: 0-based class.
      facts: whatever else names and lists tell that `parse` needs; plain values.
    """

    id: str
    path: str
    cell: str
    label: int
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True, kw_only=True)
class RawDataset:
    """What `find` saw in the raw folder.

    Attributes:
      sources: everything to parse.
      labels: class names in label order.
      layout: joints of every clip.
      channels: what the last axis of the joints holds.
      unions: protocol split -> its cells. Cells without a source are left out when the set is
          written.
      subsets: evaluation subset -> its label ids.
      test_only: the subsets that a published protocol evaluates on without training on them alone.
      dropped: reason -> number of clips that the dataset itself leaves out.
      leaks, stored: see `jaxact.datasets.dataset_info.DatasetInfo`.
      single_process: parsed by one process: the sources share a file that is in memory whole, or that is
          read from the start.
    """

    sources: list[RawClip]
    labels: tuple[str, ...]
    layout: Layout
    channels: tuple[str, ...] = XYZ
    unions: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    subsets: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    test_only: tuple[str, ...] = ()
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    leaks: dict[str, int | None] = dataclasses.field(default_factory=dict)
    stored: dict[str, Any] = dataclasses.field(default_factory=dict)
    single_process: bool = False


@dataclasses.dataclass(slots=True, kw_only=True)
class Job:
    """What `prepare` hands to a builder.

    Attributes:
      found: labels, layout and channels.
      cells: the TFDS splits.
      metadata: what a reader needs, stored beside the records.
      examples: cell -> its (key, record) pairs, or the Beam transform that makes them.
      counted: what a finished Beam pipeline adds to the summary in the metadata.
    """

    found: RawDataset
    cells: tuple[str, ...]
    metadata: dict[str, Any]
    examples: Callable[[str], Any]
    counted: Callable[[Any], dict[str, Any]] | None = None


class _Info(tfds.core.DatasetInfo):
    def initialize_from_bucket(self) -> None:
        """TFDS would ask its bucket on the network for sets that are only here."""


class RecordBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A TFDS builder of records; made and run by `jaxact.datasets.preparation.prepare`.

    Attributes:
      KIND: what a record is: "skeleton" or "video".
      EXPECTS: what the raw folder holds, as the end of the sentence "expected ...".
      LICENCE: terms of the data, one line.
      NEEDS_RAW: False for a set that is generated.
      NAMED: True where the user names the set (`custom/NAME`).
      NAME_NEEDED: False where a set that the user names may go without.
      CHUNK: sources that a process parses at a time; None is the number usual for skeletons.
    """

    VERSION = tfds.core.Version("1.0.0")
    url_infos: ClassVar[
        dict[str, Any]
    ] = {}  # nothing is downloaded; TFDS would look for checksums beside the code
    code_path = None
    KIND: ClassVar[str] = "skeleton"
    EXPECTS: ClassVar[str] = ""
    LICENCE: ClassVar[str] = "unknown"
    NEEDS_RAW: ClassVar[bool] = True
    NAMED: ClassVar[bool] = False
    NAME_NEEDED: ClassVar[bool] = True
    CHUNK: ClassVar[int | None] = None

    def __init__(self, *, job: Job | None = None, **options: Any) -> None:
        self._job = job
        super().__init__(**options)

    @classmethod
    def find(cls, raw: Path, *, layout: str | None) -> RawDataset:
        """Lists what is under `raw` by names and lists alone.

        Args:
          raw: a folder (or file) that exists.
          layout: the user's choice where the dataset leaves one (`custom`), else None.
        """
        raise NotImplementedError

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """Reads one source.

        Raises:
          UserError: the raw file cannot be used; the message names it and the place in it.
        """
        raise NotImplementedError

    @classmethod
    def features(cls, found: RawDataset) -> dict[str, Any]:
        """Features of a record beyond id, num_frames and label."""
        raise NotImplementedError

    def _info(self) -> tfds.core.DatasetInfo:
        if self._job is None:
            raise UserError(
                f"{self.name} is written by `jaxact prepare {self.name}` and read by jaxact.datasets.records"
            )
        found = self._job.found
        features = {
            "id": tfds.features.Text(),
            "num_frames": tfds.features.Scalar(np.int32),
            "label": tfds.features.ClassLabel(names=list(found.labels)),
            **self.features(found),
        }
        return _Info(
            builder=self,
            description=(type(self).__doc__ or "").strip(),
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(self._job.metadata),
            license=self.LICENCE,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        del dl_manager
        assert self._job is not None
        return {cell: self._generate_examples(cell) for cell in self._job.cells}

    def _generate_examples(self, cell: str) -> Any:
        assert self._job is not None
        return self._job.examples(cell)

    def _process_pipeline_result(self, pipeline_result: Any) -> None:
        metadata: Any = self.info.metadata
        if self._job is not None and self._job.counted is not None:
            metadata["summary"].update(self._job.counted(pipeline_result))


class SkeletonBuilder(RecordBuilder, skip_registration=True):
    """A builder of skeleton records.

    Attributes:
      COMPRESS: store joints zlib-compressed: pays where most person slots are empty.
    """

    COMPRESS: ClassVar[bool] = False

    @classmethod
    def features(cls, found: RawDataset) -> dict[str, Any]:
        """The joints, and what a dataset has beside them."""
        shape = (None, None, len(found.layout.joints), len(found.channels))
        how: dict[str, Any] = {
            "encoding": "zlib" if cls.COMPRESS else "bytes",
            "doc": "t m v c; zero: missing",
        }
        return {
            "joints": tfds.features.Tensor(shape=shape, dtype=np.float32, **how),
            **cls.extras(found),
        }

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Features of a record beyond id, joints, num_frames and label."""
        del found
        return {}


def compressed_tensor(shape: tuple[int | None, ...], dtype: Any, doc: str = "") -> tfds.features.Tensor:
    """A per-frame extra that repeats itself and therefore compresses."""
    return tfds.features.Tensor(shape=shape, dtype=dtype, encoding="zlib", doc=doc)


def skeleton_record(source: RawClip, joints: Float[np.ndarray, "t m v c"], **extras: Any) -> Record:
    """The record of one clip as it is stored.

    Single coordinates that are not finite are kept as the file has them: the pipeline turns them
    into missing joints.

    Args:
      source: where it comes from.
      joints: every frame and person of the clip; empty slots zero.
      extras: further features of the dataset.

    Raises:
      UserError: the clip has no frame, or more than half of its numbers are not finite.
    """
    if joints.ndim != 4 or 0 in joints.shape:
        raise UserError(
            f"{source.path or source.id!r}: no frames; joints have the shape {joints.shape}"
        )
    joints = np.ascontiguousarray(joints, np.float32)
    lost = np.count_nonzero(~np.isfinite(joints))
    if lost:
        there = np.count_nonzero((joints != 0).any((2, 3))) * joints.shape[2] * joints.shape[3]
        if 2 * lost > there:
            raise UserError(
                f"{source.path!r}: {lost} of its {there} coordinates are not finite numbers"
            )
    return {
        "id": source.id,
        "joints": joints,
        "num_frames": np.int32(len(joints)),
        "label": source.label,
        **extras,
    }


def matching_files(raw: Path, pattern: str, expects: str) -> list[Path]:
    """Files under `raw` that match `pattern`, sorted, without hidden ones.

    Raises:
      UserError: there is none; says what is expected there.
    """
    files = (
        sorted(path for path in raw.rglob(pattern) if path.name[0] != ".") if raw.is_dir() else []
    )
    if not files:
        raise UserError(f"no file {pattern!r} under {str(raw)!r}; expected {expects}")
    return files
