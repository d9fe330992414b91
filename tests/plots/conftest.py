"""Fixtures of the tests of figures."""

from tests.helpers.figures import drawn  # noqa: F401 (a fixture)
