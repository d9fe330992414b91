"""ONNX: one file for onnxruntime, TensorRT, OpenVINO and browsers; input `clips`, output `logits`.

Its metadata is text by name: `labels`, `layout`, `preprocessing` and `licence` as JSON, and all the
metadata under `jaxact`.
"""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jaxact
from jaxact.errors import missing_extra
from jaxact.export.ensemble import Network
from jaxact.export.onnx_graph import OPSET, Graph
from jaxact.export.onnx_operators import RULES

RUNTIME_PACKAGES = ("onnx", "onnxruntime")
_IR_VERSION = 9  # of the file format: as old as the opset, so that older runtimes read it
_AXIS_NAMES = {"n": "n", "t": "frames"}  # of symbolic sizes


def require_packages() -> None:
    """Raises UserError if onnx or onnxruntime is not installed."""
    for package in RUNTIME_PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, "onnx", "exporting to ONNX, and verifying it,")


def format_metadata() -> dict[str, Any]:
    """The metadata of this format."""
    return {
        "format": f"ONNX, opset {OPSET}",
        "load": "onnxruntime.InferenceSession(FILE).run(['logits'], {'clips': clips})[0]",
    }


def convert(network: Network, axes: Sequence[str]) -> Any:
    """The network as an ONNX model, with its weights as initializers.

    Args:
        network: one network or an ensemble.
        axes: input axes that are symbolic.

    Raises:
        Unsupported: a primitive without a rule.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    inputs = network.symbolic(axes)
    program = jax.make_jaxpr(lambda clips: network.apply(network.variables, clips))(inputs)
    graph = Graph(RULES)
    shape = []
    for axis, size in enumerate(inputs.shape):
        if isinstance(size, int):
            shape.append(size)
        else:
            graph.origin(str(size), "clips", axis)
            shape.append(_AXIS_NAMES[str(size)])
    (result,) = graph.run(program, ["clips"])
    graph.nodes.append(helper.make_node("Identity", [result], ["logits"]))
    classes = len(network.nets[0].labels)
    onnx_graph = helper.make_graph(
        graph.nodes,
        "jaxact",
        [helper.make_tensor_value_info("clips", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = helper.make_model(
        onnx_graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="jaxact",
        producer_version=jaxact.__version__,
    )
    checker.check_model(model)
    return model


def write(path: Path, model: Any, meta: dict[str, Any]) -> None:
    """Writes the model with its metadata."""
    from onnx import helper

    texts = {}
    for name in ("labels", "layout", "preprocessing", "licence"):
        texts[name] = json.dumps(meta[name], ensure_ascii=False)
    texts["jaxact"] = json.dumps(meta, ensure_ascii=False)
    helper.set_model_props(model, texts)
    path.write_bytes(model.SerializeToString())


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The file as a function that onnxruntime runs on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def call(clips: np.ndarray) -> Any:
        return session.run(["logits"], {"clips": np.asarray(clips, np.float32)})[0]

    return call
