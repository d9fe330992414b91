"""ONNX: one file for onnxruntime, TensorRT, OpenVINO and browsers; input `clips`, output `logits`.

Its metadata are text by name: `labels`, `layout`, `preprocessing` and `licence` as JSON, and all of
it with the certificate under `jaxact`.
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

RUNTIME = ("onnx", "onnxruntime")
_IR = 9  # version of the file format: that of the opset's time, which older runtimes read too


def need() -> None:
    """Raises UserError where onnx or onnxruntime is not installed."""
    for package in RUNTIME:
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, "onnx", "exporting to ONNX, and proving it,")


def about(out: Path) -> dict[str, Any]:
    """What this format adds to the artifact's description."""
    return {
        "format": f"ONNX, opset {OPSET}",
        "load": "onnxruntime.InferenceSession(FILE).run(['logits'], {'clips': clips})[0]",
    }


def convert(network: Network, axes: Sequence[str]) -> Any:
    """The model, its weights within."""
    from onnx import TensorProto, checker, helper, numpy_helper

    inputs = network.symbolic(axes)
    program = jax.make_jaxpr(lambda clips: network.apply(network.variables, clips))(inputs)
    graph = Graph(RULES)
    for axis, size in enumerate(inputs.shape):
        if not isinstance(size, int):
            graph.origin(str(size), "clips", axis)
    (result,) = graph.run(program, ["clips"])
    graph.nodes.append(helper.make_node("Identity", [result], ["logits"]))
    names = [
        size if isinstance(size, int) else {"n": "n", "t": "frames"}[str(size)]
        for size in inputs.shape
    ]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "jaxact",
            [helper.make_tensor_value_info("clips", TensorProto.FLOAT, names)],
            [
                helper.make_tensor_value_info(
                    "logits", TensorProto.FLOAT, ["n", len(network.nets[0].labels)]
                )
            ],
            [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR,
        producer_name="jaxact",
        producer_version=jaxact.__version__,
    )
    checker.check_model(model)
    return model


def write(path: Path, made: Any, meta: dict[str, Any]) -> None:
    """Writes the file."""
    from onnx import helper

    texts = {name: meta[name] for name in ("labels", "layout", "preprocessing", "licence")} | {
        "jaxact": meta
    }
    helper.set_model_props(
        made, {name: json.dumps(value, ensure_ascii=False) for name, value in texts.items()}
    )
    path.write_bytes(made.SerializeToString())


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The file as onnxruntime runs it on this machine's processor."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda clips: session.run(["logits"], {"clips": np.asarray(clips, np.float32)})[0]
