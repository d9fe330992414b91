"""What the tables of variants have in common."""

from collections.abc import Mapping
from typing import Any

from jaxact import errors


def check_network(options: Mapping[str, Any], variants: Mapping[str, Any]) -> None:
    """Raises UserError where `options["network"]` is no row of `variants`."""
    name = options.get("network")
    if name is not None and name not in variants:
        raise errors.unknown("network", name, variants)
