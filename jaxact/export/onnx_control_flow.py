"""JAX's calls and scans in ONNX."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported


def _call(graph: Graph, equation: Any) -> None:
    """A program within the program, whose nodes are added to the same graph."""
    for parameter in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        if parameter in equation.params:
            break
    else:
        raise Unsupported(f"the call {equation.primitive.name!r} without a program has no rule")
    inputs = [graph.tensor(variable) for variable in equation.invars]
    names = graph.run(equation.params[parameter], inputs)
    for variable, name in zip(equation.outvars, names, strict=True):
        graph.bind(variable, name)


def _scan(graph: Graph, equation: Any) -> None:
    """A loop over the leading axis; its body reads constants from the graph around it."""
    from onnx import helper

    program = equation.params["jaxpr"]
    jaxpr = getattr(program, "jaxpr", program)
    constants, carries = _scan_counts(equation, jaxpr)
    scanned = len(equation.invars) - constants - carries
    stacked = len(equation.outvars) - carries
    if not scanned:
        raise Unsupported("a loop that reads nothing step by step has no rule")
    names = [graph.tensor(variable) for variable in equation.invars]
    body = Graph(graph.rules, graph.root)
    inputs = [graph.fresh("step") for _ in names[constants:]]
    results = body.run(program, [*names[:constants], *inputs])
    # Each output must be made by the body, and only once.
    outputs = [body.add("Identity", name) for name in results]
    body_graph = helper.make_graph(
        body.nodes,
        graph.fresh("body"),
        _tensor_types(inputs, jaxpr.invars[constants:]),
        _tensor_types(outputs, jaxpr.outvars),
    )
    reverse = int(equation.params["reverse"])
    directions = {}
    if stacked:
        directions["scan_output_directions"] = [reverse] * stacked
    tensors = graph.add(
        "Scan",
        *names[constants:],
        outputs=len(outputs),
        body=body_graph,
        num_scan_inputs=scanned,
        scan_input_directions=[reverse] * scanned,
        **directions,
    )
    if len(outputs) == 1:
        tensors = [tensors]
    for variable, name in zip(equation.outvars, tensors, strict=True):
        graph.bind(variable, name)


def _scan_counts(equation: Any, jaxpr: Any) -> tuple[int, int]:
    """Counts the constants and the carries of a scan; its inputs are these, then scanned arrays.

    JAX 0.10 stores both counts in the equation, JAX 0.12 stores trees instead. Ranks work for both:
    a scanned input and a stacked output have one axis more in the equation than in the body.
    """
    scanned = _count_longer(equation.invars, jaxpr.invars)
    carries = len(equation.outvars) - _count_longer(equation.outvars, jaxpr.outvars)
    return len(equation.invars) - scanned - carries, carries


def _count_longer(outer: Sequence[Any], inner: Sequence[Any]) -> int:
    """How many outer variables have more axes than the inner ones at the same position."""
    return sum(one.aval.ndim > other.aval.ndim for one, other in zip(outer, inner, strict=True))


def _tensor_types(names: Sequence[str], variables: Sequence[Any]) -> list[Any]:
    """ONNX descriptions of tensors that have the variables' element types."""
    from onnx import helper

    infos = []
    for name, variable in zip(names, variables, strict=True):
        dtype = helper.np_dtype_to_tensor_dtype(np.dtype(variable.aval.dtype))
        infos.append(helper.make_tensor_value_info(name, dtype, None))
    return infos


RULES: dict[str, Callable[[Graph, Any], None]] = {
    "jit": _call,
    "custom_jvp_call": _call,
    "custom_vjp_call": _call,
    "closed_call": _call,
    "remat2": _call,
    "checkpoint": _call,
    "scan": _scan,
}
