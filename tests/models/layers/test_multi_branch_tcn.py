"""Branches along time: each by a slow loop, their lengths, and the module as a whole."""

import functools

import jax
import numpy as np
import pytest

from jaxact.models.layers import multi_branch_tcn
from tests.helpers.random_weights import random_variables


def conv_by_loops(x, kernel, dilation, stride):
    frames, half = x.shape[2], len(kernel) // 2
    y = np.zeros((*x.shape[:2], -(-frames // stride), kernel.shape[2]))
    for s in range(y.shape[2]):
        for i, weight in enumerate(kernel):
            t = stride * s + (i - half) * dilation
            if 0 <= t < frames:
                y[:, :, s] += x[:, :, t] @ weight
    return y


def pool_by_loops(x, stride):
    frames = x.shape[2]
    windows = [range(max(t - 1, 0), min(t + 2, frames)) for t in range(0, frames, stride)]
    return np.stack([np.max([x[:, :, t] for t in window], axis=0) for window in windows], axis=2)


SIZES = pytest.mark.parametrize(
    ("frames", "stride"), [(12, 1), (11, 2), (12, 2), (2, 1), (1, 2), (13, 3)]
)


@SIZES
@pytest.mark.parametrize("taps", [3, 5])
def test_dilated_branches_are_sums_over_taps_of_their_own_channels(frames, stride, taps):
    rng = np.random.default_rng(0)
    widths, dilations = (3, 1, 2), (1, 2, 4)
    kernels = [rng.normal(size=(taps, width, width)) for width in widths]
    x = rng.normal(size=(2, 3, frames, 6))
    parts = np.split(x, [3, 4], axis=-1)
    expected = [
        conv_by_loops(*args, stride) for args in zip(parts, kernels, dilations, strict=True)
    ]
    convolve = jax.jit(
        functools.partial(multi_branch_tcn.dilated_conv, dilations=dilations, stride=stride)
    )
    y = convolve(np.float32(x), [np.float32(kernel) for kernel in kernels])
    np.testing.assert_allclose(y, np.concatenate(expected, axis=-1), atol=1e-5)


@SIZES
def test_pooling_takes_the_largest_of_the_frames_that_exist(frames, stride):
    x = np.abs(np.random.default_rng(0).normal(size=(2, 3, frames, 4)))
    pool = jax.jit(functools.partial(multi_branch_tcn.max_pool, stride=stride))
    np.testing.assert_array_equal(pool(np.float32(x)), np.float32(pool_by_loops(x, stride)))


@pytest.mark.parametrize(
    ("features", "branches", "widths"),
    [(64, 6, (14, 10, 10, 10, 10, 10)), (128, 6, (23, *(21,) * 5)), (64, 4, (16,) * 4)],
)
def test_branches_share_the_channels_and_the_first_has_the_rest(features, branches, widths):
    assert multi_branch_tcn.branch_widths(features, branches) == widths


def normalised(variables, name, x):
    params, stats = variables["params"][name], variables["batch_stats"][name]
    return (x - stats["mean"]) / np.sqrt(stats["var"] + 1e-5) * params["scale"] + params["bias"]


def branches_by_loops(variables, x, dilations, stride, mix):
    """The module as its docstring describes it, one branch after the other."""
    weights = variables["params"]
    widths = multi_branch_tcn.branch_widths(weights["reduce_kernel"].shape[1], len(dilations) + 2)
    reduced = x @ weights["reduce_kernel"] + weights["reduce_bias"]
    looking = np.maximum(normalised(variables, "reduce_norm", reduced[..., : -widths[-1]]), 0)
    *ahead, pooled = np.split(looking, np.cumsum(widths[:-2]), axis=-1)
    branches = [
        conv_by_loops(part, weights[f"branch{i}_kernel"], dilation, stride)
        + weights[f"branch{i}_bias"]
        for i, (part, dilation) in enumerate(zip(ahead, dilations, strict=True))
    ]
    branches += [pool_by_loops(pooled, stride), reduced[:, :, ::stride, -widths[-1] :]]
    y = np.maximum(normalised(variables, "norm", np.concatenate(branches, axis=-1)), 0)
    return (
        normalised(variables, "mix_norm", y @ weights["mix_kernel"] + weights["mix_bias"])
        if mix
        else y
    )


@pytest.mark.parametrize(
    ("taps", "dilations", "mix"), [(3, (1, 2, 3, 4), True), (5, (1, 2), False)]
)
@pytest.mark.parametrize(("frames", "stride"), [(9, 1), (9, 2), (8, 2)])
def test_the_module_is_its_branches_side_by_side(taps, dilations, mix, frames, stride):
    module = multi_branch_tcn.MultiBranch(
        features=9,
        stride=stride,
        taps=taps,
        dilations=dilations,
        mix=mix,
        initial="he_fan_out",
        axis_name=None,
    )
    x = np.random.default_rng(0).normal(size=(2, 3, frames, 7)).astype(np.float32)
    variables = random_variables(module, x, seed=1)
    y = jax.jit(module.apply)(variables, x)
    expected = branches_by_loops(jax.tree.map(np.float64, variables), x, dilations, stride, mix)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("initial", "deviation"),
    [("fan_in_uniform", 1 / np.sqrt(3 * 50)), ("he_fan_out", np.sqrt(2 / 80))],
)
def test_weights_start_with_the_deviation_of_their_release(initial, deviation):
    kernel = multi_branch_tcn.kernel_init(initial, fan_in=50, fan_out=80)(
        jax.random.key(0), (50, 80)
    )
    assert (
        np.std(kernel) == pytest.approx(deviation, rel=0.05)
        and abs(np.mean(kernel)) < 0.1 * deviation
    )
