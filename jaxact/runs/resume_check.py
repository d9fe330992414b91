"""Checks that a run can resume from the checkpoints in its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxact import config
from jaxact.errors import UserError
from jaxact.runs.trained_model import RunMetadata

# Options that may differ when a run is resumed: none of them changes the parameters.
_RESUMABLE = (
    "epochs",
    "devices",
    "parallel",
    "log_every",
    "eval_every",
    "checkpoint_every",
    "select",
    "data.data_dir",
)


def check_same_run(old: RunMetadata, new: RunMetadata, folder: Path) -> None:
    """Raises UserError if the checkpoints in `folder` are of another run than `new`.

    Args:
        old: the metadata of a checkpoint.
        new: the metadata of the run that would resume from it.
        folder: of the checkpoints, for the message.
    """
    before, after = _flat(config.to_dict(old.config)), _flat(config.to_dict(new.config))
    changed = []
    for name in sorted(before.keys() | after.keys()):
        if name not in _RESUMABLE and before.get(name) != after.get(name):
            changed.append(f"{name} {before.get(name)!r} -> {after.get(name)!r}")
    if changed:
        changes = ", ".join(changed[:4])
        if len(changed) > 4:
            changes += ", ..."
        raise UserError(
            f"{str(folder.parent)!r} holds a run with other options ({changes}); "
            "resume with the same ones, or give another --workdir"
        )
    for name, same in (
        ("labels", old.labels == new.labels),
        ("layout", old.layout == new.layout),
        ("channels", old.channels == new.channels),
        ("data", (old.size, old.version) == (new.size, new.version)),
    ):
        if not same:
            raise UserError(
                f"{str(folder.parent)!r} holds a run on data with other {name}; "
                "give another --workdir"
            )


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The options of a config by dotted name."""
    flat = {}
    for name, value in section.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = list(value) if isinstance(value, tuple) else value
    return flat
