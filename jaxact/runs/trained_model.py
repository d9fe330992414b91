"""A trained network as one value: what evaluation, prediction and export need, read from a
checkpoint alone.
"""

import copy
import dataclasses
import hashlib
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


@dataclasses.dataclass(frozen=True, slots=True)
class RunMetadata:
    """What a checkpoint stores beside its arrays: enough to build the network again.

    Attributes:
      config: the run's resolved config.
      layout: the joints of its clips.
      labels: class names, in the order of the logits.
      channels: what the numbers of a joint are, e.g. ("x", "y", "z").
      radii: the joints' mean distances from the gravity centre, where the partition is made of
          them.
      size: clips of the training split; None where the metadata names no data set.
      version: version of the data set; "" for arrays.
    """

    config: config.TrainConfig
    layout: Layout
    labels: tuple[str, ...]
    channels: tuple[str, ...]
    radii: tuple[float, ...] | None = None
    size: int | None = None
    version: str = ""

    @property
    def protocol(self) -> str:
        """The preprocessing protocol that the config follows, and what it changes of it."""
        return protocols.describe(self.config)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        values = {
            "config": config.to_dict(self.config),
            "protocol": self.protocol,
            "layout": self.layout.to_dict(),
            "labels": list(self.labels),
            "channels": list(self.channels),
            "radii": self.radii,
        }
        if self.size is not None:
            values["data"] = {"size": self.size, "version": self.version}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunMetadata":
        """Reads what `to_dict` wrote, of this version or an older one.

        Raises:
          KeyError: a field is missing.
          UserError: an option of the config that this version does not have.
        """
        radii = values.get("radii")
        data = values.get("data", {})
        return cls(
            config=config.from_dict(values["config"]),
            layout=Layout.from_dict(values["layout"]),
            labels=tuple(values["labels"]),
            channels=tuple(values["channels"]),
            radii=tuple(radii) if radii else None,
            size=data.get("size"),
            version=data.get("version", ""),
        )


def build(metadata: RunMetadata, *, axis_name: str | None = None) -> nn.Module:
    """The network that `metadata` describes, without weights.

    Args:
      axis_name: mesh axis over which batch statistics are averaged.
    """
    spec = models.InputSpec(
        layout=metadata.layout,
        num_classes=len(metadata.labels),
        channels=metadata.channels,
        radii=metadata.radii or None,
        axis_name=axis_name,
    )
    options = dataclasses.asdict(metadata.config.model)
    return models.build(options.pop("name"), spec, **options)


def example(metadata: RunMetadata, *, training: bool = True) -> jax.ShapeDtypeStruct:
    """The shape of a batch of one clip, in training or in evaluation."""
    run: Any = metadata.config
    clip = run.clip
    kind_read = config.kind(run.model.name)
    if kind_read == "pose":
        return jax.ShapeDtypeStruct((1, clip.height, clip.width, 3), np.float32)
    if kind_read == "video":
        colours = 2 if clip.stream == "flow" else 3
        return jax.ShapeDtypeStruct((1, clip.frames, clip.height, clip.width, colours), np.float32)
    frames = clip.frames
    if training and run.augment.window:
        frames = run.augment.window
    joints = len(metadata.layout.joints)
    channels = len(metadata.channels) * len(clip.stream.split("+"))
    return jax.ShapeDtypeStruct((1, frames, clip.persons, joints, channels), np.float32)


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
        latest = RunMetadata.from_dict(saved.meta(saved.select("last")))
        how = how or latest.config.select
        chosen = saved.select(how, step)
        metadata = RunMetadata.from_dict(saved.meta(chosen))
        run = metadata.config
        if classifier and run.model.name in models.UNSUPERVISED:
            pose = "`jaxact evaluate` and `jaxact stream --pose` take it"
            other = f"train a classifier from it with --config.init_from={workdir}"
            raise UserError(
                f"{str(workdir)!r} holds a network of the kind {run.model.name!r}, which gives no classes; "
                f"{pose if run.model.name == 'pose' else other}"
            )
        model = build(metadata)
        variables = jax.eval_shape(lambda: state.init(model, example(metadata), run.seed))
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
        layout=metadata.layout,
        labels=metadata.labels,
        channels=metadata.channels,
        step=chosen,
        chosen=_reason(how, step, run),
        radii=metadata.radii,
        version=metadata.version,
    )


def fingerprint(net: Trained) -> dict[str, Any]:
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
        metadata = RunMetadata.from_dict(saved.meta(saved.select("last")))
    finally:
        saved.close()
    return config.kind(metadata.config.model.name)


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


def check_same_run(old: RunMetadata, new: RunMetadata, folder: Path) -> None:
    """Raises UserError where the checkpoints in `folder` are of another run than `new`."""
    before, after = _flat(config.to_dict(old.config)), _flat(config.to_dict(new.config))
    changed = []
    for name in sorted(before.keys() | after.keys()):
        if name not in _FREE and before.get(name) != after.get(name):
            changed.append(f"{name} {before.get(name)!r} -> {after.get(name)!r}")
    if changed:
        changes = ", ".join(changed[:4])
        if len(changed) > 4:
            changes += ", ..."
        raise UserError(
            f"{str(folder.parent)!r} holds a run with other options ({changes}); "
            "resume with the same ones, or give another --workdir"
        )
    for name, pair in {
        "labels": (old.labels, new.labels),
        "layout": (old.layout, new.layout),
        "channels": (old.channels, new.channels),
        "data": ((old.size, old.version), (new.size, new.version)),
    }.items():
        if pair[0] != pair[1]:
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
