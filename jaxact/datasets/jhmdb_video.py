"""JHMDB's clips (Jhuang et al., ICCV 2013): 928 clips of 21 classes cut from HMDB51, 15 to 40
frames each.
"""

from pathlib import Path

from jaxact.datasets.hmdb51 import found_by_flags
from jaxact.datasets.jhmdb import LABELS
from jaxact.datasets.preparation.builder import RawDataset
from jaxact.datasets.preparation.video_builder import VideoBuilder


class JhmdbVideo(VideoBuilder):
    """JHMDB: JPEG frames; `official1_train` and `official1_test` are the first official split.

    Ids are those of the set `jhmdb`, the joints of the same clips, so that scores of both can be
    added. A group is what the clips of one class and one film or video share.
    """

    EXPECTS = "the folders <class>/<clip>.avi (or .mp4) and the lists <class>_test_split{1,2,3}.txt"
    LICENCE = "cut from HMDB51, CC BY 4.0 by its owners; film and web sources"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip in a folder named after a class."""
        return found_by_flags(raw, LABELS, cls.EXPECTS)
