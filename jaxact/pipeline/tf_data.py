"""Settings of tf.data and of TensorFlow itself that every pipeline of prepared records shares."""

import contextlib
import os
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

# JAX uses the GPU. TensorFlow would reserve all of its memory if it could see it. This has no
# effect where TensorFlow is already initialised.
with contextlib.suppress(RuntimeError):
    tf.config.set_visible_devices([], "GPU")


def without_autograph(function: Callable) -> Callable:
    """Stops TensorFlow from rewriting Python control flow, which here depends on options alone."""
    return tf.autograph.experimental.do_not_convert(function)


def numpy_iterator(data: tf.data.Dataset) -> Iterator[dict[str, np.ndarray]]:
    """The elements in a deterministic order, as NumPy arrays."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.ram_budget = 1 << 30
    # Clips are small: many at once with one thread each are faster than many threads on one.
    options.threading.max_intra_op_parallelism = 1
    options.threading.private_threadpool_size = os.cpu_count() or 2
    return data.with_options(options).as_numpy_iterator()
