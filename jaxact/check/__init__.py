"""A linter for skeleton data: what is wrong, or odd, in a prepared set, a raw folder or a file,
before a run is spent.

    open (a set or a file as an iterator of records) -> clips (rules on one clip) -> sets (rules
    across clips)
        -> report (a table, findings.json and .csv, a picture of the worst)

Records pass one at a time; of each some half a kilobyte of facts stays in memory, and what was
found. numpy only.
"""

from jaxact.check.findings import RULES, Finding
from jaxact.check.report import Report, check
from jaxact.check.sources import Corpus, open_corpus
from jaxact.check.worst import draw_worst

__all__ = ["RULES", "Corpus", "Finding", "Report", "check", "draw_worst", "open_corpus"]
