"""TensorFlow's SavedModel: a folder for TF Serving and everything that reads SavedModels.

Its signature `serving_default` takes `clips` and gives `logits`; the weights are variables. The
program inside is the StableHLO of `jax.export` in a TensorFlow operation, `XlaCallModule`. jax2tf
builds the same operation, but leaves the program in a StableHLO version that TensorFlow may not
read yet. `meta.json` beside the model holds what the artifact says of itself.
"""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export as jax_export

from jaxact.errors import missing_extra
from jaxact.export.ensemble import Network

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

    clips = network.symbolic(axes)
    exported = jax_export.export(jax.jit(network.apply), platforms=PLATFORMS)(
        network.variables, clips
    )
    weights = jax.tree.map(
        lambda array: tf.Variable(np.asarray(array), trainable=False), network.variables
    )
    leaves = jax.tree.leaves(
        weights
    )  # tf.Module wraps the dictionaries; JAX takes wrappers for leaves
    call = _operation(exported)
    module = tf.Module()
    module.weights = weights
    module.__call__ = tf.function(
        lambda clips: {"logits": call([*leaves, clips])},
        input_signature=[tf.TensorSpec(_tensorflow_shape(clips.shape), tf.float32, name="clips")],
        autograph=False,
    )
    return module


def _operation(exported: jax_export.Exported) -> Callable[[Sequence[Any]], Any]:
    """The program as a TensorFlow operation on the list of its arguments, with one result."""
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.python import xla

    (result,) = exported.out_avals
    program = _readable_by_tensorflow(exported.mlir_module_serialized)

    def call(arguments: Sequence[Any]) -> Any:
        results: Any = xla.call_module(
            [tf.convert_to_tensor(arguments[index]) for index in exported.module_kept_var_idx],
            version=exported.calling_convention_version,
            module=program,
            Tout=[tf.as_dtype(result.dtype)],
            Sout=[_tensorflow_shape(result.shape)],
            platforms=[platform.upper() for platform in exported.platforms],
        )
        return results[0]

    return call


def _readable_by_tensorflow(artifact: bytes) -> bytes:
    """A StableHLO artifact in the newest version that JAX writes and the installed TensorFlow
    reads.
    """
    from jax.extend.mlir.dialects import stablehlo
    from tensorflow.compiler.mlir.stablehlo import stablehlo as tensorflow_stablehlo

    reader: Any = tensorflow_stablehlo  # an extension module, which has no types
    version = stablehlo.get_smaller_version(
        stablehlo.get_current_version(), reader.get_current_version()
    )
    module = stablehlo.deserialize_portable_artifact_str(artifact)
    return stablehlo.serialize_portable_artifact_str(module, version)


def _tensorflow_shape(shape: Sequence[Any]) -> list[int | None]:
    """A shape whose symbolic axes are None."""
    return [size if isinstance(size, int) else None for size in shape]


def write(path: Path, made: Any, meta: dict[str, Any]) -> None:
    """Writes the model into the folder once, and what it says of itself whenever that changes."""
    import tensorflow as tf

    if not (path / "saved_model.pb").exists():
        tf.saved_model.save(made, str(path), signatures={"serving_default": made.__call__})
    (path / META).write_text(
        json.dumps(meta, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The folder's `serving_default` as a function."""
    import tensorflow as tf

    model = tf.saved_model.load(str(path))

    def call(clips: np.ndarray) -> np.ndarray:
        # By way of the model, which keeps the variables alive; its signature alone does not.
        return model.signatures["serving_default"](clips=tf.constant(clips))["logits"].numpy()

    return call
