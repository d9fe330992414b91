"""The switch between the formulations: what decides, and that compiled functions follow it."""

import jax
import pytest

from jaxact.errors import UserError
from jaxact.models.layers.formulation import for_cpu, formulation


def test_the_platform_decides_unless_a_formulation_is_forced():
    by_platform = jax.default_backend() == "cpu"
    assert for_cpu() == by_platform
    with formulation("direct"):
        assert not for_cpu()
        with formulation("cpu"):
            assert for_cpu()
        assert not for_cpu()
    assert for_cpu() == by_platform


def test_an_error_inside_ends_the_formulation():
    with pytest.raises(ZeroDivisionError), formulation("direct"):
        _ = 1 / 0
    assert for_cpu() == (jax.default_backend() == "cpu")


def test_a_compiled_function_is_traced_again_under_another_formulation():
    traced = []

    @jax.jit
    def function(x):
        traced.append(for_cpu())
        return x + 1 if for_cpu() else x - 1

    for name, expected in [("direct", -1), ("cpu", 1), ("direct", -1), ("cpu", 1)]:
        with formulation(name):
            assert function(0) == expected
    assert traced == [False, True]


def test_an_unknown_formulation_is_an_error():
    with pytest.raises(UserError, match="unknown formulation 'gpu'; available: cpu, direct"):
        formulation("gpu")
