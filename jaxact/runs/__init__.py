"""What a run is on disk and on devices."""
