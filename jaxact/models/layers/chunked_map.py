"""A function over the leading axis a few samples at a time, so that what it makes on the way stays
in the cache.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

CHUNK = (
    2**18
)  # numbers of `x` per core and chunk: 1 MiB, so that the few arrays made of it stay in the cache


def by_sample(function: Callable[..., Array], x: Any, weights: Any, chunk: int = CHUNK) -> Array:
    """`function(x, weights)` for a function that treats every sample of x's leading axis alike and
    on its own.

    `x` is an array, or several as a pytree, all with that axis; the first of them is what `chunk`
    counts.

    Nothing in between is kept: the backward pass computes it again, sample by sample, from `x` and
    `weights`. `chunk` is the numbers of `x` per core that are treated at once, fewer where the
    function makes much more of them. Over several devices the samples are spread anyway and the
    function is applied to all of them at once.
    """
    first = jax.tree.leaves(x)[0]
    count = first.shape[0]
    wanted = min(count, max(1, chunk * (os.cpu_count() or 1) * count // first.size))
    size = max(divisor for divisor in range(1, wanted + 1) if count % divisor == 0)
    if jax.device_count() > 1 or size == count:
        return jax.checkpoint(function)(x, weights)
    return _mapped(
        function,
        jax.tree.map(lambda array: array.reshape(count // size, size, *array.shape[1:]), x),
        weights,
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _mapped(function: Callable[..., Array], chunks: Any, weights: Any) -> Array:
    y = jax.lax.map(lambda x: function(x, weights), chunks)
    return y.reshape(-1, *y.shape[2:])


def _forward(
    function: Callable[..., Array], chunks: Any, weights: Any
) -> tuple[Array, tuple[Any, Any]]:
    return _mapped(function, chunks, weights), (chunks, weights)


def _backward(
    function: Callable[..., Array], saved: tuple[Any, Any], cotangent: Array
) -> tuple[Any, Any]:
    chunks, weights = saved

    def one(total: Any, inputs: tuple[Any, Array]) -> tuple[Any, Any]:
        x, dy = inputs
        dx, dw = jax.vjp(function, x, weights)[1](dy)
        return jax.tree.map(jnp.add, total, dw), dx

    zeros = jax.tree.map(jnp.zeros_like, weights)
    count = jax.tree.leaves(chunks)[0].shape[0]
    total, dx = jax.lax.scan(
        one, zeros, (chunks, cotangent.reshape(count, -1, *cotangent.shape[1:]))
    )
    return dx, total


_mapped.defvjp(_forward, _backward)
