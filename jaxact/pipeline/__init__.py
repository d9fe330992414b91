"""Records to batches: what is done to a clip between the stored record and the device."""
