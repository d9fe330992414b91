"""Dispatch of an array operation to TensorFlow or to NumPy, by the type of its arguments.

This module never imports TensorFlow: while TensorFlow is not loaded, no argument can be a tensor.
"""

import functools
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # an np.ndarray or a tf.Tensor, in annotations such as Float[Array, "t m v c"]

_DEFAULT_DTYPES = {np.dtype(np.int64): np.int32, np.dtype(np.float64): np.float32}


def tensorflow_of(*arguments: Any) -> Any:
    """Returns the module tensorflow if an argument, or an element of a list, is a tensor.

    Otherwise returns None.
    """
    tf = sys.modules.get("tensorflow")
    if tf is None or not _contains_tensor(tf.is_tensor, arguments):
        return None
    return tf


def _contains_tensor(is_tensor: Callable[[Any], bool], arguments: Any) -> bool:
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            if _contains_tensor(is_tensor, argument):
                return True
        elif is_tensor(argument):
            return True
    return False


def dispatch(tensorflow_name: str) -> Callable[[Callable], Callable]:
    """Makes a NumPy function call TensorFlow's function where an argument is a tensor.

    Args:
        tensorflow_name: the function's dotted name in the module tensorflow.
    """
    get_tensorflow_function = operator.attrgetter(tensorflow_name)

    def decorate(numpy_function: Callable) -> Callable:
        @functools.wraps(numpy_function)
        def operation(*arguments: Any, **options: Any) -> Any:
            tf = tensorflow_of(arguments, tuple(options.values()))
            if tf is None:
                return numpy_function(*arguments, **options)
            return get_tensorflow_function(tf)(*arguments, **options)

        return operation

    return decorate


def as_array(value: Any) -> Any:
    """A NumPy array; Python numbers get TensorFlow's dtypes, int32 and float32."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    array = np.asarray(value)
    return array.astype(_DEFAULT_DTYPES.get(array.dtype, array.dtype))


def as_operands(*values: Any) -> tuple[Any, ...]:
    """The operands of an elementwise operation.

    Beside an array, Python numbers stay as they are and take its dtype. Otherwise all become
    arrays.
    """
    if any(isinstance(value, (np.ndarray, np.generic)) for value in values):
        return values
    return tuple(as_array(value) for value in values)
