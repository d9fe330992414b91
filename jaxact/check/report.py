"""Check of a whole corpus, and the report of its findings."""

import collections
import csv
import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxact import files, progress
from jaxact.check.body import Anatomy, Clip
from jaxact.check.clips import check_clip
from jaxact.check.facts import Facts
from jaxact.check.findings import RULES, SEVERITIES, Finding
from jaxact.check.sets import check_set
from jaxact.check.sources import Corpus, Record
from jaxact.check.splits import check_splits
from jaxact.errors import unknown

_ID_WIDTH = 44  # characters for the first ids of a rule


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Findings of a corpus.

    Attributes:
        name: name of the set or file.
        clips, frames: number of checked clips and frames.
        findings: errors first, then by rule and in the order of the clips.
        skipped: checks that could not be made, with the reason.
        up: whether y grows upwards in most clips.
    """

    name: str
    clips: int
    frames: int
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]
    up: bool

    def count(self, severity: str) -> int:
        """Returns the number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def __str__(self) -> str:
        counts = f"{_plural(self.clips, 'clip')}, {_plural(self.frames, 'frame')}"
        totals = ", ".join(_plural(self.count(severity), severity) for severity in SEVERITIES)
        lines = [f"{self.name}: {counts}; {totals}"]
        if self.findings:
            lines += ["", *self._table(), ""]
        lines += [f"not checked: {reason}" for reason in self.skipped]
        return "\n".join(lines)

    def _table(self) -> list[str]:
        """Returns the lines of the table, one per rule."""
        by_rule = collections.defaultdict(list)
        for finding in self.findings:
            by_rule[finding.rule].append(finding)
        rows = [("severity", "rule", "count", "meaning", "first")]
        for name, findings in by_rule.items():
            rule = RULES[name]
            count = str(len(findings))
            rows.append((rule.severity, name, count, rule.meaning, _first_ids(findings)))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = []
        for row in rows:
            cells = [*map(str.ljust, row, widths), row[4]]
            lines.append("  ".join(cells).rstrip())
        return lines

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Writes findings.json and findings.csv."""
        rows = [
            {**dataclasses.asdict(finding), "severity": finding.severity}
            for finding in self.findings
        ]
        content = {
            "name": self.name,
            "clips": self.clips,
            "frames": self.frames,
            **{f"{severity}s": self.count(severity) for severity in SEVERITIES},
            "not_looked_at": list(self.skipped),
            "findings": rows,
        }
        files.write_json(Path(folder) / "findings.json", content)
        with (
            files.replacing(Path(folder) / "findings.csv") as temporary,
            open(temporary, "w", newline="", encoding="utf-8") as file,
        ):
            table = csv.writer(file)
            table.writerow(("severity", "rule", "id", "frames", "detail"))
            for finding in self.findings:
                frames = " ".join(map(str, finding.frames))
                table.writerow((finding.severity, finding.rule, finding.id, frames, finding.detail))


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _first_ids(findings: Sequence[Finding]) -> str:
    """Joins as many ids as fit, each once."""
    text = ""
    for name in dict.fromkeys(finding.id for finding in findings):
        if text and len(text) + len(name) + 2 > _ID_WIDTH:
            return f"{text}, ..."
        text += f", {name}" if text else name
    return text


def check(corpus: Corpus, *, ignore: Sequence[str] = ()) -> Report:
    """Checks every clip of a corpus, in one pass.

    Args:
        corpus: the clips.
        ignore: rules whose findings are left out.

    Raises:
        UserError: `ignore` has an unknown rule.
    """
    for rule in ignore:
        if rule not in RULES:
            raise unknown("rule", rule, RULES)
    anatomy = Anatomy.of(corpus.layout, corpus.channels)
    findings: list[Finding] = []
    facts: list[Facts] = []
    frames = 0
    records = progress.track(corpus.records(), total=corpus.total, what="checking", unit="clips")
    for record in records:
        finding = _unusable(record, corpus)
        if finding is not None:
            findings.append(finding)
            facts.append(Facts.of(record, None, anatomy))
            continue
        clip = Clip.of(record, anatomy)
        frames += len(clip.occupied)
        findings += check_clip(clip, anatomy)
        facts.append(Facts.of(record, clip, anatomy))
    findings += check_set(facts, anatomy, corpus.labels, corpus.protocols)
    findings += check_splits(facts, corpus.labels, corpus.protocols)
    return Report(
        name=corpus.name,
        clips=len(facts),
        frames=frames,
        findings=_sorted(finding for finding in findings if finding.rule not in ignore),
        skipped=tuple(_skipped_checks(anatomy, facts, corpus)),
        up=_is_y_up(facts, anatomy),
    )


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorts findings by severity, then by rule in the order of `RULES`."""
    rules = list(RULES)

    def key(finding: Finding) -> tuple[int, int]:
        return SEVERITIES.index(finding.severity), rules.index(finding.rule)

    return tuple(sorted(findings, key=key))


def _is_y_up(facts: Sequence[Facts], anatomy: Anatomy) -> bool:
    upward = [clip.up > 0.5 for clip in facts if not np.isnan(clip.up)]
    if not upward:
        return anatomy.dims == 3
    return 2 * sum(upward) >= len(upward)


def _unusable(record: Record, corpus: Corpus) -> Finding | None:
    """Returns the finding of a record that cannot be checked, or None."""
    if "problem" in record:
        return Finding("unreadable", record["id"], record["problem"])
    joints, channels = record["joints"].shape[2:]
    layout = corpus.layout
    if (joints, channels) != (len(layout.joints), len(corpus.channels)):
        detail = (
            f"{joints} joints of {channels} channels, "
            f"{layout.name} has {len(layout.joints)} of {len(corpus.channels)}"
        )
        return Finding("joint-count", record["id"], detail)
    return None


def _skipped_checks(anatomy: Anatomy, facts: Sequence[Facts], corpus: Corpus) -> list[str]:
    """Lists checks that could not be made, so that a clean report does not promise too much."""
    name = anatomy.layout.name
    skipped = []
    if anatomy.head is None or not anatomy.feet:
        skipped.append(f"direction of y ({name} names no head or no feet)")
    elif facts and all(np.isnan(clip.up) for clip in facts):
        skipped.append("direction of y (head and feet are nowhere apart in y)")
    if not any(anatomy.limbs.values()):
        skipped.append(f"exchanged limbs ({name} names no left and right arms or legs)")
    mirror_joints = anatomy.eyes and anatomy.shoulders
    if anatomy.dims == 3:
        mirror_joints = anatomy.toes and anatomy.hips
    if not mirror_joints:
        skipped.append(f"mirrored clips ({name} lacks the joints)")
    if not corpus.protocols:
        skipped.append(
            "leakage between training and test, balance of classes (no pair of such splits)"
        )
    elif not any(clip.subject or clip.group for clip in facts):
        skipped.append("leakage by subject or recording (neither in fields nor in ids)")
    return skipped
