"""What a trained network says of new clips, and what it looked at."""
