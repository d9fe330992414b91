"""Convolution over the skeleton graph: one weight matrix per part of the partition."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.formulation import for_cpu

Graph = Float[Array, "k v w"] | Float[Array, "n k v w"]  # one for all samples, or one for each


def graph_conv(
    x: Float[Array, "n v t c"], kernel: Float[Array, "c k d"], adjacency: Graph
) -> Float[Array, "n w t d"]:
    """y[w] = sum_k sum_v A[k, v, w] x[v] @ kernel[:, k] (Yan et al. 2018, Equation 10).

    Args:
        x: features.
        kernel: one c-to-d projection per part.
        adjacency: normalised weight of the edge from source v to target w in part k, edge
            importance included.
    """
    convolve = planned_graph_conv if for_cpu() else direct_graph_conv
    return convolve(x, kernel, adjacency)


def direct_graph_conv(
    x: Float[Array, "n v t c"], kernel: Float[Array, "c k d"], adjacency: Graph
) -> Float[Array, "n w t d"]:
    """`graph_conv` as two sums: project each part, then mix joints."""
    projected = jnp.einsum("nvtc,ckd->nkvtd", x, kernel.astype(x.dtype))
    graph = "nkvw" if adjacency.ndim == 4 else "kvw"
    return jnp.einsum(f"nkvtd,{graph}->nwtd", projected, adjacency.astype(x.dtype))


def graph_bias(bias: Float[Array, "k d"], adjacency: Graph) -> Float[Array, "*n w 1 d"]:
    """What the projections' biases add to every frame: sum_k sum_v A[k, v, w] bias[k]."""
    return jnp.einsum("kd,...kvw->...wd", bias, adjacency)[..., None, :]


@jax.custom_vjp
def planned_graph_conv(
    x: Float[Array, "n v t c"], kernel: Float[Array, "c k d"], adjacency: Graph
) -> Float[Array, "n w t d"]:
    """`graph_conv` as a few large matrix products over contiguous memory.

    The graph is applied on the side with fewer channels: to x if c < d, else to its projections.
    The backward pass projects the cotangent instead of storing the k projections.
    """
    if x.shape[-1] < kernel.shape[-1]:
        return _spread(x, adjacency) @ jnp.swapaxes(kernel, 0, 1).reshape(-1, kernel.shape[-1])
    return _gather(_project_each(x, kernel), adjacency)


def _planned_forward(x, kernel, adjacency):
    return planned_graph_conv(x, kernel, adjacency), (x, kernel, adjacency)


def _planned_backward(residuals, dy):
    x, kernel, adjacency = residuals
    channels, parts, features = kernel.shape
    samples, joints = x.shape[:2]
    # dy[w] @ kernel[:, k].T; dx and dA are sums of it
    back = _project_each(dy, jnp.transpose(kernel, (2, 1, 0)))
    dx = _gather(back, jnp.swapaxes(adjacency, -1, -2)).astype(x.dtype)
    pairs = jnp.einsum(
        "nvr,nur->nvu", x.reshape(samples, joints, -1), back.reshape(samples, parts * joints, -1)
    )
    d_adjacency = jnp.moveaxis(pairs.reshape(samples, joints, parts, joints), 2, 1)
    if adjacency.ndim == 3:
        d_adjacency = jnp.sum(d_adjacency, 0)
    spread = _spread(x, adjacency).reshape(-1, parts * channels)
    d_kernel = jnp.einsum("rp,rd->pd", spread, dy.reshape(-1, features))
    return dx, jnp.swapaxes(d_kernel.reshape(parts, channels, features), 0, 1), d_adjacency


planned_graph_conv.defvjp(_planned_forward, _planned_backward)


def _project_each(
    x: Float[Array, "n v t c"], kernel: Float[Array, "c k d"]
) -> Float[Array, "n k v t d"]:
    """x @ kernel[:, k], as a product for each part, so that parts are far apart in memory."""
    return jnp.stack([x @ kernel[:, part] for part in range(kernel.shape[1])], axis=1)


def _spread(x: Float[Array, "n v t c"], adjacency: Graph) -> Float[Array, "n w t kc"]:
    """sum_v A[k, v, w] x[v], the parts concatenated along channels: one product projects all."""
    samples, joints, frames, channels = x.shape
    matrix = jnp.swapaxes(adjacency, -1, -2).reshape(*adjacency.shape[:-3], -1, joints)
    parts = _mix(matrix, x.reshape(samples, joints, -1))
    parts = parts.reshape(samples, -1, joints, frames, channels)
    return jnp.moveaxis(parts, 1, 3).reshape(samples, joints, frames, -1)


def _gather(x: Float[Array, "n k v t d"], adjacency: Graph) -> Float[Array, "n w t d"]:
    """sum_k sum_v A[k, v, w] x[k, v]."""
    samples, parts, joints, frames, features = x.shape
    matrix = jnp.moveaxis(adjacency, -1, -3).reshape(*adjacency.shape[:-3], joints, parts * joints)
    y = _mix(matrix, x.reshape(samples, parts * joints, -1))
    return y.reshape(samples, joints, frames, features)


def _mix(matrix: Float[Array, "*n i j"], x: Float[Array, "n j r"]) -> Float[Array, "n i r"]:
    """matrix @ x of each sample. A shared matrix is broadcast, or XLA would transpose x."""
    return jnp.broadcast_to(matrix, (x.shape[0], *matrix.shape[-2:])) @ x
