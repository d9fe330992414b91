"""A trained network against a split: predictions, metrics, reports, fusion of scores."""
