"""JHMDB's clips (Jhuang et al., ICCV 2013) as skeletons that a pose network finds in their
videos.
"""

from pathlib import Path

from jaxact.datasets.jhmdb_video import JhmdbVideo
from jaxact.datasets.preparation.builder import RawDataset
from jaxact.datasets.skeletons_from_video import SkeletonsFromVideo


class JhmdbDetected(SkeletonsFromVideo):
    """People found in JHMDB's videos, x and y in 0..1 of the picture, y down, and a score.

    Ids and splits are those of `jhmdb_video`. A pose network that was trained on joints of the same
    set has seen the training clips of its own split: only the test clips of that split are new to
    it.
    """

    EXPECTS = f"{JhmdbVideo.EXPECTS}, with OpenPose's files beside the clips or --checkpoint RUN"
    LICENCE = JhmdbVideo.LICENCE
    NAMED = False

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip in a folder named after a class."""
        return JhmdbVideo.find(raw, layout=layout)
