"""Skeleton datasets: raw files -> prepared records. `prepare` writes them, `read` reads them."""

from jaxact.datasets.builder import SkeletonBuilder
from jaxact.datasets.utd_mhad import UtdMhad

DATASETS: dict[str, type[SkeletonBuilder]] = {
    "utd_mhad": UtdMhad,
}
