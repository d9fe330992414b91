"""Linter for skeleton data: errors and oddities of a prepared set, a raw folder or a file.

    sources (a set or a file as an iterator of records) -> clips (rules on one clip)
        -> sets, splits (rules across clips) -> report (a table, findings.json and .csv) -> worst
        (a picture of the worst findings)

Records are read one at a time. About half a kilobyte of facts per clip stays in memory, and the
findings. Only NumPy is needed.
"""

from jaxact.check.findings import RULES, Finding
from jaxact.check.report import Report, check
from jaxact.check.sources import Corpus, open_corpus
from jaxact.check.worst import draw_worst

__all__ = ["RULES", "Corpus", "Finding", "Report", "check", "draw_worst", "open_corpus"]
