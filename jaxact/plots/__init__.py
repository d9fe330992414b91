"""Pictures: training curves, confusion matrices, partitions of a skeleton's graph, skeletons and videos in motion
and what a network answers to them or attends to in them.

Each function takes plain arrays and writes one file, whole or not at all. They need the extra `plot`.
"""

from jaxact.plots.attended import Attention
from jaxact.plots.attentions import attention
from jaxact.plots.classes import confusion_matrix, per_class_bars
from jaxact.plots.clips import animation
from jaxact.plots.curves import training_curves
from jaxact.plots.footage import playback
from jaxact.plots.overlays import Overlay, overlays
from jaxact.plots.partitions import partition
from jaxact.plots.poses import Pose, poses
from jaxact.plots.responses import response
from jaxact.plots.sheet import Row, sheet
from jaxact.plots.timeline import timeline
from jaxact.plots.weights import attention_weights

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
