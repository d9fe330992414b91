"""Base classes of the dataset builders, which find raw clips, parse them and write records.

A data set is a subclass of `SkeletonBuilder`, or of
`jaxact.datasets.preparation.video_builder.VideoBuilder`, with two pure functions. `find` reads file
names and lists, never clips, and returns a `RawDataset`. `parse` turns one raw clip into records
and runs in worker processes. Neither imports TensorFlow.

The split of a clip depends on the protocol. TFDS's splits are therefore *cells*, the finest pieces
that no protocol cuts. Every protocol split is a union of cells; the unions are stored in the
metadata with everything else that a reader needs.
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
    """A raw clip that becomes a record (or several).

    Attributes:
        id: id of the record, unique in its data set.
        path: the raw file; "" where there is none.
        cell: the TFDS split of its records.
        label: 0-based class.
        facts: what else `parse` needs from names and lists, as plain values.
    """

    id: str
    path: str
    cell: str
    label: int
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True, kw_only=True)
class RawDataset:
    """What `find` reads from the names and lists of a raw folder.

    Attributes:
        clips: every clip to parse.
        labels: class names in label order.
        layout: joint layout of every clip.
        channels: names of the channels on the last axis of the joints.
        unions: protocol split -> its cells. Cells without a clip are dropped when the data set is
          written.
        subsets: evaluation subset -> its label ids.
        test_only: the subsets that a published protocol evaluates without training on them alone.
        dropped: reason -> number of clips that the data set itself leaves out.
        leaks, stored: see `jaxact.datasets.dataset_info.DatasetInfo`.
        single_process: parse in one process, because the clips share a file that is read whole or
          from its start.
    """

    clips: list[RawClip]
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
    """What `prepare` passes to a builder.

    Attributes:
        dataset: labels, layout and channels of the records.
        cells: the TFDS splits.
        metadata: what a reader needs, stored beside the records.
        examples: cell -> its (key, record) pairs, or the Beam transform that yields them.
        beam_summary: the counts of a finished Beam pipeline, for the summary in the metadata.
    """

    dataset: RawDataset
    cells: tuple[str, ...]
    metadata: dict[str, Any]
    examples: Callable[[str], Any]
    beam_summary: Callable[[Any], dict[str, Any]] | None = None


class _LocalInfo(tfds.core.DatasetInfo):
    def initialize_from_bucket(self) -> None:
        """Skips TFDS's lookup in its bucket on the network."""


class RecordBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A TFDS builder of records, constructed and run by `jaxact.datasets.preparation.prepare`.

    Attributes:
        KIND: kind of a record: "skeleton", "video" or "pose".
        EXPECTS: content of the raw folder, as the end of the sentence "expected ...".
        LICENCE: terms of the data, one line.
        NEEDS_RAW: False for a generated data set.
        NAMED: True where the user names the data set (`custom/NAME`).
        NAME_NEEDED: False where a data set that the user may name can go without a name.
        CHUNK: number of clips that a process parses at a time; None is the default for skeletons.
    """

    VERSION = tfds.core.Version("1.0.0")
    # Nothing is downloaded; TFDS would look for checksums beside the code.
    url_infos: ClassVar[dict[str, Any]] = {}
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
        """Finds the clips under `raw` by file names and lists alone.

        Args:
            raw: a folder (or file) that exists.
            layout: the user's choice where the data set allows one (`custom`), else None.
        """
        raise NotImplementedError

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """Parses one raw clip.

        Raises:
            UserError: the raw file cannot be used. The message names the file and the position in
                it.
        """
        raise NotImplementedError

    @classmethod
    def features(cls, dataset: RawDataset) -> dict[str, Any]:
        """Features of a record beyond id, num_frames and label."""
        raise NotImplementedError

    def _info(self) -> tfds.core.DatasetInfo:
        if self._job is None:
            raise UserError(
                f"{self.name} is written by `jaxact prepare {self.name}` and read by "
                "jaxact.datasets.records"
            )
        dataset = self._job.dataset
        features = {
            "id": tfds.features.Text(),
            "num_frames": tfds.features.Scalar(np.int32),
            "label": tfds.features.ClassLabel(names=list(dataset.labels)),
            **self.features(dataset),
        }
        return _LocalInfo(
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
        if self._job is not None and self._job.beam_summary is not None:
            metadata["summary"].update(self._job.beam_summary(pipeline_result))


class SkeletonBuilder(RecordBuilder, skip_registration=True):
    """A builder of skeleton records.

    Attributes:
        COMPRESS: store joints zlib-compressed, which pays off where most person slots are empty.
    """

    COMPRESS: ClassVar[bool] = False

    @classmethod
    def features(cls, dataset: RawDataset) -> dict[str, Any]:
        """The joints, and the extra features of the data set."""
        joints = tfds.features.Tensor(
            shape=(None, None, len(dataset.layout.joints), len(dataset.channels)),
            dtype=np.float32,
            encoding="zlib" if cls.COMPRESS else "bytes",
            doc="t m v c; zero: missing",
        )
        return {"joints": joints, **cls.extras(dataset)}

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Features of a record beyond id, joints, num_frames and label."""
        del dataset
        return {}


def compressed_tensor(
    shape: tuple[int | None, ...], dtype: Any, doc: str = ""
) -> tfds.features.Tensor:
    """A zlib-compressed feature, for values per frame that repeat."""
    return tfds.features.Tensor(shape=shape, dtype=dtype, encoding="zlib", doc=doc)


def skeleton_record(
    raw_clip: RawClip, joints: Float[np.ndarray, "t m v c"], /, **extras: Any
) -> Record:
    """The record of one clip as it is stored.

    Single coordinates that are not finite are stored as the file has them: the pipeline turns them
    into missing joints.

    Args:
        raw_clip: the clip that was parsed.
        joints: every frame and person of the clip; empty slots are zero.
        extras: further features of the data set.

    Raises:
        UserError: the clip has no frame, or more than half of its coordinates are not finite.
    """
    if joints.ndim != 4 or 0 in joints.shape:
        raise UserError(
            f"{raw_clip.path or raw_clip.id!r}: no frames; joints have the shape {joints.shape}"
        )
    joints = np.ascontiguousarray(joints, np.float32)
    not_finite = np.count_nonzero(~np.isfinite(joints))
    if not_finite:
        people = np.count_nonzero((joints != 0).any((2, 3)))  # over all frames
        coordinates = people * joints.shape[2] * joints.shape[3]
        if 2 * not_finite > coordinates:
            raise UserError(
                f"{raw_clip.path!r}: {not_finite} of its {coordinates} coordinates are not finite "
                "numbers"
            )
    return {
        "id": raw_clip.id,
        "joints": joints,
        "num_frames": np.int32(len(joints)),
        "label": raw_clip.label,
        **extras,
    }


def matching_files(raw: Path, pattern: str, expects: str) -> list[Path]:
    """Files under `raw` that match `pattern`, sorted, without hidden ones.

    Raises:
        UserError: there is none. The message says what is expected there.
    """
    files = []
    if raw.is_dir():
        files = sorted(path for path in raw.rglob(pattern) if path.name[0] != ".")
    if not files:
        raise UserError(f"no file {pattern!r} under {str(raw)!r}; expected {expects}")
    return files
