"""Parsers of other tools' files."""
