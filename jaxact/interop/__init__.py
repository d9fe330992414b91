"""Other people's checkpoints and formats in."""
