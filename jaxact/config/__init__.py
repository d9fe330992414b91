"""The options of a run: sections with defaults, config files, protocols, command-line overrides."""

from jaxact.config.arguments import Selection, choose
from jaxact.config.inputs import AugmentConfig, ClipConfig, VideoAugmentConfig, VideoClipConfig
from jaxact.config.loading import check, from_dict, load, override, to_dict
from jaxact.config.losses import (
    CrossEntropyLossConfig,
    DisplacementLossConfig,
    PoseLossConfig,
    SegmentLossConfig,
)
from jaxact.config.pose_model import PoseAugmentConfig, PoseClipConfig, PoseConfig
from jaxact.config.protocols import follow
from jaxact.config.skeleton_models import (
    STAGCN_SYSTEMS,
    ASGCNConfig,
    CausalSTGCNConfig,
    CTRGCNConfig,
    DisplacementConfig,
    LocalConfig,
    LSTMConfig,
    RecogniserConfig,
    STAGCNConfig,
    STALSTMConfig,
    STGCNConfig,
    STGCNPPConfig,
    TCNConfig,
)
from jaxact.config.training import DataConfig, OptimConfig, TrainConfig, kind
from jaxact.config.video_models import SCXCEPTION_SYSTEMS, SCXceptionConfig, TSNConfig

__all__ = [
    "SCXCEPTION_SYSTEMS",
    "STAGCN_SYSTEMS",
    "ASGCNConfig",
    "AugmentConfig",
    "CTRGCNConfig",
    "CausalSTGCNConfig",
    "ClipConfig",
    "CrossEntropyLossConfig",
    "DataConfig",
    "DisplacementConfig",
    "DisplacementLossConfig",
    "LSTMConfig",
    "LocalConfig",
    "OptimConfig",
    "PoseAugmentConfig",
    "PoseClipConfig",
    "PoseConfig",
    "PoseLossConfig",
    "RecogniserConfig",
    "SCXceptionConfig",
    "STAGCNConfig",
    "STALSTMConfig",
    "STGCNConfig",
    "STGCNPPConfig",
    "SegmentLossConfig",
    "Selection",
    "TCNConfig",
    "TSNConfig",
    "TrainConfig",
    "VideoAugmentConfig",
    "VideoClipConfig",
    "check",
    "choose",
    "follow",
    "from_dict",
    "kind",
    "load",
    "override",
    "to_dict",
]
