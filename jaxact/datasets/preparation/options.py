"""What a user may ask of `prepare`, and the checks of it that need no raw file."""

import dataclasses
import os
from pathlib import Path

from jaxact.datasets import DATASETS
from jaxact.datasets.formats.video_poses import PoseEstimator
from jaxact.datasets.preparation.builder import RecordBuilder
from jaxact.datasets.skeletons_from_video import SkeletonsFromVideo
from jaxact.errors import UserError, unknown


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PrepareOptions:
    """Options of `prepare`.

    Attributes:
        layout: joint layout of a data set that you name, by name or JSON file.
        to_layout: layout to which the joints of such a data set are converted, or estimated ones.
        short_side: videos: pixels of the shorter side to which larger frames are scaled down; None
          is 256.
        flow: videos: also store optical flow by this method, "dis" or "farneback".
        pose_estimator: skeletons of videos: estimates the poses, in place of files beside the
          videos.
        workers: number of processes that parse; None is one per core, at most 8.
        skip_bad: leave out raw files that cannot be used, and list them. Otherwise the first one
          raises.
        beam_options: run under Apache Beam with these pipeline options, e.g. "runner=DirectRunner".
          None does not use Beam.
        overwrite: replace the data set where it exists.
    """

    layout: str | None = None
    to_layout: str | None = None
    short_side: int | None = None
    flow: str | None = None
    pose_estimator: PoseEstimator | None = None
    workers: int | None = None
    skip_bad: bool = False
    beam_options: str | None = None
    overwrite: bool = False


def find_builder(name: str) -> tuple[type[RecordBuilder], str]:
    """The builder of a data set, and the user's name for it: `custom/mine` has "mine".

    Raises:
        UserError: an unknown data set, or a name that is missing, malformed or not allowed.
    """
    kind, _, own_name = name.partition("/")
    if kind not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    builder = DATASETS[kind]
    if not builder.NAMED:
        if own_name:
            raise UserError(f"dataset {kind!r} has no configurations, got {name!r}")
        return builder, ""
    valid_name = own_name.isidentifier() and own_name.islower()
    unnamed = not own_name and not builder.NAME_NEEDED
    if not (valid_name or unnamed):
        raise UserError(
            f"a set of the kind {kind!r} needs a name of lower-case letters, digits and _, "
            f"as in '{kind}/mine'; got {name!r}"
        )
    return builder, own_name


def check_options(name: str, builder: type[RecordBuilder], options: PrepareOptions) -> None:
    """Raises UserError for an option that this kind of data set does not have."""
    options_by_kind = {"skeleton": ("layout", "to_layout"), "video": ("short_side", "flow")}
    for kind, option_names in options_by_kind.items():
        for option in option_names:
            if kind != builder.KIND and getattr(options, option) is not None:
                raise UserError(
                    f"{option} is for {kind} sets; the records of {name!r} are of the kind "
                    f"{builder.KIND}"
                )
    if options.pose_estimator is not None and not issubclass(builder, SkeletonsFromVideo):
        kinds = [kind for kind, each in DATASETS.items() if issubclass(each, SkeletonsFromVideo)]
        raise UserError(f"--pose estimates poses for the sets {', '.join(kinds)}, not for {name!r}")
    if options.to_layout and not _converts(builder):
        kinds = [kind for kind, each in DATASETS.items() if _converts(each)]
        raise UserError(
            f"to_layout is for the sets {', '.join(kinds)}; {name!r} has the layout of its files"
        )
    if options.workers is not None and options.workers < 1:
        raise UserError(f"workers must be 1 or more, got {options.workers!r}")


def _converts(builder: type[RecordBuilder]) -> bool:
    """Whether the joint layout of a data set depends on the user's files or pose estimator."""
    if builder.KIND != "skeleton":
        return False
    return builder.NAMED or issubclass(builder, SkeletonsFromVideo)


def raw_folder(name: str, builder: type[RecordBuilder], raw: str | os.PathLike[str] | None) -> Path:
    """The folder (or file) of the raw data; the current folder for generated data sets.

    Raises:
        UserError: it is not given, or does not exist.
    """
    if not builder.NEEDS_RAW:
        return Path()
    if raw is None:
        raise UserError(f"dataset {name!r} needs its raw data (--raw DIR): {builder.EXPECTS}")
    folder = Path(raw).expanduser()
    if not folder.exists():
        raise UserError(
            f"no raw data at {os.fspath(raw)!r}; {name!r} expects there {builder.EXPECTS}"
        )
    return folder
