"""JHMDB's clips (Jhuang et al., ICCV 2013) with estimated poses."""

from pathlib import Path

from jaxact.datasets.jhmdb_video import JhmdbVideo
from jaxact.datasets.preparation.builder import RawDataset
from jaxact.datasets.skeletons_from_video import SkeletonsFromVideo


class JhmdbDetected(SkeletonsFromVideo):
    """Estimated poses of JHMDB's videos: x and y in 0..1 of the picture, y down, and a score.

    Ids and splits are those of `jhmdb_video`. A pose network that was trained on the joints of the
    same set was trained on the training clips of its own split. Only the test clips of that split
    are new to it.
    """

    EXPECTS = f"{JhmdbVideo.EXPECTS}, with OpenPose's files beside the clips or --pose SPEC"
    LICENCE = JhmdbVideo.LICENCE
    NAMED = False

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip in a folder named after a class."""
        return JhmdbVideo.find(raw, layout=layout)
