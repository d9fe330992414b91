"""Skeleton datasets: raw files -> prepared records. `prepare` writes them, `read` reads them."""

from jaxact.datasets.builder import SkeletonBuilder
from jaxact.datasets.custom import Custom
from jaxact.datasets.jhmdb import Jhmdb
from jaxact.datasets.kinetics import KineticsSkeleton
from jaxact.datasets.ntu import Ntu60, Ntu120
from jaxact.datasets.sbu import Sbu
from jaxact.datasets.synthetic_actions import SyntheticActions
from jaxact.datasets.utd_mhad import UtdMhad

DATASETS: dict[str, type[SkeletonBuilder]] = {
    "custom": Custom,
    "jhmdb": Jhmdb,
    "kinetics_skeleton": KineticsSkeleton,
    "ntu60": Ntu60,
    "ntu120": Ntu120,
    "sbu": Sbu,
    "synthetic_actions": SyntheticActions,
    "utd_mhad": UtdMhad,
}
