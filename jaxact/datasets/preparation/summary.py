"""What preparing a dataset counted, stored beside its records and read back from there."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxact.datasets import dataset_info
from jaxact.datasets.preparation.parallel_parsing import ParseCounts


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a prepared set holds, and what was left out of it.

    Attributes:
      clips: records.
      classes: labels that occur in the list of classes.
      frames: frames of all records.
      persons: most people in one record.
      empty: records without a person in any frame.
      splits: records of every protocol split.
      skipped: (file, reason) of raw files that could not be used; the reason names the file too.
      dropped: reason -> clips that the dataset itself leaves out.
      path: the prepared folder.
      existed: the set was there already and nothing was done.
      gaps: records with frames in the middle in which nobody is seen.
      not_finite: records with NaN or infinite numbers, which training takes for missing joints.
      damaged: records with frames that the video decoder had to patch up.
      leaks: see `dataset_info.DatasetInfo`.
    """

    clips: int
    classes: int
    frames: int
    persons: int
    empty: int
    splits: dict[str, int]
    skipped: list[tuple[str, str]]
    dropped: dict[str, int]
    path: str
    existed: bool = False
    gaps: int = 0
    not_finite: int = 0
    damaged: int = 0
    leaks: Mapping[str, int | None] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        people = "person" if self.persons == 1 else "persons"
        most = f", up to {self.persons} {people}" if self.persons else ""
        lines = [f"{self.clips} clips, {self.classes} classes, {self.frames} frames{most}"]
        lines += [f"splits: {', '.join(f'{name} {count}' for name, count in self.splits.items())}"]
        lines += [f"{self.empty} clips have no person in any frame"] if self.empty else []
        lines += (
            [f"{self.gaps} clips have nobody in some frames in the middle"] if self.gaps else []
        )
        lines += (
            [f"{self.not_finite} clips have numbers that are not finite"] if self.not_finite else []
        )
        lines += (
            [f"{self.damaged} clips have frames that the decoder had to patch up"]
            if self.damaged
            else []
        )
        lines += [f"{split} leaks: {describe_leak(count)}" for split, count in self.leaks.items()]
        lines += [f"left out, {reason}: {count}" for reason, count in self.dropped.items()]
        lines += [f"skipped files: {len(self.skipped)}"] if self.skipped else []
        lines += [f"  {reason}" for _, reason in self.skipped]
        return "\n".join([*lines, f"{'already in' if self.existed else 'written to'} {self.path}"])


def describe_leak(count: int | None) -> str:
    """What is wrong with a test split, in words."""
    if count is None:
        return "drawn clip by clip, and nothing says which clips are of one recording"
    return f"{count} of its clips are of a group that is in training too"


def metadata_summary(parsed: ParseCounts) -> dict[str, Any]:
    """The fields that parsing fills, as plain JSON values."""
    counted = dataclasses.asdict(parsed)
    counted["skipped"] = counted.pop("bad")
    return counted


def read_summary(target: Path, existed: bool = False) -> Summary:
    """Of the prepared version in `target`; `existed` where nothing had to be done."""
    info = dataset_info.read(target)
    counted = {
        field.name: info.summary[field.name]
        for field in dataclasses.fields(Summary)
        if field.name in info.summary
    }
    counted["skipped"] = [tuple(pair) for pair in counted["skipped"]]
    return Summary(
        **counted,
        classes=len(info.labels),
        splits={name: info.splits[name] for name in info.unions},
        leaks=info.leaks,
        path=info.path,
        existed=existed,
    )
