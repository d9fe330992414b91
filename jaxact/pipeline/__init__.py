"""The input pipeline: prepared records and arrays in memory to batches on devices."""
