"""JHMDB's clips (Jhuang et al., ICCV 2013): 928 videos of 21 classes of HMDB51, 15 to 40 frames."""

from pathlib import Path

from jaxact.datasets.hmdb51 import dataset_from_flags
from jaxact.datasets.jhmdb import LABELS
from jaxact.datasets.preparation.builder import RawDataset
from jaxact.datasets.preparation.video_builder import VideoBuilder


class JhmdbVideo(VideoBuilder):
    """JHMDB: JPEG frames; `official1_train` and `official1_test` are the first official split.

    Ids are those of `jhmdb`, which holds the joints of the same clips, so that scores of both sets
    can be fused. Clips of one class and one film or video are a group.
    """

    EXPECTS = "the folders <class>/<clip>.avi (or .mp4) and the lists <class>_test_split{1,2,3}.txt"
    LICENCE = "cut from HMDB51, CC BY 4.0 by its owners; film and web raw_clips"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip in a folder named after a class."""
        return dataset_from_flags(raw, LABELS, cls.EXPECTS)
