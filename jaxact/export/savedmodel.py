"""TensorFlow's SavedModel: a folder for TF Serving and everything that reads SavedModels.

Its signature `serving_default` maps `clips` to `logits`; the weights are variables. The program is
the StableHLO of `jax.export` in a TensorFlow operation, `XlaCallModule`. jax2tf builds the same
operation, but its StableHLO version may be newer than the one TensorFlow reads. `meta.json` beside
the model holds the metadata.
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
RUNTIME_PACKAGES = ("jaxlib", "tensorflow")
META = "meta.json"


def require_packages() -> None:
    """Raises UserError if TensorFlow is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "exporting a SavedModel")


def format_metadata() -> dict[str, Any]:
    """The metadata of this format."""
    return {
        "format": "TensorFlow SavedModel",
        "platforms": list(PLATFORMS),
        "load": "tf.saved_model.load(FOLDER).signatures['serving_default'](clips=clips)['logits']",
    }


def convert(network: Network, axes: Sequence[str]) -> Any:
    """The network as a `tf.Module` of its weights and the function.

    Args:
        network: one network or an ensemble.
        axes: input axes that are symbolic.
    """
    import tensorflow as tf

    clips = network.symbolic(axes)
    export = jax_export.export(jax.jit(network.apply), platforms=PLATFORMS)
    # Shapes alone: arrays of a checkpoint have a sharding, whose dialect TensorFlow does not read.
    shapes = jax.tree.map(_shape, network.variables)
    call = _operation(export(shapes, clips))

    def variable(array: Any) -> Any:
        return tf.Variable(np.asarray(array), trainable=False)

    weights = jax.tree.map(variable, network.variables)
    # Before tf.Module wraps the dictionaries: JAX would take the wrappers for leaves.
    leaves = jax.tree.leaves(weights)
    module = tf.Module()
    module.weights = weights
    module.__call__ = tf.function(
        lambda clips: {"logits": call([*leaves, clips])},
        input_signature=[tf.TensorSpec(_tensorflow_shape(clips.shape), tf.float32, name="clips")],
        autograph=False,
    )
    return module


def _shape(array: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _operation(exported: jax_export.Exported) -> Callable[[Sequence[Any]], Any]:
    """The program as a TensorFlow operation from a list of arguments to one result."""
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
    """Converts StableHLO to the newest version that JAX writes and TensorFlow reads."""
    from jax.extend.mlir.dialects import stablehlo
    from tensorflow.compiler.mlir.stablehlo import stablehlo as tensorflow_stablehlo

    reader: Any = tensorflow_stablehlo  # an extension module, which has no types
    version = stablehlo.get_smaller_version(
        stablehlo.get_current_version(), reader.get_current_version()
    )
    module = stablehlo.deserialize_portable_artifact_str(artifact)
    return stablehlo.serialize_portable_artifact_str(module, version)


def _tensorflow_shape(shape: Sequence[Any]) -> list[int | None]:
    """A shape with None for each symbolic size."""
    return [size if isinstance(size, int) else None for size in shape]


def write(path: Path, model: Any, meta: dict[str, Any]) -> None:
    """Writes the model, unless it is there already, and its metadata into the folder."""
    import tensorflow as tf

    if not (path / "saved_model.pb").exists():
        tf.saved_model.save(model, str(path), signatures={"serving_default": model.__call__})
    text = json.dumps(meta, indent=2, ensure_ascii=False)
    (path / META).write_text(f"{text}\n", encoding="utf-8")


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The folder's `serving_default` as a function."""
    import tensorflow as tf

    model = tf.saved_model.load(str(path))

    def call(clips: np.ndarray) -> np.ndarray:
        # The model keeps the variables alive; its signature alone does not.
        outputs = model.signatures["serving_default"](clips=tf.constant(clips))
        return outputs["logits"].numpy()

    return call
