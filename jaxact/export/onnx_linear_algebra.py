"""JAX's matrix products and convolutions in ONNX."""

from collections.abc import Callable
from string import ascii_lowercase
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported


def _dot(graph: Graph, equation: Any) -> None:
    """A matrix product, or an einsum for other axes."""
    (left, right), (out,) = equation.invars, equation.outvars
    (contracted, contracted_right), (batch, batch_right) = equation.params["dimension_numbers"]
    names = [graph.tensor(left), graph.tensor(right)]
    last = left.aval.ndim - 1
    if (
        not batch
        and last > 0
        and right.aval.ndim == 2
        and contracted == (last,)
        and contracted_right == (0,)
    ):
        graph.bind(out, graph.add("MatMul", *names))
        return
    letters = iter(ascii_lowercase)
    left_letters = [next(letters) for _ in range(left.aval.ndim)]
    shared = dict(zip((*batch_right, *contracted_right), (*batch, *contracted), strict=True))
    right_letters = []
    for axis in range(right.aval.ndim):
        letter = left_letters[shared[axis]] if axis in shared else next(letters)
        right_letters.append(letter)
    result = [left_letters[axis] for axis in batch]
    result += [letter for letter in left_letters if letter not in right_letters]
    result += [letter for letter in right_letters if letter not in left_letters]
    formula = f"{''.join(left_letters)},{''.join(right_letters)}->{''.join(result)}"
    graph.bind(out, graph.add("Einsum", *names, equation=formula))


def _convolution(graph: Graph, equation: Any) -> None:
    params = equation.params
    source, kernel = equation.invars
    numbers = params["dimension_numbers"]
    if any(step != 1 for step in params["lhs_dilation"]) or params["batch_group_count"] != 1:
        raise Unsupported("a transposed convolution has no rule")
    name = graph.add("Transpose", graph.tensor(source), perm=list(numbers.lhs_spec))
    weights = graph.add("Transpose", graph.tensor(kernel), perm=list(numbers.rhs_spec))
    pads = params["padding"]
    name = graph.add(
        "Conv",
        name,
        weights,
        strides=list(params["window_strides"]),
        pads=[low for low, _ in pads] + [high for _, high in pads],
        dilations=list(params["rhs_dilation"]),
        group=params["feature_group_count"],
    )
    permutation = np.argsort(numbers.out_spec).tolist()
    graph.bind(equation.outvars[0], graph.add("Transpose", name, perm=permutation))


RULES: dict[str, Callable[[Graph, Any], None]] = {
    "dot_general": _dot,
    "conv_general_dilated": _convolution,
}
