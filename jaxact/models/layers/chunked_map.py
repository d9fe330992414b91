"""A function applied to a few samples at a time, so that its intermediates stay in the cache."""

import functools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxact.models.layers.formulation import for_cpu

# Elements of `x` per core and chunk: 1 MiB, so that a few arrays of that size fit into the cache.
CHUNK = 2**18


def by_sample(function: Callable[..., Array], x: Any, weights: Any, chunk: int = CHUNK) -> Array:
    """`function(x, weights)`, computed for a few samples at a time on CPUs.

    The direct formulation (see `formulation`) calls the function once. So does the CPU formulation
    on several devices, where each device has only its share of the samples. Intermediates are not
    stored on CPUs: the backward pass recomputes them from `x` and `weights`.

    Args:
        function: treats each sample, that is each index of the leading axis of `x`, independently.
        x: an array, or a pytree of arrays with the same leading axis.
        weights: a pytree that every sample shares.
        chunk: elements of the first array of `x` per core and call; fewer for a function with large
            intermediates.
    """
    if not for_cpu():
        return function(x, weights)
    first = jax.tree.leaves(x)[0]
    count = first.shape[0]
    limit = min(count, max(1, chunk * (os.cpu_count() or 1) * count // first.size))
    size = max(divisor for divisor in range(1, limit + 1) if count % divisor == 0)
    if jax.device_count() > 1 or size == count:
        return jax.checkpoint(function)(x, weights)
    chunks = jax.tree.map(lambda array: array.reshape(count // size, size, *array.shape[1:]), x)
    return _mapped(function, chunks, weights)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _mapped(function: Callable[..., Array], chunks: Any, weights: Any) -> Array:
    y = jax.lax.map(lambda x: function(x, weights), chunks)
    return y.reshape(-1, *y.shape[2:])


def _forward(
    function: Callable[..., Array], chunks: Any, weights: Any
) -> tuple[Array, tuple[Any, Any]]:
    return _mapped(function, chunks, weights), (chunks, weights)


def _backward(
    function: Callable[..., Array], residuals: tuple[Any, Any], cotangent: Array
) -> tuple[Any, Any]:
    chunks, weights = residuals

    def add_gradient(total: Any, inputs: tuple[Any, Array]) -> tuple[Any, Any]:
        x, dy = inputs
        dx, dw = jax.vjp(function, x, weights)[1](dy)
        return jax.tree.map(jnp.add, total, dw), dx

    zeros = jax.tree.map(jnp.zeros_like, weights)
    count = jax.tree.leaves(chunks)[0].shape[0]
    dy = cotangent.reshape(count, -1, *cotangent.shape[1:])
    d_weights, dx = jax.lax.scan(add_gradient, zeros, (chunks, dy))
    return dx, d_weights


_mapped.defvjp(_forward, _backward)
