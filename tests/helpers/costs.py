"""What a program costs, read off its text."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend import core


def multiplications(function: Callable, *inputs: Any) -> int:
    """Those in matrix products and convolutions; every branch of a choice counts, and every turn of
    a scan.
    """
    return sum(_each(jax.make_jaxpr(function)(*inputs).jaxpr))


def _each(jaxpr: Any) -> Iterator[int]:
    for equation in jaxpr.eqns:
        shapes = [operand.aval.shape for operand in (*equation.invars[:2], *equation.outvars[:1])]
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            yield int(np.prod(shapes[2]) * np.prod([shapes[0][axis] for axis in contracted]))
        elif equation.primitive.name == "conv_general_dilated":
            yield int(
                np.prod(shapes[2]) * np.prod(shapes[1]) / shapes[1][-1]
            )  # the kernel's last axis is the output's
        turns = equation.params["length"] if equation.primitive.name == "scan" else 1
        for inner in core.jaxprs_in_params(equation.params):
            yield from (turns * count for count in _each(inner))
