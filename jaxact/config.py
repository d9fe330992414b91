"""Every option once: its type, unit and default. Files in `configs/` fill these in; only the commands see them."""

import dataclasses
import runpy
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jaxact.errors import UserError, unknown


@dataclasses.dataclass(kw_only=True, slots=True)
class DataConfig:
    """Which records are read."""

    name: str = "synthetic_actions"  # a prepared dataset; `custom/NAME` for one of your own
    data_dir: str = ""  # folder that `jaxact prepare` wrote to; "" = $TFDS_DATA_DIR or ~/tensorflow_datasets
    train_split: str = "train"  # a split or protocol split of the dataset, e.g. "xsub_train"
    eval_split: str = "test"  # the split evaluated during and after training
    shuffle_buffer: int = 8192  # records held for shuffling


@dataclasses.dataclass(kw_only=True, slots=True)
class ClipConfig:
    """How a clip becomes model input, in training and in evaluation alike. A published number depends on all of it."""

    frames: int = 300  # T
    persons: int = 2  # M
    sampling: Literal["window", "resize"] = (
        "window"  # first T frames and padding, or linear resampling of the whole clip to T
    )
    pad: Literal["zero", "replay"] = "zero"  # what fills a clip shorter than T (window only)
    person: Literal["file", "frame_score", "clip_mean", "energy"] = "file"  # which M people are kept
    stream: str = "joint"  # joint, bone, joint_motion or bone_motion; several, joined by "+", are put side by side
    center: Literal["none", "frame", "first"] = (
        "none"  # subtract the centre joint of person 0: per frame, or of the first frame
    )
    align: bool = False  # 3-D: rotate so that the spine of the first frame is z and the shoulders x
    scale: Literal["none", "skeleton"] = "none"  # divide by the clip's mean bone length times the number of bones
    views: int = 1  # evaluation clips per record, their probabilities averaged


@dataclasses.dataclass(kw_only=True, slots=True)
class AugmentConfig:
    """Random changes made in training only."""

    window: int = 0  # frames of a random window placed in T frames (ST-GCN's random_choose); 0 = off
    move: bool = (
        False  # ST-GCN's random moving: rotation, scale and translation interpolated over the clip, x and y only
    )
    crop: float = 1.0  # resize sampling: shortest random share of the clip that is kept, in (0, 1]
    rotate: float = 0.0  # largest random rotation in radians: about each axis (3-D) or in the plane (2-D)
    rescale: float = 0.0  # random scale in [1 - a, 1 + a], one draw per spatial axis
    jitter: float = 0.0  # standard deviation of noise on present joints, in units of the input
    mirror: bool = False  # left/right mirror with probability 1/2; only where labels have no side
    swap: bool = False  # exchange the first two persons with probability 1/2
    drop_joints: float = 0.0  # probability that a joint is missing for the whole clip


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNConfig:
    """ST-GCN (Yan, Xiong and Lin, AAAI 2018)."""

    name: Literal["stgcn"] = "stgcn"
    network: Literal["stem9", "literal9"] = "stem9"  # input layer and nine units, or nine units
    strategy: Literal["uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2"] = "spatial"
    norm: Literal["subset", "eq10", "joint"] = "subset"
    metric: Literal["hop", "gravity"] = "hop"
    edge_importance: bool = True
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNPPConfig:
    """ST-GCN++ (Duan, Wang, Chen and Lin, ACM MM 2022)."""

    name: Literal["stgcnpp"] = "stgcnpp"
    network: Literal["ten", "six"] = "ten"  # the paper's ten units, or six for small graphs
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class CTRGCNConfig:
    """CTR-GCN (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021)."""

    name: Literal["ctrgcn"] = "ctrgcn"
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


# A model's section is chosen by its class in the config file; `name` in it says which network it is.
ModelConfig = STGCNConfig | STGCNPPConfig | CTRGCNConfig
MODELS = {  # the section that `model.name` stands for
    "stgcn": STGCNConfig,
    "stgcnpp": STGCNPPConfig,
    "ctrgcn": CTRGCNConfig,
}


@dataclasses.dataclass(kw_only=True, slots=True)
class OptimConfig:
    """Optimiser and schedule. Epochs may be fractions."""

    name: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9  # SGD
    nesterov: bool = True  # SGD
    weight_decay: float = 1e-4
    decay: Literal["all", "kernels"] = "all"  # which parameters decay: all, or arrays of two and more axes
    schedule: Literal["constant", "step", "cosine"] = "step"
    milestones: tuple[float, ...] = (10.0, 50.0)  # epochs at which the step schedule multiplies by `factor`
    factor: float = 0.1
    warmup: float = 0.0  # epochs of linear warm-up from zero
    clip_norm: float = 0.0  # largest global gradient norm; 0 = off
    ema: float = 0.0  # decay of the parameters' moving average that evaluation then uses; 0 = off
    accumulate: int = 1  # micro-batches per step


