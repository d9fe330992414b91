"""Elementwise JAX primitives in ONNX, whose operators broadcast sizes of one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported

Rule = Callable[[Graph, Any], None]
Constant = Callable[[float], str]


def _elementwise(kind: str) -> Rule:
    """The rule of a primitive that is one ONNX operator."""

    def rule(graph: Graph, equation: Any) -> None:
        inputs = [graph.broadcastable(variable) for variable in equation.invars]
        _bind(graph, equation, graph.add(kind, *inputs))

    return rule


def _composed(build: Callable[..., str]) -> Rule:
    """The rule of a primitive that is several ONNX operators.

    Args:
        build: adds the operators: `build(graph, constant, *inputs)`, where `constant` makes a
          scalar of the output's type. Returns the name of the output.
    """

    def rule(graph: Graph, equation: Any) -> None:
        inputs = [graph.broadcastable(variable) for variable in equation.invars]
        dtype = equation.outvars[0].aval.dtype

        def constant(value: float) -> str:
            return graph.constant(value, dtype)

        _bind(graph, equation, build(graph, constant, *inputs))

    return rule


def _bind(graph: Graph, equation: Any, name: str) -> None:
    """Binds the only output, which needs broadcasting if all inputs do."""
    (out,) = equation.outvars
    arrays = [variable for variable in equation.invars if variable.aval.shape]
    broadcast = bool(arrays) and all(graph.needs_broadcast(variable) for variable in arrays)
    graph.bind(out, name, broadcast=broadcast)


def _logical(kind: str) -> Rule:
    """The rule of a logical operator, which JAX also applies bitwise to integers."""

    def rule(graph: Graph, equation: Any) -> None:
        if any(variable.aval.dtype != bool for variable in equation.invars):
            raise Unsupported(f"{equation.primitive.name!r} of numbers has no rule")
        _elementwise(kind)(graph, equation)

    return rule


def _integer_pow(graph: Graph, equation: Any) -> None:
    (x,) = equation.invars
    power = graph.constant(equation.params["y"], x.aval.dtype)
    _bind(graph, equation, graph.add("Pow", graph.broadcastable(x), power))


def _select(graph: Graph, equation: Any) -> None:
    condition, *cases = equation.invars
    if condition.aval.dtype != bool or len(cases) != 2:
        raise Unsupported("a choice among more than two has no rule")
    if_false, if_true = map(graph.broadcastable, cases)
    name = graph.add("Where", graph.broadcastable(condition), if_true, if_false)
    _bind(graph, equation, name)


def _cast(graph: Graph, equation: Any) -> None:
    name = graph.broadcastable(equation.invars[0])
    _bind(graph, equation, graph.cast(name, equation.outvars[0].aval.dtype))


def _not_equal(graph: Graph, constant: Constant, x: str, y: str) -> str:
    return graph.add("Not", graph.add("Equal", x, y))


def _remainder(graph: Graph, constant: Constant, x: str, y: str) -> str:
    return graph.add("Mod", x, y, fmod=1)


def _rsqrt(graph: Graph, constant: Constant, x: str) -> str:
    return graph.add("Reciprocal", graph.add("Sqrt", x))


def _square(graph: Graph, constant: Constant, x: str) -> str:
    return graph.add("Mul", x, x)


def _expm1(graph: Graph, constant: Constant, x: str) -> str:
    return graph.add("Sub", graph.add("Exp", x), constant(1))


def _log1p(graph: Graph, constant: Constant, x: str) -> str:
    return graph.add("Log", graph.add("Add", x, constant(1)))


def _atan2(graph: Graph, constant: Constant, y: str, x: str) -> str:
    """The angle of (x, y) from the arc tangent of its slope; 0 at the origin."""
    add = graph.add
    zero = constant(0.0)
    vertical = add("Equal", x, zero)
    slope = add("Atan", add("Div", y, add("Where", vertical, constant(1.0), x)))
    # 1 / y is negative for y = -0 too.
    negative = add("Or", add("Less", y, zero), add("Less", add("Reciprocal", y), zero))
    turn = add("Where", negative, constant(-np.pi), constant(np.pi))
    turned = add("Add", slope, turn)
    right_angle = add("Mul", add("Sign", y), constant(np.pi / 2))
    oblique = add("Where", add("Less", x, zero), turned, slope)
    return add("Where", vertical, right_angle, oblique)


RULES: dict[str, Rule] = {
    "add": _elementwise("Add"),
    "sub": _elementwise("Sub"),
    "mul": _elementwise("Mul"),
    "div": _elementwise("Div"),
    "max": _elementwise("Max"),
    "min": _elementwise("Min"),
    "pow": _elementwise("Pow"),
    "neg": _elementwise("Neg"),
    "exp": _elementwise("Exp"),
    "log": _elementwise("Log"),
    "tanh": _elementwise("Tanh"),
    "sqrt": _elementwise("Sqrt"),
    "abs": _elementwise("Abs"),
    "sign": _elementwise("Sign"),
    "floor": _elementwise("Floor"),
    "ceil": _elementwise("Ceil"),
    "sin": _elementwise("Sin"),
    "cos": _elementwise("Cos"),
    "erf": _elementwise("Erf"),
    "logistic": _elementwise("Sigmoid"),
    "lt": _elementwise("Less"),
    "gt": _elementwise("Greater"),
    "le": _elementwise("LessOrEqual"),
    "ge": _elementwise("GreaterOrEqual"),
    "eq": _elementwise("Equal"),
    "ne": _composed(_not_equal),
    "and": _logical("And"),
    "or": _logical("Or"),
    "not": _logical("Not"),
    "rem": _composed(_remainder),
    "rsqrt": _composed(_rsqrt),
    "square": _composed(_square),
    "expm1": _composed(_expm1),
    "log1p": _composed(_log1p),
    "atan2": _composed(_atan2),
    "integer_pow": _integer_pow,
    "select_n": _select,
    "convert_element_type": _cast,
}
