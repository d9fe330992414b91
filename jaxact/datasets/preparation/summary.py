"""The counts of a prepared data set, stored beside its records and read back from there."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxact.datasets import dataset_info
from jaxact.datasets.preparation.parallel_parsing import ParseCounts


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a prepared data set holds, and what was left out of it.

    Attributes:
        clips: number of records.
        classes: number of classes.
        frames: frames of all records.
        persons: most people in one record.
        empty: records without a person in any frame.
        splits: protocol split -> number of records.
        skipped: (file, reason) of raw files that could not be used. The reason names the file too.
        dropped: reason -> number of clips that the data set itself leaves out.
        path: the prepared folder.
        existed: whether the set was prepared before and nothing was done.
        gaps: records in which nobody is present in some frames in the middle.
        not_finite: records with NaN or infinite numbers, which training treats as missing joints.
        damaged: records with frames that the video decoder had to conceal.
        leaks: see `jaxact.datasets.dataset_info.DatasetInfo`.
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
        totals = f"{self.clips} clips, {self.classes} classes, {self.frames} frames"
        if self.persons:
            totals += f", up to {self.persons} {'person' if self.persons == 1 else 'persons'}"
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        lines = [totals, f"splits: {splits}"]
        for count, problem in (
            (self.empty, "no person in any frame"),
            (self.gaps, "nobody in some frames in the middle"),
            (self.not_finite, "numbers that are not finite"),
            (self.damaged, "frames that the decoder had to patch up"),
        ):
            if count:
                lines.append(f"{count} clips have {problem}")
        for split, count in self.leaks.items():
            lines.append(f"{split} leaks: {describe_leak(count)}")
        for reason, count in self.dropped.items():
            lines.append(f"left out, {reason}: {count}")
        if self.skipped:
            lines.append(f"skipped files: {len(self.skipped)}")
        for _, reason in self.skipped:
            lines.append(f"  {reason}")
        lines.append(f"{'already in' if self.existed else 'written to'} {self.path}")
        return "\n".join(lines)


def describe_leak(count: int | None) -> str:
    """What is wrong with a test split, in words."""
    if count is None:
        return "drawn clip by clip, and nothing says which clips are of one recording"
    return f"{count} of its clips are of a group that is in training too"


def metadata_summary(counts: ParseCounts) -> dict[str, Any]:
    """The counts of parsing, as plain JSON values."""
    values = dataclasses.asdict(counts)
    values["skipped"] = values.pop("bad")
    return values


def read_summary(target: Path, existed: bool = False) -> Summary:
    """The summary of the prepared version in `target`.

    Args:
        target: the prepared folder.
        existed: whether the set was prepared before and nothing was done.
    """
    info = dataset_info.read(target)
    counts = {}
    for field in dataclasses.fields(Summary):
        if field.name in info.summary:
            counts[field.name] = info.summary[field.name]
    counts["skipped"] = [tuple(pair) for pair in counts["skipped"]]
    return Summary(
        **counts,
        classes=len(info.labels),
        splits={split: info.splits[split] for split in info.unions},
        leaks=info.leaks,
        path=info.path,
        existed=existed,
    )
