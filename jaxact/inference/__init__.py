"""Prediction with a trained network on new clips, and maps of its attention."""
