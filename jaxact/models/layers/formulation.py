"""The one switch between the two formulations of a layer: "direct" and "cpu".

Some layers exist twice, with the same result to rounding. The direct formulation is the equation
as written; it suits accelerators, and every platform can run it. The CPU formulation reorders the
work so that XLA's CPU backend runs it several times faster.

A layer function asks `for_cpu` while it is traced, and dispatches:

    def mix_frames(x, attention):
        return _planned_mix_frames(x, attention) if for_cpu() else _mix_frames(x, attention)

Networks call `mix_frames` and never mention the formulation. The platform decides, unless a caller
forces one of the two:

    with formulation("direct"):
        artifact = jax.export.export(jax.jit(apply))(inputs)

The choice is part of the cache key of `jax.jit`: a compiled function that is called under another
formulation is traced again.
"""

from contextlib import AbstractContextManager

import jax

from jaxact.errors import unknown

FORMULATIONS = ("direct", "cpu")

_forced = jax.make_user_context(None)  # None: the platform decides


def formulation(name: str) -> AbstractContextManager[None]:
    """A context in which layers are traced in one formulation, on any platform.

    Args:
        name: one of `FORMULATIONS`.

    Raises:
        UserError: an unknown formulation.
    """
    if name not in FORMULATIONS:
        raise unknown("formulation", name, FORMULATIONS)
    return _forced(name)


def for_cpu() -> bool:
    """Whether a layer that is traced here computes the CPU formulation.

    By default that is so where JAX's default backend is the CPU. Call it inside a layer, at trace
    time; do not store the result in a module.
    """
    if _forced.value is None:
        return jax.default_backend() == "cpu"
    return _forced.value == "cpu"
