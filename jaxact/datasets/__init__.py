"""Data sets: builders that turn raw files into prepared records of skeletons, videos or pictures.

`jaxact.datasets.preparation.prepare` writes the records, `jaxact.datasets.records` reads them.
"""

from jaxact.datasets.agcn import Agcn
from jaxact.datasets.coco_keypoints import CocoKeypoints
from jaxact.datasets.ctr import Ctr
from jaxact.datasets.custom import Custom
from jaxact.datasets.hmdb51 import Hmdb51
from jaxact.datasets.jhmdb import Jhmdb
from jaxact.datasets.jhmdb_detected import JhmdbDetected
from jaxact.datasets.jhmdb_pose import JhmdbPose
from jaxact.datasets.jhmdb_video import JhmdbVideo
from jaxact.datasets.kinetics import KineticsSkeleton
from jaxact.datasets.lsp import Lsp
from jaxact.datasets.mpii import Mpii
from jaxact.datasets.msr_action3d import MsrAction3d
from jaxact.datasets.ntu import Ntu60, Ntu120
from jaxact.datasets.nw_ucla import NwUcla
from jaxact.datasets.openpose import Openpose
from jaxact.datasets.preparation.builder import RecordBuilder
from jaxact.datasets.pyskl import Pyskl
from jaxact.datasets.sbu import Sbu
from jaxact.datasets.skeletons_from_video import SkeletonsFromVideo
from jaxact.datasets.stick_figures import StickFigures
from jaxact.datasets.synthetic_actions import SyntheticActions
from jaxact.datasets.ucf101 import Ucf101
from jaxact.datasets.ucf101_32 import Ucf101_32
from jaxact.datasets.utd_mhad import UtdMhad
from jaxact.datasets.utkinect import Utkinect
from jaxact.datasets.video_folder import VideoFolder

DATASETS: dict[str, type[RecordBuilder]] = {
    "agcn": Agcn,
    "coco_keypoints": CocoKeypoints,
    "ctr": Ctr,
    "custom": Custom,
    "hmdb51": Hmdb51,
    "jhmdb": Jhmdb,
    "jhmdb_detected": JhmdbDetected,
    "jhmdb_pose": JhmdbPose,
    "jhmdb_video": JhmdbVideo,
    "kinetics_skeleton": KineticsSkeleton,
    "lsp": Lsp,
    "mpii": Mpii,
    "msr_action3d": MsrAction3d,
    "ntu60": Ntu60,
    "ntu120": Ntu120,
    "nw_ucla": NwUcla,
    "openpose": Openpose,
    "pyskl": Pyskl,
    "sbu": Sbu,
    "skeletons_from_video": SkeletonsFromVideo,
    "stick_figures": StickFigures,
    "synthetic_actions": SyntheticActions,
    "ucf101": Ucf101,
    "ucf101_32": Ucf101_32,
    "utd_mhad": UtdMhad,
    "utkinect": Utkinect,
    "video_folder": VideoFolder,
}
