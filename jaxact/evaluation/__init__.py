"""Evaluation of trained networks: scores, metrics, reports and the fusion of scores."""
