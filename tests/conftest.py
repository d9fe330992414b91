"""What holds for every test: four simulated CPU devices, strict ranks, quiet TensorFlow.

The settings are environment variables, set before JAX or TensorFlow is imported, so that the
programs which tests start have them too.
"""

import os
from pathlib import Path

from jaxtyping import install_import_hook

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxact" / "xla"

# Tests compile much and compute little: the compiler's optimiser would take half of their time.
FLAGS = "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {FLAGS}".strip()
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("MPLBACKEND", "agg")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))

# An int is accepted where a float is annotated, as PEP 484 says.
TYPECHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"


def pytest_configure(config):
    """A run with the slow tests checks the shapes and types of every call; the checks would
    lengthen the quick tests by a fifth.
    """
    if config.option.markexpr != "not slow":
        install_import_hook("jaxact", TYPECHECKER)


def pytest_collection_modifyitems(items):
    """The file that waits for programs goes first: at the end one worker would wait for the
    other.
    """
    items.sort(key=lambda item: item.path.name != "test_preemption.py")
