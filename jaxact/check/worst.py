"""Picture of a report: skeletons at the frames of its findings."""

import itertools
import os
from collections.abc import Sequence

import numpy as np

from jaxact.check.body import Anatomy, Clip
from jaxact.check.findings import Finding
from jaxact.check.report import Report
from jaxact.check.sources import Corpus
from jaxact.plots import PosePanel, poses

MAX_PANELS = 12
# Rules whose findings a pose can show; the others concern names, splits or empty clips.
DRAWN = (
    "not-finite",
    "gap",
    "person-gap",
    "person-swap",
    "left-right-swap",
    "exploding-bones",
    "frozen",
    "scale-mixed",
    "y-flipped",
    "upside-down",
    "mirrored",
)


def draw_worst(report: Report, corpus: Corpus, out: str | os.PathLike[str]) -> bool:
    """Draws up to twelve findings, errors first and the rules in turn.

    This iterates over the corpus a second time.

    Returns:
        Whether a finding was drawn.
    """
    selected = _select_findings(report.findings)
    anatomy = Anatomy.of(corpus.layout, corpus.channels)
    shape = (len(corpus.layout.joints), len(corpus.channels))
    panels: dict[Finding, PosePanel] = {}
    for record in corpus.records() if selected else ():
        matches = [finding for finding in selected if finding.id == record["id"]]
        if not matches or "problem" in record or record["joints"].shape[2:] != shape:
            continue
        clip = Clip.of(record, anatomy)
        for finding in matches:
            panels.setdefault(finding, _pose_panel(finding, clip))
        if len(panels) == len(selected):
            break
    if not panels:
        return False
    in_order = [panels[finding] for finding in selected if finding in panels]
    poses(in_order, corpus.layout, out, y_up=report.up)
    return True


def _select_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Selects one finding of each rule, then a second one of each, up to `MAX_PANELS`."""
    by_rule = []
    for rule, group in itertools.groupby(findings, key=lambda finding: finding.rule):
        if rule in DRAWN:
            by_rule.append(list(group))
    turns = itertools.chain.from_iterable(itertools.zip_longest(*by_rule))
    selected = [finding for finding in turns if finding is not None]
    return sorted(selected[:MAX_PANELS], key=findings.index)


def _pose_panel(finding: Finding, clip: Clip) -> PosePanel:
    """Returns the first frame of the finding; the previous frame if it shows no person."""
    occupied = np.flatnonzero(clip.present.any((1, 2)))
    frame = 0
    if finding.frames:
        frame = finding.frames[0]
    elif len(occupied):
        frame = int(occupied[len(occupied) // 2])
    if not clip.present[frame].any() and frame > 0:
        frame -= 1
    previous = max(frame - 1, 0)
    return PosePanel(
        title=finding.rule,
        note=f"{finding.id}, frame {frame} of {len(clip.occupied)}",
        points=clip.points[frame],
        present=clip.present[frame],
        previous=clip.points[previous],
        previous_present=clip.present[previous] & (frame > 0),
    )
