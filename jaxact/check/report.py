"""Checking a corpus from end to end, and what is told of it."""

import collections
import csv
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact import files, progress
from jaxact.check.body import Anatomy, Clip
from jaxact.check.clips import of_clip
from jaxact.check.facts import Facts
from jaxact.check.findings import RULES, SEVERITIES, Finding
from jaxact.check.sets import of_set
from jaxact.check.sources import Corpus, Record
from jaxact.check.splits import of_splits
from jaxact.errors import unknown

_WIDTH = 44  # characters for the first ids of a rule


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found.

    Attributes:
      name: of the set or file.
      clips, frames: how many were looked at.
      findings: errors first, then by rule and in the order of the clips.
      silent: what could not be looked at, and why.
      up: y grows upwards in most clips.
    """

    name: str
    clips: int
    frames: int
    findings: tuple[Finding, ...]
    silent: tuple[str, ...]
    up: bool

    def count(self, severity: str) -> int:
        """Findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def __str__(self) -> str:
        totals = ", ".join(_counted(self.count(severity), severity) for severity in SEVERITIES)
        lines = [
            f"{self.name}: {_counted(self.clips, 'clip')}, {_counted(self.frames, 'frame')}; {totals}"
        ]
        if self.findings:
            by_rule = collections.defaultdict(list)
            for finding in self.findings:
                by_rule[finding.rule].append(finding)
            rows = [("severity", "rule", "count", "what it means", "first")]
            for rule, found in by_rule.items():
                rows.append(
                    (RULES[rule].severity, rule, str(len(found)), RULES[rule].means, _first(found))
                )
            widths = [max(len(row[column]) for row in rows) for column in range(4)]
            lines += [
                "",
                *("  ".join([*map(str.ljust, row, widths), row[4]]).rstrip() for row in rows),
                "",
            ]
        return "\n".join([*lines, *(f"not looked at: {reason}" for reason in self.silent)])

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
            "not_looked_at": list(self.silent),
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


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _first(found: Sequence[Finding]) -> str:
    """As many ids as fit, each once."""
    shown = ""
    for name in dict.fromkeys(finding.id for finding in found):
        if shown and len(shown) + len(name) + 2 > _WIDTH:
            return f"{shown}, ..."
        shown += f", {name}" if shown else name
    return shown


def check(corpus: Corpus, *, ignore: Sequence[str] = ()) -> Report:
    """Looks at every clip once.

    Args:
      corpus: what to look at.
      ignore: rules whose findings are left out.

    Raises:
      UserError: `ignore` names no rule.
    """
    for rule in ignore:
        if rule not in RULES:
            raise unknown("rule", rule, RULES)
    anatomy = Anatomy.of(corpus.layout, corpus.channels)
    findings: list[Finding] = []
    facts: list[Facts] = []
    frames = 0
    for record in progress.track(
        corpus.records(), total=corpus.total, what="checking", unit="clips"
    ):
        if (finding := _unfit(record, corpus)) is not None:
            findings.append(finding)
            facts.append(Facts.of(record, None, anatomy))
            continue
        clip = Clip.of(record, anatomy)
        frames += len(clip.seen)
        findings += of_clip(clip, anatomy)
        facts.append(Facts.of(record, clip, anatomy))
    findings += of_set(facts, anatomy, corpus.labels, corpus.protocols)
    findings += of_splits(facts, corpus.labels, corpus.protocols)
    order = {
        rule: (SEVERITIES.index(RULES[rule].severity), place) for place, rule in enumerate(RULES)
    }
    up = [clip.up > 0.5 for clip in facts if not np.isnan(clip.up)]
    return Report(
        name=corpus.name,
        clips=len(facts),
        frames=frames,
        findings=tuple(
            sorted((f for f in findings if f.rule not in ignore), key=lambda f: order[f.rule])
        ),
        silent=tuple(_silent(anatomy, facts, corpus)),
        up=2 * sum(up) >= len(up) if up else anatomy.dims == 3,
    )


def _unfit(record: Record, corpus: Corpus) -> Finding | None:
    """Why a record cannot be looked into."""
    if "problem" in record:
        return Finding("unreadable", record["id"], record["problem"])
    wanted, given = (len(corpus.layout.joints), len(corpus.channels)), record["joints"].shape[2:]
    if given != wanted:
        told = f"{given[0]} joints of {given[1]} channels, {corpus.layout.name} has {wanted[0]} of {wanted[1]}"
        return Finding("joint-count", record["id"], told)
    return None


def _silent(anatomy: Anatomy, facts: Sequence[Facts], corpus: Corpus) -> list[str]:
    """Rules that had nothing to go by; a clean report must not be taken for more than it is."""
    name = anatomy.layout.name
    gone: dict[str, Any] = {
        f"which way is up ({name} names no head or no feet)": anatomy.head is None
        or not anatomy.feet,
        "which way is up (head and feet are nowhere apart in y)": bool(facts)
        and anatomy.head is not None
        and bool(anatomy.feet)
        and all(np.isnan(clip.up) for clip in facts),
        f"exchanged limbs ({name} names no left and right arms or legs)": not any(
            anatomy.limbs.values()
        ),
        f"mirrored clips ({name} has no joints that tell)": not (
            (anatomy.toes and anatomy.hips)
            if anatomy.dims == 3
            else (anatomy.eyes and anatomy.shoulders)
        ),
        "leakage between training and test, balance of classes (no such splits)": not corpus.protocols,
        "leakage by subject or recording (neither fields nor ids tell)": corpus.protocols
        and not any(clip.subject or clip.group for clip in facts),
    }
    return [reason for reason, holds in gone.items() if holds]
