"""The check of a network's variant, which every table of variants shares."""

from collections.abc import Mapping
from typing import Any

from jaxact import errors


def check_network(options: Mapping[str, Any], variants: Mapping[str, Any]) -> None:
    """Raises UserError if `options["network"]` is not a key of `variants`."""
    name = options.get("network")
    if name is not None and name not in variants:
        raise errors.unknown("network", name, variants)
