"""Pictures: training curves, confusion matrices, partitions of a skeleton's graph, skeletons and
videos in motion and what a network answers to them or attends to in them.

Each function takes plain arrays and writes one file, whole or not at all. They need the extra
`plot`.
"""

from jaxact.plots.activation_map import response
from jaxact.plots.attention_panels import Attention
from jaxact.plots.attentions import attention
from jaxact.plots.confusion import confusion_matrix, per_class_bars
from jaxact.plots.curves import training_curves
from jaxact.plots.keyframes import Row, sheet
from jaxact.plots.partitions import partition
from jaxact.plots.pose_overlay import Overlay, overlays
from jaxact.plots.poses import Pose, poses
from jaxact.plots.recogniser_attention import attention_weights
from jaxact.plots.skeleton_animation import animation
from jaxact.plots.timeline import timeline
from jaxact.plots.video import playback

__all__ = [
    "Attention",
    "Overlay",
    "Pose",
    "Row",
    "animation",
    "attention",
    "attention_weights",
    "confusion_matrix",
    "overlays",
    "partition",
    "per_class_bars",
    "playback",
    "poses",
    "response",
    "sheet",
    "timeline",
    "training_curves",
]
