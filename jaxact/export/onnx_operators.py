"""How each JAX primitive is said in ONNX. A rule takes the graph and an equation and binds the
equation's outputs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported

Rule = Callable[[Graph, Any], None]


def _elementwise(kind: str) -> Rule:
    """An operation that repeats sizes of one by itself."""

    def rule(graph: Graph, equation: Any) -> None:
        _bind_elementwise(graph, equation, graph.add(kind, *map(graph.narrow, equation.invars)))

    return rule


def _composed(build: Callable[..., str]) -> Rule:
    """An elementwise operation of several nodes: `build(graph, *names)` with tensors of the
    output's type.
    """

    def rule(graph: Graph, equation: Any) -> None:
        names = [graph.narrow(variable) for variable in equation.invars]
        one = lambda value: graph.constant(value, equation.outvars[0].aval.dtype)  # noqa: E731
        _bind_elementwise(graph, equation, build(graph, one, *names))

    return rule


def _bind_elementwise(graph: Graph, equation: Any, name: str) -> None:
    (out,) = equation.outvars
    shaped = [variable for variable in equation.invars if variable.aval.shape]
    graph.bind(
        out, name, narrow=bool(shaped) and all(graph.is_narrow(variable) for variable in shaped)
    )


def _atan2(graph: Graph, one: Callable, y: str, x: str) -> str:
    """The angle of (x, y) from the arc tangent of its slope; 0 at the origin."""
    add, zero = graph.add, one(0.0)
    upright = add("Equal", x, zero)
    slope = add("Atan", add("Div", y, add("Where", upright, one(1.0), x)))
    below = add(
        "Or", add("Less", y, zero), add("Less", add("Reciprocal", y), zero)
    )  # so that -0 is below
    behind = add("Add", slope, add("Where", below, one(-np.pi), one(np.pi)))
    straight = add("Mul", add("Sign", y), one(np.pi / 2))
    return add("Where", upright, straight, add("Where", add("Less", x, zero), behind, slope))


def _integer_pow(graph: Graph, equation: Any) -> None:
    (x,) = equation.invars
    power = graph.constant(equation.params["y"], x.aval.dtype)
    _bind_elementwise(graph, equation, graph.add("Pow", graph.narrow(x), power))


def _logical(kind: str) -> Rule:
    def rule(graph: Graph, equation: Any) -> None:
        if any(variable.aval.dtype != bool for variable in equation.invars):
            raise Unsupported(f"{equation.primitive.name!r} of numbers has no rule")
        _elementwise(kind)(graph, equation)

    return rule


def _same(graph: Graph, equation: Any) -> None:
    for given, out in zip(equation.invars, equation.outvars, strict=True):
        graph.bind(out, graph.whole(given))


def _select(graph: Graph, equation: Any) -> None:
    which, *cases = equation.invars
    if which.aval.dtype != bool or len(cases) != 2:
        raise Unsupported("a choice among more than two has no rule")
    no, yes = map(graph.narrow, cases)
    _bind_elementwise(graph, equation, graph.add("Where", graph.narrow(which), yes, no))


def _cast(graph: Graph, equation: Any) -> None:
    _bind_elementwise(
        graph,
        equation,
        _as(graph, graph.narrow(equation.invars[0]), equation.outvars[0].aval.dtype),
    )


def _as(graph: Graph, name: str, dtype: Any) -> str:
    from onnx import helper

    return graph.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _reshaped(graph: Graph, name: str, shape: Sequence[Any]) -> str:
    """A size that is symbolic alone is what remains, -1."""
    open_ = [size for size in shape if not isinstance(size, int | np.integer)]
    sizes = (
        graph.ints(*(-1 if size in open_ else int(size) for size in shape))
        if len(open_) == 1
        else None
    )
    return graph.add("Reshape", name, sizes or graph.sizes(shape))


def _reshape(graph: Graph, equation: Any) -> None:
    (out,) = equation.outvars
    graph.bind(out, _reshaped(graph, graph.whole(equation.invars[0]), out.aval.shape))


def _broadcast(graph: Graph, equation: Any) -> None:
    (given, *_), (out,) = equation.invars, equation.outvars
    axes, shape = equation.params["broadcast_dimensions"], out.aval.shape
    name = graph.whole(given)
    if missing := [axis for axis in range(len(shape)) if axis not in axes]:
        name = graph.add("Unsqueeze", name, graph.ints(*missing))
    there = dict(zip(axes, given.aval.shape, strict=True))
    same = all(there.get(axis, 1) == size for axis, size in enumerate(shape))
    graph.bind(out, name, narrow=not same)


def _transpose(graph: Graph, equation: Any) -> None:
    name = graph.add(
        "Transpose", graph.whole(equation.invars[0]), perm=list(equation.params["permutation"])
    )
    graph.bind(equation.outvars[0], name)


def _concatenate(graph: Graph, equation: Any) -> None:
    names = [graph.whole(variable) for variable in equation.invars]
    graph.bind(equation.outvars[0], graph.add("Concat", *names, axis=equation.params["dimension"]))


def _stack(graph: Graph, equation: Any) -> None:
    axis = equation.params["axis"]
    names = [
        graph.add("Unsqueeze", graph.whole(variable), graph.ints(axis))
        for variable in equation.invars
    ]
    graph.bind(equation.outvars[0], graph.add("Concat", *names, axis=axis))


def _split(graph: Graph, equation: Any) -> None:
    name, sizes = graph.whole(equation.invars[0]), graph.ints(*map(int, equation.params["sizes"]))
    outputs = len(equation.outvars)
    names = graph.add("Split", name, sizes, axis=equation.params["axis"], outputs=outputs)
    for variable, part in zip(equation.outvars, [names] if outputs == 1 else names, strict=True):
        graph.bind(variable, part)


def _pad(graph: Graph, equation: Any) -> None:
    given, value = equation.invars
    low, high, interior = zip(*equation.params["padding_config"], strict=True)
    if any(interior):
        raise Unsupported("padding between elements has no rule")
    if min(*low, *high, 0) < 0:
        raise Unsupported("padding that takes away has no rule")
    name = graph.add("Pad", graph.whole(given), graph.sizes([*low, *high]), graph.narrow(value))
    graph.bind(equation.outvars[0], name)


def _sliced(graph: Graph, name: str, starts: Any, limits: Any, steps: Any) -> str:
    axes = graph.ints(*range(len(starts)))
    return graph.add(
        "Slice", name, graph.sizes(starts), graph.sizes(limits), axes, graph.ints(*steps)
    )


def _slice(graph: Graph, equation: Any) -> None:
    given, params = equation.invars[0], equation.params
    starts, limits = params["start_indices"], params["limit_indices"]
    steps = params["strides"] or (1,) * len(starts)
    graph.bind(equation.outvars[0], _sliced(graph, graph.whole(given), starts, limits, steps))


def _reverse(graph: Graph, equation: Any) -> None:
    axes = equation.params["dimensions"]
    each = [graph.ints(*(value for _ in axes)) for value in (-1, np.iinfo(np.int64).min, -1)]
    name = graph.add(
        "Slice", graph.whole(equation.invars[0]), each[0], each[1], graph.ints(*axes), each[2]
    )
    graph.bind(equation.outvars[0], name)


def _gather(graph: Graph, equation: Any) -> None:
    """Whole slices at given places of one or several axes, which then give way to the axes of the
    places.
    """
    (given, places), (out,) = equation.invars, equation.outvars
    numbers, wanted = equation.params["dimension_numbers"], list(equation.params["slice_sizes"])
    axes, batch = list(numbers.start_index_map), list(numbers.operand_batching_dims)
    rest = [axis for axis in range(given.aval.ndim) if axis not in (*axes, *batch)]
    shape = given.aval.shape
    kept = [axis for axis in axes if axis not in numbers.collapsed_slice_dims]
    if any(wanted[axis] != 1 for axis in axes) or any(wanted[axis] != shape[axis] for axis in rest):
        return _window(graph, equation, axes)
    name = graph.add("Transpose", graph.whole(given), perm=[*batch, *axes, *rest])
    leading = places.aval.ndim - 1
    same = list(numbers.start_indices_batching_dims)
    ordered = [*same, *(axis for axis in range(leading) if axis not in same)]
    index = graph.add(
        "Transpose", _as(graph, graph.whole(places), np.int64), perm=[*ordered, leading]
    )
    name = graph.add("GatherND", name, index, batch_dims=len(batch))
    # Now the axes of the places come first, then the rest; axes of size one that stay are put among
    # the rest.
    among = sorted([*rest, *kept])
    if kept:
        name = graph.add(
            "Unsqueeze", name, graph.ints(*(leading + among.index(axis) for axis in kept))
        )
    offsets = list(numbers.offset_dims)
    others = [axis for axis in range(out.aval.ndim) if axis not in offsets]
    place = {axis: ordered.index(number) for number, axis in enumerate(others)}
    place |= {axis: leading + number for number, axis in enumerate(offsets)}
    graph.bind(
        out, graph.add("Transpose", name, perm=[place[axis] for axis in range(out.aval.ndim)])
    )


def _window(graph: Graph, equation: Any, axes: Sequence[int]) -> None:
    """A gather of one window that begins at a place known at run time."""
    (given, places), sizes = equation.invars, equation.params["slice_sizes"]
    numbers = equation.params["dimension_numbers"]
    if places.aval.ndim != 1 or numbers.operand_batching_dims:
        raise Unsupported("a gather of several windows has no rule")
    start = _as(graph, graph.whole(places), np.int64)
    end = graph.add("Add", start, graph.sizes([sizes[axis] for axis in axes]))
    name, shape = graph.whole(given), given.aval.shape
    if any(sizes[axis] != shape[axis] for axis in range(len(shape)) if axis not in axes):
        raise Unsupported("a gather of parts of other axes has no rule")
    name = graph.add("Slice", name, start, end, graph.ints(*axes))
    graph.bind(equation.outvars[0], _reshaped(graph, name, equation.outvars[0].aval.shape))


def _dot(graph: Graph, equation: Any) -> None:
    (left, right), (out,) = equation.invars, equation.outvars
    (contracted, contracted_right), (batch, batch_right) = equation.params["dimension_numbers"]
    names, rank = [graph.whole(left), graph.whole(right)], (left.aval.ndim, right.aval.ndim)
    plain = not batch and rank[1] == 2 and contracted == (rank[0] - 1,) and contracted_right == (0,)
    if plain and rank[0] > 1:
        return graph.bind(out, graph.add("MatMul", *names))
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    one = [next(letters) for _ in range(rank[0])]
    shared = dict(zip((*batch_right, *contracted_right), (*batch, *contracted), strict=True))
    other = [one[shared[axis]] if axis in shared else next(letters) for axis in range(rank[1])]
    free = (
        [letter for letter in one if letter not in other],
        [letter for letter in other if letter not in one],
    )
    result = "".join([*(one[axis] for axis in batch), *free[0], *free[1]])
    return graph.bind(
        out, graph.add("Einsum", *names, equation=f"{''.join(one)},{''.join(other)}->{result}")
    )


def _convolution(graph: Graph, equation: Any) -> None:
    params, (given, kernel) = equation.params, equation.invars
    numbers = params["dimension_numbers"]
    if any(step != 1 for step in params["lhs_dilation"]) or params["batch_group_count"] != 1:
        raise Unsupported("a transposed convolution has no rule")
    name = graph.add("Transpose", graph.whole(given), perm=list(numbers.lhs_spec))
    weights = graph.add("Transpose", graph.whole(kernel), perm=list(numbers.rhs_spec))
    name = graph.add(
        "Conv",
        name,
        weights,
        strides=list(params["window_strides"]),
        pads=[low for low, _ in params["padding"]] + [high for _, high in params["padding"]],
        dilations=list(params["rhs_dilation"]),
        group=params["feature_group_count"],
    )
    back = np.argsort(numbers.out_spec).tolist()
    graph.bind(equation.outvars[0], graph.add("Transpose", name, perm=back))


def _reduction(kind: str) -> Rule:
    def rule(graph: Graph, equation: Any) -> None:
        name, axes = graph.whole(equation.invars[0]), graph.ints(*equation.params["axes"])
        graph.bind(equation.outvars[0], graph.add(kind, name, axes, keepdims=0))

    return rule


def _pool(graph: Graph, equation: Any) -> None:
    """The largest, or the sum, of each window over the axes between the first and the last."""
    params, (given, *_) = equation.params, equation.invars
    window, steps, pads = params["window_dimensions"], params["window_strides"], params["padding"]
    if (
        window[0] != 1
        or window[-1] != 1
        or any(
            (*params["base_dilation"], *params["window_dilation"])[i] != 1
            for i in range(2 * len(window))
        )
    ):
        raise Unsupported("pooling over samples or channels, or a dilated one, has no rule")
    last, axes = len(window) - 1, range(1, len(window) - 1)
    name = graph.add("Transpose", graph.whole(given), perm=[0, last, *axes])
    options: dict[str, Any] = {
        "kernel_shape": list(window[1:-1]),
        "strides": list(steps[1:-1]),
        "pads": [low for low, _ in pads[1:-1]] + [high for _, high in pads[1:-1]],
    }
    if equation.primitive.name == "reduce_window_max":
        name = graph.add("MaxPool", name, **options)
    else:
        name = graph.add("AveragePool", name, count_include_pad=1, **options)
        name = graph.add("Mul", name, graph.constant(np.prod(window), given.aval.dtype))
    graph.bind(equation.outvars[0], graph.add("Transpose", name, perm=[0, *range(2, last + 1), 1]))


def _iota(graph: Graph, equation: Any) -> None:
    (out,) = equation.outvars
    axis, shape = equation.params["dimension"], out.aval.shape
    end = graph.add("Squeeze", graph.size(shape[axis]))
    name = _as(
        graph,
        graph.add("Range", graph.constant(0, np.int64), end, graph.constant(1, np.int64)),
        out.aval.dtype,
    )
    if others := [other for other in range(len(shape)) if other != axis]:
        name = graph.add("Unsqueeze", name, graph.ints(*others))
    graph.bind(out, name, narrow=len(shape) > 1)


def _size(graph: Graph, equation: Any) -> None:
    (out,) = equation.outvars
    graph.bind(
        out, _as(graph, graph.add("Squeeze", graph.size(equation.params["dim"])), out.aval.dtype)
    )


def _sort(graph: Graph, equation: Any) -> None:
    """By the first operand; the others follow it. Equal ones keep their order."""
    axis, shape = equation.params["dimension"], equation.invars[0].aval.shape
    if equation.params["num_keys"] != 1:
        raise Unsupported("sorting by several keys has no rule")
    first, *others = map(graph.whole, equation.invars)
    values, places = graph.add(
        "TopK", first, graph.size(shape[axis]), axis=axis, largest=0, outputs=2
    )
    graph.bind(equation.outvars[0], values)
    for variable, name in zip(equation.outvars[1:], others, strict=True):
        graph.bind(variable, graph.add("GatherElements", name, places, axis=axis))


def _running_max(graph: Graph, equation: Any) -> None:
    """The largest so far: over a triangle, for ONNX has sums that run, but no maxima."""
    (given,), axis = equation.invars, equation.params["axis"]
    frames, dtype = given.aval.shape[axis], given.aval.dtype
    if not isinstance(frames, int) or equation.params["reverse"]:
        raise Unsupported("a running maximum backwards, or over a symbolic length, has no rule")
    lowest = -np.inf if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).min
    seen = np.tril(np.ones((frames, frames), bool)).reshape(
        frames, frames, *(1,) * (given.aval.ndim - 1 - axis)
    )
    name = graph.add("Unsqueeze", graph.whole(given), graph.ints(axis))
    name = graph.add("Where", graph.constant(seen), name, graph.constant(lowest, dtype))
    graph.bind(equation.outvars[0], graph.add("ReduceMax", name, graph.ints(axis + 1), keepdims=0))


def _running_sum(graph: Graph, equation: Any) -> None:
    axis, reverse = (
        graph.constant(equation.params["axis"], np.int64),
        int(equation.params["reverse"]),
    )
    name = graph.add("CumSum", graph.whole(equation.invars[0]), axis, reverse=reverse)
    graph.bind(equation.outvars[0], name)


def _call(graph: Graph, equation: Any) -> None:
    """A program within the program."""
    params = equation.params
    inner = next(params[name] for name in ("jaxpr", "call_jaxpr", "fun_jaxpr") if name in params)
    names = graph.run(inner, [graph.whole(variable) for variable in equation.invars])
    for variable, name in zip(equation.outvars, names, strict=True):
        graph.bind(variable, name)


def _scan(graph: Graph, equation: Any) -> None:
    """A loop over the leading axis, whose body finds its constants in the graph around it."""
    from onnx import helper

    program = equation.params["jaxpr"]
    jaxpr = getattr(program, "jaxpr", program)
    constants, states = _scan_counts(equation, jaxpr)
    scanned, stacked = len(equation.invars) - constants - states, len(equation.outvars) - states
    if not scanned:
        raise Unsupported("a loop that reads nothing step by step has no rule")
    names = [graph.whole(variable) for variable in equation.invars]
    body = Graph(graph.rules, graph.root)
    inputs = [graph.fresh("step") for _ in names[constants:]]
    results = body.run(program, [*names[:constants], *inputs])
    outputs = [body.add("Identity", name) for name in results]  # each is made by the body, and once
    body_graph = helper.make_graph(
        body.nodes,
        graph.fresh("body"),
        _tensor_types(inputs, jaxpr.invars[constants:]),
        _tensor_types(outputs, jaxpr.outvars),
    )
    backwards = int(equation.params["reverse"])
    directions = {"scan_output_directions": [backwards] * stacked} if stacked else {}
    tensors = graph.add(
        "Scan",
        *names[constants:],
        outputs=len(outputs),
        body=body_graph,
        num_scan_inputs=scanned,
        scan_input_directions=[backwards] * scanned,
        **directions,
    )
    for variable, name in zip(
        equation.outvars, [tensors] if len(outputs) == 1 else tensors, strict=True
    ):
        graph.bind(variable, name)


def _scan_counts(equation: Any, jaxpr: Any) -> tuple[int, int]:
    """Counts the constants and the states of a scan. Its inputs are constants, states, scanned
    arrays.

    JAX 0.10 stores both counts in the equation, JAX 0.12 stores trees instead. Ranks work for both:
    a scanned input and a stacked output have one axis more in the equation than in the body.
    """
    scanned = _longer(equation.invars, jaxpr.invars)
    states = len(equation.outvars) - _longer(equation.outvars, jaxpr.outvars)
    return len(equation.invars) - scanned - states, states


def _longer(outer: Sequence[Any], inner: Sequence[Any]) -> int:
    """How many of the outer variables have more axes than the inner ones at the same position."""
    return sum(one.aval.ndim > other.aval.ndim for one, other in zip(outer, inner, strict=True))


def _tensor_types(names: Sequence[str], variables: Sequence[Any]) -> list[Any]:
    """ONNX descriptions of tensors that have the variables' element types."""
    from onnx import helper

    types = [
        helper.np_dtype_to_tensor_dtype(np.dtype(variable.aval.dtype)) for variable in variables
    ]
    return [
        helper.make_tensor_value_info(name, type_, None)
        for name, type_ in zip(names, types, strict=True)
    ]


