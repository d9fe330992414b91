"""Generated people, drawn pictures and sample files."""
