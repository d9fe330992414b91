"""Configs: files in `configs/` fill in the sections, the command line replaces options; only the
commands see them.
"""

import dataclasses
import runpy
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jaxact.config.protocols import follow, get
from jaxact.config.training import INPUTS, MODELS, TrainConfig, kind
from jaxact.errors import UserError, unknown


def load(file: str, overrides: Sequence[str] = ()) -> TrainConfig:
    """The config of `FILE.py` or `FILE.py:ARG`, whose `get_config(ARG)` returns a TrainConfig, with
    options replaced.

    Args:
      file: path of a config file; what follows a colon is handed to its `get_config`.
      overrides: "--config.optim.learning_rate=0.05" and the like; a protocol comes first, wherever
          it stands.

    Raises:
      UserError: no such file, a file that fails, an unknown option, or a value of the wrong type.
    """
    path, _, arg = file.partition(":")
    if not Path(path).is_file():
        near = (
            sorted(str(p) for p in Path(path).parent.glob("*.py"))
            if Path(path).parent.is_dir()
            else []
        )
        raise UserError(
            f"no config file {path!r}; in that folder: {', '.join(near) or 'no .py file'}"
        )
    try:
        config = runpy.run_path(path)["get_config"](arg)
    except Exception as error:
        raise UserError(
            f"the config file {path!r} fails with {type(error).__name__}: {error}"
        ) from error
    if not isinstance(config, TrainConfig):
        raise UserError(
            f"get_config in {path!r} returns {type(config).__name__}; wanted jaxact.config.TrainConfig"
        )
    for item in sorted(overrides, key=lambda item: not item.startswith("--config.protocol=")):
        name, given, text = item.partition("=")
        if not name.startswith("--config.") or not given:
            raise UserError(
                f"unknown argument {item!r}; options of the config are given as --config.section.option=value"
            )
        override(config, name.removeprefix("--config."), text)
    check(config)
    return config


def choose(arg: str, *choices: Iterable[str]) -> tuple[Any, ...]:
    """The words of a config's argument, joined by commas in any order.

    Args:
      arg: "xview,tcn" with the choices ("xsub", "xview") and ("gcn", "tcn") is "xview", "tcn",
          False.
      choices: lists of words. Of each the argument holds at most one, by default the list's first.

    Returns:
      A word of each list, and whether "quick" was among the argument's.

    Raises:
      UserError: a word of no list, or a second one of the same.
    """
    words = [word for word in arg.split(",") if word]
    lists = [list(words_of) for words_of in choices]
    for word in words:
        if not any(word in known for known in (*lists, ["quick"])):
            raise unknown("argument", word, [*(word for known in lists for word in known), "quick"])
    found: list[Any] = []
    for known in lists:
        given = [word for word in words if word in known]
        if len(given) > 1:
            raise UserError(
                f"the argument {arg!r} holds both {given[0]!r} and {given[1]!r}; wanted one of them"
            )
        found.append(given[0] if given else known[0])
    return *found, "quick" in words


def override(config: Any, name: str, text: str) -> None:
    """Sets the option with the dotted `name` from the text of a command line, checked against the
    option's type.
    """
    if name == "protocol" and isinstance(config, TrainConfig):
        return follow(config, text)
    *path, option = name.split(".")
    section = config
    for part in path:
        section = getattr(section, _known(part, section, name))
    wanted = _types(section)[_known(option, section, name)]
    if dataclasses.is_dataclass(getattr(section, option)):
        raise UserError(
            f"config.{name} is a section; set one of its options: {', '.join(_types(getattr(section, option)))}"
        )
    setattr(section, option, _parse(text, wanted, f"config.{name}"))


def check(section: Any, where: str = "config") -> None:
    """Raises UserError for the first option whose value is none of its choices or of another
    type.
    """
    if isinstance(section, TrainConfig):
        _check_inputs(section)
    for name, wanted in _types(section).items():
        value = getattr(section, name)
        if dataclasses.is_dataclass(value):
            check(value, f"{where}.{name}")
        elif name == "protocol" and value:
            get(value)
        elif typing.get_origin(wanted) is Literal:
            if value not in typing.get_args(wanted):
                raise unknown(f"value of {where}.{name}", value, typing.get_args(wanted))
        elif not isinstance(
            value, (int, float) if wanted is float else typing.get_origin(wanted) or wanted
        ):
            raise UserError(f"{where}.{name} takes {wanted.__name__}, not {value!r}")
        elif isinstance(value, (int, float)) and value < 0:
            raise UserError(f"{where}.{name} takes a number from 0 up, not {value!r}")


_WHAT = {"skeleton": "skeletons", "video": "videos", "pose": "pictures with people"}


def _check_inputs(config: TrainConfig) -> None:
    """Raises UserError where the clips are not of the kind that the model reads, or a video is to
    follow a protocol.
    """
    reads = kind(config.model.name)
    for name, wanted in zip(("clip", "augment"), INPUTS[reads], strict=True):
        if not isinstance(given := getattr(config, name), wanted):
            raise UserError(
                f"the model {config.model.name!r} reads {_WHAT[reads]}, for which config.{name} is the section "
                f"{wanted.__name__}; got {type(given).__name__}"
            )
    if reads != "skeleton" and config.protocol:
        raise UserError(
            f"the protocol {config.protocol!r} is for skeletons; {config.model.name!r} reads {_WHAT[reads]}"
        )


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """The config as plain JSON values."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The config that `to_dict` wrote.

    Raises:
      UserError: an option that this version does not know.
    """
    return _section(TrainConfig, values, "config")


def _section(section: type, values: Mapping[str, Any], where: str) -> Any:
    types, fields = typing.get_type_hints(section), {}
    for name, value in values.items():
        if name not in types:
            raise UserError(
                f"unknown option {where}.{name}={value!r}: written by another version of jaxact?"
            )
        if isinstance(value, Mapping):
            chosen = _chosen(values).get(name, types[name])
            fields[name] = _section(chosen, value, f"{where}.{name}")
        else:
            fields[name] = tuple(value) if isinstance(value, list) else value
    return section(**fields)


def _chosen(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of a run that its model decides."""
    clip, augment = INPUTS[kind(values["model"]["name"])]
    return {"model": MODELS[values["model"]["name"]], "clip": clip, "augment": augment}


def _types(section: Any) -> dict[str, Any]:
    return typing.get_type_hints(type(section)) if dataclasses.is_dataclass(section) else {}


def _known(option: str, section: Any, name: str) -> str:
    if option not in _types(section):
        raise unknown(f"option config.{name}: no", option, _types(section))
    return option


def _parse(text: str, kind: Any, name: str) -> Any:
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if text not in choices:
            raise unknown(f"value of {name}", text, choices)
        return text
    if typing.get_origin(kind) is tuple:
        items = [item.strip() for item in text.strip("()[] ").split(",")]
        return tuple(_parse(item, typing.get_args(kind)[0], name) for item in items if item)
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError):
        raise UserError(
            f"{name} takes {'true or false' if kind is bool else kind.__name__}, not {text!r}"
        ) from None
