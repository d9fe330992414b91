"""Philox in NumPy: the algorithm's published vectors, and TensorFlow's numbers bit for bit."""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import philox

ALL = 0xFFFFFFFF

SEEDS = [(0, 0), (255, 0), (255, 9), (-1, -5), (2**62, 123456789012), (11 << 32, 2**40)]


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ALL,) * 4, (ALL, ALL), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers_of_random123(counter, key, words):
    assert philox.philox(np.array([counter], np.uint64), key)[0].tolist() == list(words)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", [[], [1], [4], [7], [101], [3, 5], [10_001]])
def test_the_numbers_are_tensorflows(seed, shape):
    numbers = philox.stateless_uniform(shape, np.array(seed, np.int64))
    expected = tf.random.stateless_uniform(shape, tf.constant(seed, tf.int64)).numpy()
    assert numbers.dtype == np.float32 and numbers.shape == expected.shape
    assert numbers.tobytes() == expected.tobytes()


def test_many_random_seeds_agree():
    limits = np.iinfo(np.int64)
    for seed in np.random.default_rng(0).integers(limits.min, limits.max, (100, 2)):
        expected = tf.random.stateless_uniform([33], tf.constant(seed)).numpy()
        assert philox.stateless_uniform([33], seed).tobytes() == expected.tobytes()
