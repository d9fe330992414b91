"""Fixtures of the tests of streaming."""

from tests.helpers.figures import drawn  # noqa: F401 (a fixture)
