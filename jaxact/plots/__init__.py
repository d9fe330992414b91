"""Pictures: training curves, confusion matrices, partitions of a skeleton's graph, skeletons in motion.

Each function takes plain arrays and writes one file, whole or not at all. They need the extra `plot`.
"""

from jaxact.plots.classes import confusion_matrix, per_class_bars
from jaxact.plots.clips import animation
from jaxact.plots.curves import training_curves
from jaxact.plots.partitions import partition
from jaxact.plots.poses import Pose, poses

__all__ = ["Pose", "animation", "confusion_matrix", "partition", "per_class_bars", "poses", "training_curves"]
