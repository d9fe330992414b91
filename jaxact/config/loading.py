"""Loads configs: files in `configs/` fill in the sections, the command line replaces options.

Only the commands read configs; the functions below them take the options of a section as keyword
arguments.
"""

import dataclasses
import runpy
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jaxact.config.losses import MOVED_OPTIONS, loss_section, with_loss_section
from jaxact.config.protocols import follow, get
from jaxact.config.training import INPUTS, MODELS, TrainConfig, kind
from jaxact.errors import UserError, unknown


def load(file: str, overrides: Sequence[str] = ()) -> TrainConfig:
    """Loads the config of `FILE.py` or `FILE.py:ARG` and replaces options.

    Args:
        file: path of a config file; what follows a colon is the argument of its `get_config`.
        overrides: strings such as "--config.optim.learning_rate=0.05". A protocol is applied first,
            wherever it stands.

    Raises:
        UserError: no such file, a file that fails, an argument that it does not accept, an unknown
            option, or a value of the wrong type.
    """
    path, _, arg = file.partition(":")
    config = _run_file(path, arg)
    for item in sorted(overrides, key=_is_not_a_protocol):
        name, equals, text = item.partition("=")
        if not name.startswith("--config.") or not equals:
            raise UserError(
                f"unknown argument {item!r}; options of the config are given as "
                "--config.section.option=value"
            )
        override(config, name.removeprefix("--config."), text)
    check(config)
    return config


def _run_file(path: str, arg: str) -> TrainConfig:
    if not Path(path).is_file():
        files = sorted(str(file) for file in Path(path).parent.glob("*.py"))
        raise UserError(
            f"no config file {path!r}; in that folder: {', '.join(files) or 'no .py file'}"
        )
    try:
        config = runpy.run_path(path)["get_config"](arg)
    except UserError as error:
        raise UserError(f"the config file {path!r}: {error}") from error
    except Exception as error:
        raise UserError(
            f"the config file {path!r} fails with {type(error).__name__}: {error}"
        ) from error
    if not isinstance(config, TrainConfig):
        raise UserError(
            f"get_config in {path!r} returns {type(config).__name__}; "
            "wanted jaxact.config.TrainConfig"
        )
    return config


def _is_not_a_protocol(item: str) -> bool:
    return not item.startswith("--config.protocol=")


def override(config: Any, name: str, text: str) -> None:
    """Sets the option `name`, such as "optim.ema", to the value that `text` spells.

    Raises:
        UserError: no such option, or a value of another type than the option's.
    """
    if name == "protocol" and isinstance(config, TrainConfig):
        return follow(config, text)
    *path, option = MOVED_OPTIONS.get(name, name).split(".")
    section = config
    for part in path:
        section = getattr(section, _existing(part, section, name))
    option_type = _types(section)[_existing(option, section, name)]
    value = getattr(section, option)
    if dataclasses.is_dataclass(value):
        raise UserError(
            f"config.{name} is a section; set one of its options: {', '.join(_types(value))}"
        )
    setattr(section, option, _parse(text, option_type, f"config.{name}"))


def check(config: TrainConfig) -> None:
    """Raises UserError for the first option whose value is of another type or not a choice of it.

    Also where `clip` and `augment` are not the sections of the model's kind of input, and where
    `loss` is not the section of the model's loss.
    """
    _check_inputs(config)
    if config.protocol:
        get(config.protocol)
    _check_section(config, "config")


def _check_section(section: Any, path: str) -> None:
    for name, option_type in _types(section).items():
        value = getattr(section, name)
        if dataclasses.is_dataclass(value):
            _check_section(value, f"{path}.{name}")
        else:
            _check_value(value, option_type, f"{path}.{name}")


def _check_value(value: Any, option_type: Any, path: str) -> None:
    if typing.get_origin(option_type) is Literal:
        choices = typing.get_args(option_type)
        if value not in choices:
            raise unknown(f"value of {path}", value, choices)
        return
    accepted = typing.get_origin(option_type) or option_type
    if option_type is float:
        accepted = (int, float)
    if not isinstance(value, accepted):
        raise UserError(f"{path} takes {option_type.__name__}, not {value!r}")
    if isinstance(value, (int, float)) and value < 0:
        raise UserError(f"{path} takes a number from 0 up, not {value!r}")


_INPUT_NAMES = {"skeleton": "skeletons", "video": "videos", "pose": "pictures with people"}


def _check_inputs(config: TrainConfig) -> None:
    """Raises UserError where the input sections are of another kind than the model's input."""
    model = config.model.name
    input_kind = kind(model)
    for name, section_type in zip(("clip", "augment"), INPUTS[input_kind], strict=True):
        section = getattr(config, name)
        if not isinstance(section, section_type):
            raise UserError(
                f"the model {model!r} reads {_INPUT_NAMES[input_kind]}, for which config.{name} is "
                f"the section {section_type.__name__}; got {type(section).__name__}"
            )
    expected_loss = loss_section(model)
    if not isinstance(config.loss, expected_loss):
        raise UserError(
            f"the model {model!r} trains with the loss {expected_loss().name!r}, for which "
            f"config.loss is the section {expected_loss.__name__}; got {type(config.loss).__name__}"
        )
    if input_kind != "skeleton" and config.protocol:
        raise UserError(
            f"the protocol {config.protocol!r} is for skeletons; "
            f"{model!r} reads {_INPUT_NAMES[input_kind]}"
        )


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """The config as plain JSON values."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The config that `to_dict` wrote, in this version or an older one.

    Raises:
        UserError: an option that this version does not have.
    """
    return _section(TrainConfig, with_loss_section(values), "config")


def _section(section: type, values: Mapping[str, Any], path: str) -> Any:
    types, fields = typing.get_type_hints(section), {}
    for name, value in values.items():
        if name not in types:
            raise UserError(
                f"unknown option {path}.{name}={value!r}: written by another version of jaxact?"
            )
        if isinstance(value, Mapping):
            section_type = _model_sections(values).get(name, types[name])
            fields[name] = _section(section_type, value, f"{path}.{name}")
        elif isinstance(value, list):
            fields[name] = tuple(value)
        else:
            fields[name] = value
    return section(**fields)


def _model_sections(values: Mapping[str, Any]) -> dict[str, Any]:
    """The types of the sections that depend on the model."""
    model = values["model"]["name"]
    clip, augment = INPUTS[kind(model)]
    return {
        "model": MODELS[model],
        "clip": clip,
        "augment": augment,
        "loss": loss_section(model),
    }


def _types(section: Any) -> dict[str, Any]:
    return typing.get_type_hints(type(section)) if dataclasses.is_dataclass(section) else {}


def _existing(option: str, section: Any, name: str) -> str:
    """The option itself; raises UserError where the section does not have it."""
    if option not in _types(section):
        raise unknown(f"option config.{name}: no", option, _types(section))
    return option


def _parse(text: str, option_type: Any, name: str) -> Any:
    """The value of this type that `text` spells."""
    if typing.get_origin(option_type) is Literal:
        choices = typing.get_args(option_type)
        if text not in choices:
            raise unknown(f"value of {name}", text, choices)
        return text
    if typing.get_origin(option_type) is tuple:
        item_type = typing.get_args(option_type)[0]
        items = [item.strip() for item in text.strip("()[] ").split(",")]
        return tuple(_parse(item, item_type, name) for item in items if item)
    try:
        if option_type is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        return option_type(text)
    except (KeyError, ValueError):
        expected = "true or false" if option_type is bool else option_type.__name__
        raise UserError(f"{name} takes {expected}, not {text!r}") from None
