"""Options of an upload, parsed from the fields of its form."""

import dataclasses
from collections.abc import Mapping

from jaxact.errors import UserError
from jaxact.skeletons import LAYOUTS

FIELDS = ("layout", "image-size", "window", "stride", "top")
_LARGEST = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of an upload.

    Attributes:
        layout: name of the joint layout, where the file does not state one.
        image_size: (width, height) in pixels, for joints in pixels whose file does not state it.
        window: frames per window; 0 for no windows.
        stride: frames between windows; 0 for half a window.
        top: number of classes per prediction.
    """

    layout: str | None = None
    image_size: tuple[int, int] | None = None
    window: int = 0
    stride: int = 0
    top: int = 5


def parse_options(fields: Mapping[str, str]) -> Options:
    """Parses the fields of a form; an empty field counts as absent.

    Raises:
        UserError: an unknown field or layout, or an invalid number.
    """
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise UserError(f"unknown field {unknown[0]!r}; available: file, {', '.join(FIELDS)}")
    values = {name: value.strip() for name, value in fields.items() if value.strip()}
    layout = values.get("layout")
    # Only names: a path would be read from the server's file system.
    if layout is not None and layout not in LAYOUTS:
        raise UserError(f"unknown layout {layout!r}; available: {', '.join(LAYOUTS)}")
    image_size = None
    if "image-size" in values:
        image_size = _parse_image_size(values["image-size"])
    return Options(
        layout=layout,
        image_size=image_size,
        window=_parse_number("window", values.get("window", "0"), 0),
        stride=_parse_number("stride", values.get("stride", "0"), 0),
        top=_parse_number("top", values.get("top", "5"), 1),
    )


def _parse_image_size(text: str) -> tuple[int, int]:
    sides = [_parse_number("image-size", side, 1) for side in text.split(",")]
    if len(sides) != 2:
        raise UserError(f"image-size is {text!r}; wanted pixels such as 1280,720")
    return sides[0], sides[1]


def _parse_number(name: str, text: str, least: int) -> int:
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit()
    if not is_number or not least <= int(digits[:10]) <= _LARGEST:
        raise UserError(f"{name} is {text!r}; wanted a whole number from {least}")
    return int(digits)
