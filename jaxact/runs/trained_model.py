"""A trained network as one value: what evaluation, prediction and export need, read from a
checkpoint alone.
"""

import copy
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxact import config, models
from jaxact.config import protocols
from jaxact.errors import UserError
from jaxact.runs import checkpoint, state
from jaxact.skeletons import Layout

Meta = dict[str, Any]

# Options that may differ when a run is resumed: none of them changes what the parameters become.
_FREE = (
    "epochs",
    "devices",
    "parallel",
    "log_every",
    "eval_every",
    "checkpoint_every",
    "select",
    "data.data_dir",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Trained:
    """A network, its weights, and what was saved beside them.

    Attributes:
      weights: Linen variables; the moving average of the parameters where the run kept one.
      config: the run's resolved config.
      labels: class names, in the order of the logits.
      channels: what the numbers of a joint are, e.g. ("x", "y", "z").
      step: of the checkpoint.
      chosen: how that step was chosen, in words.
      radii: the joints' mean distances from the gravity centre, where the partition is made of
          them.
      version: of the data set that the network was trained on; "" for arrays.
    """

    model: nn.Module
    weights: Any
    config: config.TrainConfig
    layout: Layout
    labels: tuple[str, ...]
    channels: tuple[str, ...]
    step: int
    chosen: str
    radii: tuple[float, ...] | None = None
    version: str = ""


def describe(
    run: config.TrainConfig,
    layout: Layout,
    labels: tuple[str, ...],
    channels: tuple[str, ...],
    **more,
) -> Meta:
    """What a checkpoint keeps beside its arrays, as plain JSON values."""
    return {
        "config": config.to_dict(run),
        "protocol": protocols.describe(run),
        "layout": layout.to_dict(),
        "labels": list(labels),
        "channels": list(channels),
        **more,
    }


def build(meta: Meta, *, axis_name: str | None = None, portable: bool = False) -> nn.Module:
    """The network that `meta` describes, without weights; `portable` keeps to forms that every
    platform runs well.
    """
    written = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in meta["config"]["model"].items()
    }
    section: Meta = written | ({"fast": False} if portable else {})
    extra = {"radii": np.asarray(meta["radii"], np.float64)} if meta.get("radii") else {}
    return models.build(
        section.pop("name"),
        layout=Layout.from_dict(meta["layout"]),
        num_classes=len(meta["labels"]),
        channels=tuple(meta["channels"]),
        axis_name=axis_name,
        **section,
        **extra,
    )


def example(meta: Meta, *, training: bool = True) -> jax.ShapeDtypeStruct:
    """The shape of one clip, as training or as evaluation sees it."""
    clip, joints = meta["config"]["clip"], len(meta["layout"]["joints"])
    reads = config.kind(meta["config"]["model"]["name"])
    if reads == "pose":
        return jax.ShapeDtypeStruct((1, clip["height"], clip["width"], 3), np.float32)
    if reads == "video":
        colours = 2 if clip["stream"] == "flow" else 3
        return jax.ShapeDtypeStruct(
            (1, clip["frames"], clip["height"], clip["width"], colours), np.float32
        )
    frames = (meta["config"]["augment"]["window"] if training else 0) or clip["frames"]
    width = len(meta["channels"]) * len(clip["stream"].split("+"))
    return jax.ShapeDtypeStruct((1, frames, clip["persons"], joints, width), np.float32)


