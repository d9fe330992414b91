"""TensorFlow's stateless uniform random numbers in NumPy, bit for bit.

Philox-4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3)
maps a counter of four words and a key of two to four random words. TensorFlow's
`StatelessRandomUniform` on a CPU scrambles the user's seed into key and counter with the same
function, increments the counter, and uses the lower 23 bits of every word as a float's mantissa.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int, UInt64

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)  # golden ratio and sqrt(3) - 1
SCRAMBLING_KEY = (0x3EC8F720, 0x02461E29)  # of TensorFlow's GenerateKey

_WORD = 0xFFFFFFFF
_MANTISSA = 0x7FFFFF
_ONE = 0x3F800000  # the bits of 1.0


def stateless_uniform(
    shape: Sequence[int], seed: Int[np.ndarray, "2"]
) -> Float32[np.ndarray, "..."]:
    """Uniform numbers in [0, 1): those of `tf.random.stateless_uniform(shape, seed)`.

    Args:
        shape: shape of the result.
        seed: two integers of at most 64 bits.
    """
    count = math.prod(shape)
    scrambled = philox(_words(seed)[None], SCRAMBLING_KEY)[0]
    counters = np.zeros((-(-count // 4), 4), np.uint64)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 2:] = scrambled[2:]
    words = philox(counters, (int(scrambled[0]), int(scrambled[1]))).ravel()[:count]
    bits = (words & _MANTISSA | _ONE).astype(np.uint32)
    return (bits.view(np.float32) - np.float32(1)).reshape(shape)


def philox(counters: UInt64[np.ndarray, "n 4"], key: tuple[int, int]) -> UInt64[np.ndarray, "n 4"]:
    """Four random 32-bit words for each counter."""
    a, b, c, d = counters.T
    for step in range(ROUNDS):
        first_key = (key[0] + step * KEY_STEPS[0]) & _WORD
        second_key = (key[1] + step * KEY_STEPS[1]) & _WORD
        left, right = a * np.uint64(MULTIPLIERS[0]), c * np.uint64(MULTIPLIERS[1])
        a, b = right >> 32 ^ b ^ first_key, right & _WORD
        c, d = left >> 32 ^ d ^ second_key, left & _WORD
    return np.stack([a, b, c, d], axis=1)


def _words(seed: Int[np.ndarray, "2"]) -> UInt64[np.ndarray, "4"]:
    """The two halves of each integer, the lower one first."""
    words = []
    for number in seed:
        words += [int(number) & _WORD, int(number) >> 32 & _WORD]
    return np.array(words, np.uint64)
