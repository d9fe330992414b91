"""A JAX program as an ONNX graph: the walk over its equations, names, constants, and sizes known at
run time only.

The converters that others keep do not go with this project's versions: jax2onnx's releases for this
JAX exclude its Orbax, older ones lack primitives, and tf2onnx does not read the StableHLO inside of
a SavedModel made by JAX. What our networks need is `jaxact.export.onnx_operators.RULES`, a rule for
each primitive; what they compute is certified.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

OPSET = 18


class Unsupported(NotImplementedError):
    """A primitive, or a use of one, that has no rule here."""


class Graph:
    """ONNX nodes as they come, and the names under which a program's variables are found.

    Attributes:
      nodes: of this graph; constants and sizes are the root's.
    """

    def __init__(self, rules: dict[str, Callable], root: "Graph | None" = None) -> None:
        self.rules, self.root, self.nodes = rules, root or self, []
        self.constants: dict[str, np.ndarray] = {}
        self._names: dict[Any, str] = {}
        self._narrow: dict[
            str, Sequence[Any]
        ] = {}  # tensors of ones along some axes, and the shape they stand for
        self._count = 0

    # Nodes

    def fresh(self, hint: str) -> str:
        """A name that no other tensor has."""
        self.root._count += 1
        return f"{hint}_{self.root._count}"

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node; returns the name of what it gives, or a list of several."""
        from onnx import helper

        names = [self.fresh(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of a constant."""
        array = np.asarray(value, dtype)
        key = ("constant", str(array.dtype), array.shape, array.tobytes())
        if key not in self.root._names:
            self.root._names[key] = self.fresh("constant")
            self.root.constants[self.root._names[key]] = array
        return self.root._names[key]

    def ints(self, *values: int) -> str:
        """The name of a constant int64 [k]."""
        return self.constant(np.array(values, np.int64))

    # Sizes

    def origin(self, name: str, source: str, axis: int) -> None:
        """The symbolic size `name` is that of the tensor `source` along `axis`."""
        self._names["size", name] = self.add("Shape", source, start=axis, end=axis + 1)

    def size(self, size: Any) -> str:
        """The name of an int64 [1]: a number, or an expression of symbolic sizes such as floordiv(t
        + 1, 2).
        """
        if isinstance(size, int | np.integer):
            return self.ints(int(size))
        if ("size", str(size)) not in self.root._names:
            self.root._names["size", str(size)] = self.root._expression(
                ast.parse(str(size), mode="eval").body
            )
        return self.root._names["size", str(size)]

    def sizes(self, shape: Sequence[Any]) -> str:
        """The name of a shape, int64 [k]."""
        if all(isinstance(size, int | np.integer) for size in shape):
            return self.ints(*map(int, shape))
        key = "shape", str(tuple(shape))
        if key not in self.root._names:
            self.root._names[key] = self.root.add(
                "Concat", *(self.size(size) for size in shape), axis=0
            )
        return self.root._names[key]

    def _expression(self, tree: ast.expr) -> str:
        binary = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}
        calls = {
            "floordiv": "Div",
            "mod": "Mod",
            "max": "Max",
            "min": "Min",
        }  # of sizes, none of which is negative
        match tree:
            case ast.Constant(value=int(value)):
                return self.ints(value)
            case ast.Name(id=name):
                return self._names["size", name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.add("Neg", self._expression(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in binary:
                return self.add(binary[type(op)], self._expression(left), self._expression(right))
            case ast.Call(func=ast.Name(id=name), args=args) if name in calls:
                return self.add(calls[name], *map(self._expression, args))
        raise Unsupported(f"a size {ast.unparse(tree)} has no rule")

    # Variables

    def bind(self, variable: Any, name: str, narrow: bool = False) -> None:
        """A variable of the program is the tensor `name`; `narrow`: but for broadcasting to the
        variable's shape.
        """
        self._names[variable] = name
        if narrow:
            self._narrow[name] = variable.aval.shape

    def narrow(self, variable: Any) -> str:
        """The tensor of a variable, perhaps with sizes of one where an elementwise operation
        repeats it.
        """
        if hasattr(variable, "val"):  # a literal
            return self.constant(variable.val, variable.aval.dtype)
        return self._names[variable]

    def whole(self, variable: Any) -> str:
        """The tensor of a variable in its full shape."""
        name = self.narrow(variable)
        if name in self._narrow:
            name = self.add("Expand", name, self.sizes(self._narrow[name]))
            self._names[variable] = name
        return name

    def is_narrow(self, variable: Any) -> bool:
        """Whether `narrow` gives less than the variable's shape."""
        return self.narrow(variable) in self._narrow

    def run(self, program: Any, arguments: Sequence[str]) -> list[str]:
        """Adds the nodes of a program whose inputs are tensors of these names; returns those of its
        outputs.

        JAX 0.10 has programs with constants (`ClosedJaxpr`) and without (`Jaxpr`); JAX 0.12 has one
        class for both.
        """
        jaxpr, constants = getattr(program, "jaxpr", program), getattr(program, "consts", ())
        for variable, value in zip(jaxpr.constvars, constants, strict=True):
            self.bind(variable, value if isinstance(value, str) else self.constant(value))
        for variable, name in zip(jaxpr.invars, arguments, strict=True):
            self.bind(variable, name)
        for equation in jaxpr.eqns:
            name = equation.primitive.name
            if name not in self.rules:
                raise Unsupported(
                    f"the primitive {name!r} has no rule; there are {', '.join(sorted(self.rules))}"
                )
            self.rules[name](self, equation)
        return [self.whole(variable) for variable in jaxpr.outvars]
