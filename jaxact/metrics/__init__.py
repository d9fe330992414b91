"""Sums and counts that merge over batches and are divided once."""
