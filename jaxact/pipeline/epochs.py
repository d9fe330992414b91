"""The stored records of one process, epoch after epoch, every epoch in its own random order.

Record r of a split belongs to process r mod n of n processes. The order depends on the seed and the
epoch's number alone.
"""

import os
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from jaxact.datasets import dataset_info, records
from jaxact.pipeline.tf_data import without_autograph

OPEN_FILES = 16  # files read in turn, so that the cells of a split mix before the shuffle buffer
ENDLESS = np.iinfo(np.int64).max


def shuffled_epochs(
    shards: Iterable[dataset_info.Shard],
    first_epoch: int,
    *,
    seed: int,
    shuffle_buffer: int,
    process_index: int,
    process_count: int,
) -> tf.data.Dataset:
    """The stored records of one process, endlessly, from the start of an epoch.

    Args:
        shards: files of the split.
        first_epoch: number of the first epoch, from 0.
        seed: seed of the order, in [0, 2**32).
        shuffle_buffer: number of records that are mixed at a time.
        process_index: number of this process.
        process_count: number of processes.
    """
    shards = [shard for shard in shards if shard.records]
    paths = [shard.path for shard in shards]
    skips = [shard.skip for shard in shards]
    counts = [shard.records for shard in shards]
    records_before = np.cumsum([0, *counts[:-1]])
    # The records of a file that belong to this process have this remainder.
    remainders = (process_index - records_before) % process_count

    def read_file(
        path: tf.Tensor, skip: tf.Tensor, count: tf.Tensor, remainder: tf.Tensor
    ) -> tf.data.Dataset:
        return records.read_shard(path, skip, count).shard(process_count, remainder)

    def read_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        # `shuffle` combines its own seed with TensorFlow's global seed and uses 31 bits of each.
        # Fix the global seed for this function's graph, and draw the other one at random.
        # Otherwise seed 1 would have in epoch 0 the order that seed 0 has in epoch 1.
        tf.compat.v1.set_random_seed(1)
        pair = tf.stack([tf.constant(seed, tf.int64), epoch])
        seeds = tf.random.stateless_uniform([2], pair, 0, 2**31 - 1, tf.int64)
        files = tf.data.Dataset.from_tensor_slices((paths, skips, counts, remainders))
        files = files.shuffle(len(shards), seeds[0], reshuffle_each_iteration=False)
        stored = files.interleave(
            without_autograph(read_file),
            cycle_length=min(OPEN_FILES, len(shards)),
            block_length=1,
        )
        return stored.shuffle(shuffle_buffer, seeds[1], reshuffle_each_iteration=False)

    return tf.data.Dataset.range(first_epoch, ENDLESS).flat_map(without_autograph(read_epoch))


def process_share(record_count: int, process_index: int, process_count: int) -> int:
    """The number of records r below `record_count` with r mod process_count == process_index."""
    return max(0, -(-(record_count - process_index) // process_count))


def records_in(size: int, shards: Iterable[dataset_info.Shard]) -> int:
    """The number of stored records of average length that fit into `size` bytes, at least one."""
    total_bytes = sum(os.path.getsize(shard.path) for shard in shards)
    total_records = sum(shard.records for shard in shards)
    return max(1, size * total_records // max(total_bytes, 1))