def load(
    workdir: str | Path, *, step: int | None = None, how: str | None = None, classifier: bool = True
) -> Trained:
    """The network of a run, from its checkpoint.

    Args:
      workdir: the --workdir of `jaxact train`.
      step: a step to load; by default the run's own `select` decides.
      how: "last" or "best", in place of the run's `select`.
      classifier: refuse a network that gives no classes.

    Raises:
      UserError: no checkpoint, no such step, a checkpoint that does not fit the network it
        describes, or one of a network that gives no classes.
    """
    saved = checkpoint.Checkpoints(workdir, read_only=True)
    try:
        first = saved.meta(saved.select("last"))
        how = how or str(first["config"]["select"])
        chosen = saved.select(how, step)
        meta = saved.meta(chosen)
        run = config.from_dict(meta["config"])
        if classifier and run.model.name in models.UNSUPERVISED:
            pose = "`jaxact evaluate` and `jaxact stream --pose` take it"
            other = f"train a classifier from it with --config.init_from={workdir}"
            raise UserError(
                f"{str(workdir)!r} holds a network of the kind {run.model.name!r}, which gives no classes; "
                f"{pose if run.model.name == 'pose' else other}"
            )
        model = build(meta)
        variables = jax.eval_shape(lambda: state.init(model, example(meta), run.seed))
        ema = variables["params"] if run.optim.ema else None
        like = {
            "params": variables["params"],
            "batch_stats": variables.get("batch_stats", {}),
            "ema": ema,
        }
        found = saved.restore_weights(
            chosen, like, jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        )
    finally:
        saved.close()
    params = found["params"] if found["ema"] is None else found["ema"]
    return Trained(
        model=model,
        weights=state.variables(params, found["batch_stats"]),
        config=run,
        layout=Layout.from_dict(meta["layout"]),
        labels=tuple(meta["labels"]),
        channels=tuple(meta["channels"]),
        step=chosen,
        chosen=_reason(how, step, run),
        radii=tuple(meta["radii"]) if meta.get("radii") else None,
        version=meta["data"].get("version", ""),
    )


def fingerprint(net: Trained) -> Meta:
    """The step and a digest of every weight: what tells this network from any other."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(net.weights):
        digest.update(jax.tree_util.keystr(path).encode() + np.asarray(leaf).tobytes())
    return {"step": net.step, "weights": digest.hexdigest()[:16]}


def kind(workdir: str | Path) -> str:
    """What the network of a run reads: "skeleton", "video" or "pose".

    Raises:
      UserError: no checkpoint.
    """
    saved = checkpoint.Checkpoints(workdir, read_only=True)
    try:
        return config.kind(saved.meta(saved.select("last"))["config"]["model"]["name"])
    finally:
        saved.close()


def at_test_time(net: Trained, options: Mapping[str, Any]) -> Trained:
    """`net` with other values of options that no weight depends on, "model.kept", "clip.views" ...;
    None stays.

    Raises:
      UserError: the network has no such option, or the option no such value.
    """
    given = {name: value for name, value in options.items() if value is not None}
    run = copy.deepcopy(net.config)
    for name, value in given.items():
        config.override(run, name, str(value))
    of_model = {
        name.removeprefix("model."): value
        for name, value in given.items()
        if name.startswith("model.")
    }
    return dataclasses.replace(net, config=run, model=net.model.clone(**of_model))


def check_same_run(old: Meta, new: Meta, folder: Path) -> None:
    """Raises UserError where the run in `folder` is another one than the run asked for."""
    # Options that are younger than the run have the defaults that it was made with.
    before, after = _flat(config.to_dict(config.from_dict(old["config"]))), _flat(new["config"])
    names = sorted(
        n for n in before.keys() | after.keys() if n not in _FREE and before.get(n) != after.get(n)
    )
    if names:
        changes = ", ".join(f"{n} {before.get(n)!r} -> {after.get(n)!r}" for n in names[:4])
        raise UserError(
            f"{str(folder.parent)!r} holds a run with other options ({changes}{', ...' if len(names) > 4 else ''}); "
            "resume with the same ones, or give another --workdir"
        )
    for name in ("labels", "layout", "channels", "data"):
        if json.loads(json.dumps(old[name])) != json.loads(json.dumps(new[name])):
            raise UserError(
                f"{str(folder.parent)!r} holds a run on data with other {name}; give another --workdir"
            )


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for name, value in section.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = list(value) if isinstance(value, tuple) else value
    return flat


def _reason(how: str, step: int | None, run: config.TrainConfig) -> str:
    if step is not None:
        return "given by the user"
    if how == "best":
        return (
            f"best top-1 on the split {run.data.eval_split!r} of {run.data.name!r} during training"
        )
    return "the last checkpoint of the run"
