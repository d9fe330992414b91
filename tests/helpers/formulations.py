"""Tests in both formulations of the layers."""

import pytest

from jaxact.models.layers.formulation import FORMULATIONS, formulation

BOTH_FORMULATIONS = pytest.mark.parametrize("form", FORMULATIONS)


def run_in(form, function, *args, **options):
    """`function`, traced in a formulation."""
    with formulation(form):
        return function(*args, **options)
