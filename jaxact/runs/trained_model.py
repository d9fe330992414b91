"""A trained network with its metadata, loaded from a checkpoint alone."""

import copy
import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import unflatten_dict

from jaxact import config, models
from jaxact.config import protocols
from jaxact.errors import UserError
from jaxact.runs import checkpoint, ready_networks, state
from jaxact.skeletons import Layout


@dataclasses.dataclass(frozen=True, slots=True)
class TrainedModel:
    """A network, its weights, and the metadata of its run.

    Attributes:
        model: the module.
        weights: Linen variables; the moving average of the parameters if the run has one.
        config: the run's resolved config.
        layout: the joints.
        labels: class names, in the order of the logits.
        channels: what the numbers of a joint are, e.g. ("x", "y", "z").
        step: of the checkpoint.
        selection: how that step was selected, in words.
        radii: mean distances of the joints from the gravity centre, if the partition is based on
          them.
        version: version of the training data; "" for arrays.
    """

    model: nn.Module
    weights: Any
    config: config.TrainConfig
    layout: Layout
    labels: tuple[str, ...]
    channels: tuple[str, ...]
    step: int
    selection: str
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


def example_input(metadata: RunMetadata, *, training: bool = True) -> jax.ShapeDtypeStruct:
    """The shape and dtype of a batch of one clip.

    Args:
        metadata: of the run.
        training: the shape in training, which may have fewer frames than in evaluation.
    """
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
) -> TrainedModel:
    """Loads the network of a run from its checkpoint, or a ready network.

    Args:
        workdir: the --workdir of `jaxact train`, or `ready:NAME`.
        step: a step to load; by default the run's own `select` decides.
        how: "last" or "best", in place of the run's `select`.
        classifier: refuse a network without classes.

    Raises:
        UserError: no checkpoint, no such step, a checkpoint that does not fit its own metadata, or
          one of a network without classes.
    """
    if ready_networks.is_ready(workdir):
        return load_ready(ready_networks.find(workdir), step, how)
    checkpoints = checkpoint.Checkpoints(workdir, read_only=True)
    try:
        latest = RunMetadata.from_dict(checkpoints.meta(checkpoints.select("last")))
        how = how or latest.config.select
        selected_step = checkpoints.select(how, step)
        metadata = RunMetadata.from_dict(checkpoints.meta(selected_step))
        run = metadata.config
        if classifier and run.model.name in models.UNSUPERVISED:
            raise _no_classes(str(workdir), run.model.name)
        model = build(metadata)
        inputs = example_input(metadata)
        variables = jax.eval_shape(lambda: state.init(model, inputs, run.seed))
        shapes = {
            "params": variables["params"],
            "batch_stats": variables.get("batch_stats", {}),
            "ema": variables["params"] if run.optim.ema else None,
        }
        device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        weights = checkpoints.restore_weights(selected_step, shapes, device)
    finally:
        checkpoints.close()
    params = weights["params"]
    if weights["ema"] is not None:
        params = weights["ema"]
    variables = state.variables(params, weights["batch_stats"])
    selection = _describe_selection(how, step, run)
    return _trained(metadata, model, variables, selected_step, selection)


def load_ready(
    ready: ready_networks.ReadyNetwork, step: int | None = None, how: str | None = None
) -> TrainedModel:
    """Loads a ready network, a classifier with one checkpoint; `step` and `how`: see `load`."""
    ready.check_selection(step, how)
    values = ready.values
    metadata = RunMetadata.from_dict(values["run"])
    arrays = {name: jnp.asarray(array) for name, array in ready.arrays().items()}
    variables = unflatten_dict(arrays, sep="/")
    model = build(metadata)
    return _trained(metadata, model, variables, values["step"], values["selection"])


def _trained(
    metadata: RunMetadata, model: nn.Module, variables: Any, step: int, selection: str
) -> TrainedModel:
    return TrainedModel(
        model=model,
        weights=variables,
        config=metadata.config,
        layout=metadata.layout,
        labels=metadata.labels,
        channels=metadata.channels,
        step=step,
        selection=selection,
        radii=metadata.radii,
        version=metadata.version,
    )


def _no_classes(workdir: str, name: str) -> UserError:
    hint = f"train a classifier from it with --config.init_from={workdir}"
    if name == "pose":
        hint = "`jaxact evaluate` and `jaxact stream --pose` take it"
    return UserError(
        f"{workdir!r} holds a network of the kind {name!r}, which gives no classes; {hint}"
    )


def fingerprint(net: TrainedModel) -> dict[str, Any]:
    """The step and a digest of every weight, which identify a network."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(net.weights):
        digest.update(jax.tree_util.keystr(path).encode() + np.asarray(leaf).tobytes())
    return {"step": net.step, "weights": digest.hexdigest()[:16]}


def input_kind(workdir: str | Path) -> str:
    """The kind of records that the network of a run reads: "skeleton", "video" or "pose".

    Args:
        workdir: see `load`.

    Raises:
        UserError: no checkpoint.
    """
    if ready_networks.is_ready(workdir):
        metadata = RunMetadata.from_dict(ready_networks.find(workdir).values["run"])
        return config.kind(metadata.config.model.name)
    checkpoints = checkpoint.Checkpoints(workdir, read_only=True)
    try:
        metadata = RunMetadata.from_dict(checkpoints.meta(checkpoints.select("last")))
    finally:
        checkpoints.close()
    return config.kind(metadata.config.model.name)


def with_options(net: TrainedModel, options: Mapping[str, Any]) -> TrainedModel:
    """`net` with other values of options that no weight depends on.

    Args:
        net: the network.
        options: values by name, such as "model.kept" or "clip.views"; None changes nothing.

    Raises:
        UserError: the network has no such option, or the option no such value.
    """
    run = copy.deepcopy(net.config)
    model_options = {}
    for name, value in options.items():
        if value is None:
            continue
        config.override(run, name, str(value))
        if name.startswith("model."):
            model_options[name.removeprefix("model.")] = value
    return dataclasses.replace(net, config=run, model=net.model.clone(**model_options))


def _describe_selection(how: str, step: int | None, run: config.TrainConfig) -> str:
    if step is not None:
        return "given by the user"
    if how == "best":
        return (
            f"best top-1 on the split {run.data.eval_split!r} of {run.data.name!r} during training"
        )
    return "the last checkpoint of the run"