RULES: dict[str, Rule] = {
    **{
        name: _elementwise(name.capitalize())
        for name in ("add", "sub", "mul", "div", "max", "min", "pow")
    },
    **{
        name: _elementwise(name.capitalize())
        for name in ("neg", "exp", "log", "tanh", "sqrt", "abs", "sign", "floor")
    },
    **{name: _elementwise(name.capitalize()) for name in ("sin", "cos", "erf", "ceil")},
    **{
        "logistic": _elementwise("Sigmoid"),
        "lt": _elementwise("Less"),
        "gt": _elementwise("Greater"),
    },
    **{
        "le": _elementwise("LessOrEqual"),
        "ge": _elementwise("GreaterOrEqual"),
        "eq": _elementwise("Equal"),
    },
    **{"and": _logical("And"), "or": _logical("Or"), "not": _logical("Not")},
    "ne": _composed(lambda graph, one, x, y: graph.add("Not", graph.add("Equal", x, y))),
    "rem": _composed(lambda graph, one, x, y: graph.add("Mod", x, y, fmod=1)),
    "rsqrt": _composed(lambda graph, one, x: graph.add("Reciprocal", graph.add("Sqrt", x))),
    "square": _composed(lambda graph, one, x: graph.add("Mul", x, x)),
    "expm1": _composed(lambda graph, one, x: graph.add("Sub", graph.add("Exp", x), one(1))),
    "log1p": _composed(lambda graph, one, x: graph.add("Log", graph.add("Add", x, one(1)))),
    "atan2": _composed(_atan2),
    "integer_pow": _integer_pow,
    "select_n": _select,
    "convert_element_type": _cast,
    **dict.fromkeys(("stop_gradient", "copy", "optimization_barrier"), _same),
    **dict.fromkeys(("reshape", "squeeze"), _reshape),
    "broadcast_in_dim": _broadcast,
    "transpose": _transpose,
    "concatenate": _concatenate,
    "stack": _stack,
    "split": _split,
    "pad": _pad,
    "slice": _slice,
    "rev": _reverse,
    "gather": _gather,
    "dot_general": _dot,
    "conv_general_dilated": _convolution,
    "reduce_sum": _reduction("ReduceSum"),
    "reduce_max": _reduction("ReduceMax"),
    "reduce_min": _reduction("ReduceMin"),
    "reduce_prod": _reduction("ReduceProd"),
    **dict.fromkeys(("reduce_window_max", "reduce_window_sum"), _pool),
    "iota": _iota,
    "dim_as_value": _size,
    "sort": _sort,
    "cummax": _running_max,
    "cumsum": _running_sum,
    **dict.fromkeys(
        ("jit", "custom_jvp_call", "custom_vjp_call", "closed_call", "remat2", "checkpoint"), _call
    ),
    "scan": _scan,
}
