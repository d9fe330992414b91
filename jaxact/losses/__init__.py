"""Losses per example, unreduced."""
