"""From raw files to prepared records: builders, parallel parsing, writing."""