@dataclasses.dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One run."""

    model: ModelConfig = dataclasses.field(default_factory=STGCNConfig)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    clip: ClipConfig = dataclasses.field(default_factory=ClipConfig)
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)
    optim: OptimConfig = dataclasses.field(default_factory=OptimConfig)
    seed: int = 0
    batch_size: int = 64  # examples per step, over all devices and processes
    epochs: int = 80
    label_smoothing: float = 0.0
    parallel: Literal["jit", "pmap"] = "jit"
    batch_norm: Literal["global", "per_device"] = "global"
    devices: int = 0  # devices used; 0 = all
    log_every: int = 50  # steps
    eval_every: float = 5.0  # epochs; 0 = only at the end
    checkpoint_every: int = 500  # steps
    select: Literal["last", "best"] = (
        "last"  # which checkpoint evaluate and export take: the last, or best top-1 on eval_split
    )


def load(file: str, overrides: Sequence[str] = ()) -> TrainConfig:
    """The config of `FILE.py` or `FILE.py:ARG`, whose `get_config(ARG)` returns a TrainConfig, with options replaced.

    Args:
      file: path of a config file; what follows a colon is handed to its `get_config`.
      overrides: "--config.optim.learning_rate=0.05" and the like.

    Raises:
      UserError: no such file, a file that fails, an unknown option, or a value of the wrong type.
    """
    path, _, arg = file.partition(":")
    if not Path(path).is_file():
        near = sorted(str(p) for p in Path(path).parent.glob("*.py")) if Path(path).parent.is_dir() else []
        raise UserError(f"no config file {path!r}; in that folder: {', '.join(near) or 'no .py file'}")
    try:
        config = runpy.run_path(path)["get_config"](arg)
    except Exception as error:
        raise UserError(f"the config file {path!r} fails with {type(error).__name__}: {error}") from error
    if not isinstance(config, TrainConfig):
        raise UserError(f"get_config in {path!r} returns {type(config).__name__}; wanted jaxact.config.TrainConfig")
    for item in overrides:
        name, given, text = item.partition("=")
        if not name.startswith("--config.") or not given:
            raise UserError(
                f"unknown argument {item!r}; options of the config are given as --config.section.option=value"
            )
        override(config, name.removeprefix("--config."), text)
    check(config)
    return config


def override(config: Any, name: str, text: str) -> None:
    """Sets the option with the dotted `name` from the text of a command line, checked against the option's type."""
    *path, option = name.split(".")
    section = config
    for part in path:
        section = getattr(section, _known(part, section, name))
    kind = _types(section)[_known(option, section, name)]
    if dataclasses.is_dataclass(getattr(section, option)):
        raise UserError(
            f"config.{name} is a section; set one of its options: {', '.join(_types(getattr(section, option)))}"
        )
    setattr(section, option, _parse(text, kind, f"config.{name}"))


def check(section: Any, where: str = "config") -> None:
    """Raises UserError for the first option whose value is none of its choices or of another type."""
    for name, kind in _types(section).items():
        value = getattr(section, name)
        if dataclasses.is_dataclass(value):
            check(value, f"{where}.{name}")
        elif typing.get_origin(kind) is Literal:
            if value not in typing.get_args(kind):
                raise unknown(f"value of {where}.{name}", value, typing.get_args(kind))
        elif not isinstance(value, (int, float) if kind is float else typing.get_origin(kind) or kind):
            raise UserError(f"{where}.{name} takes {kind.__name__}, not {value!r}")
        elif isinstance(value, (int, float)) and value < 0:
            raise UserError(f"{where}.{name} takes a number from 0 up, not {value!r}")


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """The config as plain JSON values."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The config that `to_dict` wrote.

    Raises:
      UserError: an option that this version does not know.
    """
    return _section(TrainConfig, values, "config")


def _section(kind: type, values: Mapping[str, Any], where: str) -> Any:
    types = typing.get_type_hints(kind)
    fields = {}
    for name, value in values.items():
        if name not in types:
            raise UserError(f"unknown option {where}.{name}={value!r}: written by another version of jaxact?")
        if isinstance(value, Mapping):
            section = MODELS[value["name"]] if name == "model" else types[name]
            fields[name] = _section(section, value, f"{where}.{name}")
        else:
            fields[name] = tuple(value) if isinstance(value, list) else value
    return kind(**fields)


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
        raise UserError(f"{name} takes {'true or false' if kind is bool else kind.__name__}, not {text!r}") from None
