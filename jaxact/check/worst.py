"""The picture of a report: skeletons at the frames where something was found."""

import itertools
import os
from collections.abc import Sequence

import numpy as np

from jaxact.check.body import Anatomy, Clip
from jaxact.check.findings import Finding
from jaxact.check.report import Report
from jaxact.check.sources import Corpus
from jaxact.plots import Pose, poses

PANELS = 12
# What a pose shows; the other findings are about names, splits, or nothing that could be drawn.
DRAWN = (
    *(
        "not-finite",
        "gap",
        "person-gap",
        "person-swap",
        "left-right-swap",
        "exploding-bones",
        "frozen",
    ),
    *("scale-mixed", "y-flipped", "upside-down", "mirrored"),
)


def draw_worst(report: Report, corpus: Corpus, out: str | os.PathLike[str]) -> bool:
    """Draws up to twelve findings, errors first and every rule in turn; a second pass over the
    corpus.

    Returns:
      Whether there was one to draw.
    """
    chosen = _chosen(report.findings)
    wanted = {finding.id for finding in chosen}
    anatomy = Anatomy.of(corpus.layout, corpus.channels)
    panels: dict[Finding, Pose] = {}
    shape = (len(corpus.layout.joints), len(corpus.channels))
    for record in corpus.records() if chosen else ():
        if (
            record["id"] in wanted
            and "problem" not in record
            and record["joints"].shape[2:] == shape
        ):
            clip = Clip.of(record, anatomy)
            for finding in chosen:
                if finding.id == record["id"]:
                    panels.setdefault(finding, _pose(finding, clip))
            if len(panels) == len(chosen):
                break
    if panels:
        poses(
            [panels[finding] for finding in chosen if finding in panels],
            corpus.layout,
            out,
            y_up=report.up,
        )
    return bool(panels)


def _chosen(findings: Sequence[Finding]) -> list[Finding]:
    """One of each rule, then another one of each, and so on."""
    by_rule = [
        list(group)
        for rule, group in itertools.groupby(findings, key=lambda finding: finding.rule)
        if rule in DRAWN
    ]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*by_rule))
    chosen = list(itertools.islice((finding for finding in turns if finding is not None), PANELS))
    return sorted(chosen, key=findings.index)


def _pose(finding: Finding, clip: Clip) -> Pose:
    """The first frame of the finding in which somebody can be seen, else the one before it."""
    there = np.flatnonzero(clip.present.any((1, 2)))
    frame = (
        finding.frames[0] if finding.frames else int(there[len(there) // 2]) if len(there) else 0
    )
    if not clip.present[frame].any() and frame > 0:
        frame -= 1
    before = max(frame - 1, 0)
    return Pose(
        title=finding.rule,
        note=f"{finding.id}, frame {frame} of {len(clip.seen)}",
        places=clip.places[frame],
        present=clip.present[frame],
        before=clip.places[before],
        present_before=clip.present[before] & (frame > 0),
    )
