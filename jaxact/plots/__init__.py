"""Figures: training curves, confusion matrices, graph partitions, skeletons, videos, attention.

Each function takes plain arrays and writes one file, atomically. The extra `plot` is needed.
"""

from jaxact.plots.activation_map import activation_map
from jaxact.plots.attention_figure import attention
from jaxact.plots.attention_maps import AttentionMaps
from jaxact.plots.class_accuracy import per_class_bars
from jaxact.plots.confusion_matrix import confusion_matrix
from jaxact.plots.curves import training_curves
from jaxact.plots.keyframes import KeyframeRow, keyframe_sheet
from jaxact.plots.partitions import partition
from jaxact.plots.pose_overlay import PoseOverlay, pose_overlays
from jaxact.plots.poses import PosePanel, poses
from jaxact.plots.recogniser_attention import attention_weights
from jaxact.plots.skeleton_animation import animation
from jaxact.plots.timeline import timeline
from jaxact.plots.video import playback

__all__ = [
    "AttentionMaps",
    "KeyframeRow",
    "PoseOverlay",
    "PosePanel",
    "activation_map",
    "animation",
    "attention",
    "attention_weights",
    "confusion_matrix",
    "keyframe_sheet",
    "partition",
    "per_class_bars",
    "playback",
    "pose_overlays",
    "poses",
    "timeline",
    "training_curves",
]
