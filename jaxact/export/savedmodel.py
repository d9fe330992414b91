"""TensorFlow's SavedModel through jax2tf: a folder for TF Serving and everything that reads SavedModels.

Its signature `serving_default` takes `clips` and gives `logits`; the weights are variables. The program inside is the
StableHLO of `jaxact.export.stablehlo`. `meta.json` beside it holds what the artifact says of itself.
"""

import importlib.util
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxact.errors import missing_extra
from jaxact.export.networks import Network

PLATFORMS = ("cpu", "cuda", "tpu")
RUNTIME = ("jaxlib", "tensorflow")
META = "meta.json"


def need() -> None:
    """Raises UserError where TensorFlow is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "exporting a SavedModel")


def about(out: Path) -> dict[str, Any]:
    """What this format adds to the artifact's description."""
    return {
        "format": "TensorFlow SavedModel",
        "platforms": list(PLATFORMS),
        "load": "tf.saved_model.load(FOLDER).signatures['serving_default'](clips=clips)['logits']",
    }


def convert(network: Network, axes: Sequence[str]) -> Any:
    """A `tf.Module` that holds the weights and the function."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that jax2tf loads
        from jax.experimental import jax2tf
    shape = network.symbolic(axes).shape
    function = jax2tf.convert(
        network.apply,
        polymorphic_shapes=[None, f"({', '.join(map(str, shape))})"],
        polymorphic_constraints=[f"{name} >= 1" for name in map(str, shape) if name.isalpha()],
        with_gradient=False,
        native_serialization_platforms=PLATFORMS,
    )
    module = tf.Module()
    module.weights = jax.tree.map(lambda array: tf.Variable(np.asarray(array), trainable=False), network.variables)
    spec = tf.TensorSpec([size if isinstance(size, int) else None for size in shape], tf.float32, name="clips")
    module.__call__ = tf.function(
        lambda clips: {"logits": function(module.weights, clips)}, input_signature=[spec], autograph=False
    )
    return module


def write(path: Path, made: Any, meta: dict[str, Any]) -> None:
    """Writes the model into the folder once, and what it says of itself whenever that changes."""
    import tensorflow as tf

    if not (path / "saved_model.pb").exists():
        tf.saved_model.save(made, str(path), signatures={"serving_default": made.__call__})
    (path / META).write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The folder's `serving_default` as a function."""
    import tensorflow as tf

    model = tf.saved_model.load(str(path))

    def call(clips: np.ndarray) -> np.ndarray:
        # By way of the model, which keeps the variables alive; its signature alone does not.
        return model.signatures["serving_default"](clips=tf.constant(clips))["logits"].numpy()

    return call
