"""An ONNX graph made of a JAX program: its nodes, names, constants and symbolic sizes.

The converters of other projects do not work with this project's versions: jax2onnx's releases for
this JAX exclude its Orbax, older ones lack primitives, and tf2onnx does not read the StableHLO in a
SavedModel made by JAX. `jaxact.export.onnx_operators.RULES` has a rule for each primitive that this
project's networks use; every exported network is compared with the original.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

OPSET = 18

_OPERATORS = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}
# Functions of symbolic sizes; no size is negative.
_FUNCTIONS = {"floordiv": "Div", "mod": "Mod", "max": "Max", "min": "Min"}


class Unsupported(NotImplementedError):
    """A primitive, or a use of one, that has no rule."""


class Graph:
    """ONNX nodes in order, and the tensor names of a program's variables.

    Attributes:
        rules: functions of the graph and an equation, by the primitive's name.
        root: the outermost graph, which holds the constants and the symbolic sizes.
        nodes: the nodes of this graph.
    """

    def __init__(self, rules: dict[str, Callable], root: "Graph | None" = None) -> None:
        self.rules = rules
        self.root = root or self
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self._names: dict[Any, str] = {}
        # Full shapes of tensors whose size is one along the axes that are still to be broadcast.
        self._full_shapes: dict[str, Sequence[Any]] = {}
        self._count = 0

    # Nodes

    def fresh(self, prefix: str) -> str:
        """A name that no other tensor has."""
        self.root._count += 1
        return f"{prefix}_{self.root._count}"

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node; returns the name of its output, or a list of several names."""
        from onnx import helper

        names = [self.fresh(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        if outputs == 1:
            return names[0]
        return names

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of a constant."""
        array = np.asarray(value, dtype)
        key = ("constant", str(array.dtype), array.shape, array.tobytes())
        if key not in self.root._names:
            name = self.fresh("constant")
            self.root._names[key] = name
            self.root.constants[name] = array
        return self.root._names[key]

    def ints(self, *values: int) -> str:
        """The name of a constant int64 [k]."""
        return self.constant(np.array(values, np.int64))

    def cast(self, name: str, dtype: Any) -> str:
        """Adds a cast of a tensor to a NumPy dtype."""
        from onnx import helper

        return self.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def reshape(self, name: str, shape: Sequence[Any]) -> str:
        """Adds a reshape; a single symbolic size becomes -1, which ONNX infers."""
        symbolic = [size for size in shape if not isinstance(size, int | np.integer)]
        if len(symbolic) != 1:
            return self.add("Reshape", name, self.sizes(shape))
        sizes = [-1 if size in symbolic else int(size) for size in shape]
        return self.add("Reshape", name, self.ints(*sizes))

    # Sizes

    def origin(self, name: str, source: str, axis: int) -> None:
        """Declares the symbolic size `name` as that of the tensor `source` along `axis`."""
        self._names["size", name] = self.add("Shape", source, start=axis, end=axis + 1)

    def size(self, size: Any) -> str:
        """The name of an int64 [1]: a number, or an expression such as floordiv(t + 1, 2)."""
        if isinstance(size, int | np.integer):
            return self.ints(int(size))
        key = "size", str(size)
        if key not in self.root._names:
            expression = ast.parse(str(size), mode="eval").body
            self.root._names[key] = self.root._expression(expression)
        return self.root._names[key]

    def sizes(self, shape: Sequence[Any]) -> str:
        """The name of a shape, int64 [k]."""
        if all(isinstance(size, int | np.integer) for size in shape):
            return self.ints(*map(int, shape))
        key = "shape", str(tuple(shape))
        if key not in self.root._names:
            names = [self.size(size) for size in shape]
            self.root._names[key] = self.root.add("Concat", *names, axis=0)
        return self.root._names[key]

    def _expression(self, tree: ast.expr) -> str:
        match tree:
            case ast.Constant(value=int(value)):
                return self.ints(value)
            case ast.Name(id=name):
                return self._names["size", name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.add("Neg", self._expression(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                kind = _OPERATORS[type(op)]
                return self.add(kind, self._expression(left), self._expression(right))
            case ast.Call(func=ast.Name(id=name), args=args) if name in _FUNCTIONS:
                return self.add(_FUNCTIONS[name], *map(self._expression, args))
        raise Unsupported(f"a size {ast.unparse(tree)} has no rule")

    # Variables

    def bind(self, variable: Any, name: str, broadcast: bool = False) -> None:
        """Names the tensor of a program's variable.

        Args:
            variable: of the JAX program.
            name: the tensor's name.
            broadcast: the tensor still has to be broadcast to the variable's shape.
        """
        self._names[variable] = name
        if broadcast:
            self._full_shapes[name] = variable.aval.shape

    def broadcastable(self, variable: Any) -> str:
        """The tensor of a variable for an operation that broadcasts; some sizes may be one."""
        if hasattr(variable, "val"):  # a literal
            return self.constant(variable.val, variable.aval.dtype)
        return self._names[variable]

    def tensor(self, variable: Any) -> str:
        """The tensor of a variable in its full shape."""
        name = self.broadcastable(variable)
        if name in self._full_shapes:
            name = self.add("Expand", name, self.sizes(self._full_shapes[name]))
            self._names[variable] = name
        return name

    def needs_broadcast(self, variable: Any) -> bool:
        """Whether `broadcastable` gives a smaller tensor than `tensor`."""
        return self.broadcastable(variable) in self._full_shapes

    def run(self, program: Any, arguments: Sequence[str]) -> list[str]:
        """Adds the nodes of a JAX program.

        JAX 0.10 has programs with constants (`ClosedJaxpr`) and without (`Jaxpr`); JAX 0.12 has one
        class for both.

        Args:
            program: the jaxpr.
            arguments: tensor names of its inputs.

        Returns:
            Tensor names of its outputs.

        Raises:
            Unsupported: a primitive without a rule.
        """
        jaxpr = getattr(program, "jaxpr", program)
        constants = getattr(program, "consts", ())
        for variable, value in zip(jaxpr.constvars, constants, strict=True):
            name = value if isinstance(value, str) else self.constant(value)
            self.bind(variable, name)
        for variable, name in zip(jaxpr.invars, arguments, strict=True):
            self.bind(variable, name)
        for equation in jaxpr.eqns:
            primitive = equation.primitive.name
            if primitive not in self.rules:
                available = ", ".join(sorted(self.rules))
                raise Unsupported(f"the primitive {primitive!r} has no rule; there are {available}")
            self.rules[primitive](self, equation)
        return [self.tensor(variable) for variable in jaxpr.outvars]
