"""The one kind of error that is the user's to mend: one sentence, exit code 2, no traceback."""

from collections.abc import Iterable


class UserError(ValueError):
    """Input that cannot be used. The message says what was given, what was wanted, what is
    available, where to look.
    """


def unknown(kind: str, name: object, available: Iterable[object]) -> UserError:
    """The error for a name that is on no list, e.g. ``unknown("layout", "ntu25", LAYOUTS)``."""
    import difflib

    names = sorted(map(str, available))
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UserError(f"unknown {kind} {name!r}; available: {', '.join(names) or 'none'}{hint}")


def missing_extra(package: str, extra: str, purpose: str) -> UserError:
    """The error for an optional package that is not installed; names the extra that brings it."""
    return UserError(
        f"{purpose} needs the package {package!r}, which is not installed: "
        f"pip install 'jaxact[{extra}]'"
    )
