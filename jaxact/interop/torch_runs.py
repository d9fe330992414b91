"""Imports networks of other projects as runs: a folder with one checkpoint, for every command."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact import config, skeletons
from jaxact.config import protocols, training
from jaxact.errors import UserError, unknown
from jaxact.interop import pyskl, torch_files, torch_stgcn
from jaxact.interop.torch_state import ImportedNetwork
from jaxact.runs import state, trained_model
from jaxact.runs.checkpoint import Checkpoints

Converter = Callable[[Mapping[str, np.ndarray]], tuple[ImportedNetwork, tuple[str, ...]]]

# By the project that a file's names come from: how it is converted, and the preprocessing protocol
# of its networks.
KINDS: dict[str, tuple[Converter, str]] = {
    "torch-stgcn": (torch_stgcn.convert, "stgcn-released"),
    "pyskl": (pyskl.convert, "pyskl-u100"),
}
_GRAPH_TOLERANCE = 1e-5  # largest difference between the entries of two equal graphs
_MAX_COMPLAINTS = 6  # in a message


@dataclasses.dataclass(frozen=True, slots=True)
class _DataSet:
    """A data set whose class names are known.

    Attributes:
        name: of the prepared data set; "" where the user names it.
        labels: the list of its class names.
        splits: names of its splits, the default first; empty where it has one division only.
        eval_part: the part of a split that evaluation reads.
    """

    name: str
    labels: str
    splits: tuple[str, ...] = ()
    eval_part: str = "test"


# By joint layout and number of classes. pyskl's annotations of NTU RGB+D have 17 joints.
_DATA_SETS = {
    ("ntu-25", 60): _DataSet("ntu60", "ntu_classes", ("xsub", "xview")),
    ("ntu-25", 120): _DataSet("ntu120", "ntu_classes", ("xsub", "xset")),
    ("coco-17", 60): _DataSet("", "ntu_classes", ("xsub", "xview"), "val"),
    ("coco-17", 120): _DataSet("", "ntu_classes", ("xsub", "xset"), "val"),
    ("openpose-18", 400): _DataSet("kinetics_skeleton", "kinetics_classes", eval_part="val"),
}


def import_network(
    kind: str,
    file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    layout: str | None = None,
    labels: str | None = None,
    data: str | None = None,
    split: str | None = None,
    stream: str = "joint",
) -> tuple[trained_model.RunMetadata, int, tuple[str, ...]]:
    """Writes the folder of a run with a checkpoint of step 0.

    Args:
        kind: a key of `KINDS`.
        file: the PyTorch checkpoint.
        out: the folder; must not hold a run.
        layout: the joint layout, if the number of joints and the file's graph do not determine it.
        labels: a file with a class name per line; by default the names of the data set with these
            joints and classes, or numbers.
        data: the prepared data set that `evaluate` reads.
        split: the split of the data set that the network was trained on, by default the first.
        stream: what the network reads: "joint", "bone", or the motion of one of them.

    Returns:
        The run's metadata, the number of parameters and statistics, and the names of what the file
        holds beside them.

    Raises:
        UserError: a file that cannot be read, another network, an array that is not part of it or
            of another shape, a graph that is not the layout's, or a folder that holds a run.
            Nothing is written then.
    """
    convert, protocol = KINDS[kind]
    path = os.fspath(file)
    try:
        weights, others = torch_files.read(file)
        network, unused = convert(weights)
        joints, partition = _find_layout(network, layout)
    except UserError as error:
        if repr(path) in str(error):
            raise
        raise UserError(f"cannot import {path!r}: {error}") from error
    data_set = _DATA_SETS.get((joints.name, network.classes))
    names = _read_labels(labels, network.classes, data_set)
    run = _run_config(network, joints, partition, protocol)
    run.clip.stream = stream
    _set_data(run, data, data_set, split)
    metadata = trained_model.RunMetadata(run, joints, names, _channels(network, joints), size=0)
    _check_shapes(network, metadata, path)
    variables = unflatten_dict(dict(network.arrays), sep="/")
    if (Path(out) / "checkpoints").exists():
        raise UserError(f"{os.fspath(out)!r} holds a run already; give another --out")
    initial = state.TrainState(
        step=jnp.zeros((), jnp.int32),
        params=variables["params"],
        batch_stats=variables.get("batch_stats", {}),
        opt_state={},
    )
    checkpoints = Checkpoints(Path(out))
    checkpoints.save(initial, metadata.to_dict())
    checkpoints.close()
    size = sum(array.size for array in jax.tree.leaves(variables))
    return metadata, size, (*others, *unused)


def _find_layout(
    network: ImportedNetwork, name: str | None
) -> tuple[skeletons.Layout, dict[str, str]]:
    """The joint layout, and the partition whose graph equals the file's.

    Args:
        network: without a graph, the partition is empty.
        name: of the layout, or None to try all with this number of joints.
    """
    from jaxact.datasets.formats.label_table import USUAL_LAYOUTS, choose_layout

    if network.graph is None:
        return choose_layout(name, network.joints, USUAL_LAYOUTS), {}
    if name:
        layouts = [choose_layout(name, network.joints)]
    else:
        layouts = []
        for candidate, layout in skeletons.LAYOUTS.items():
            if len(layout.joints) == network.joints:
                layouts.append(skeletons.get_layout(candidate))
    for layout in layouts:
        for strategy in skeletons.STRATEGIES:
            for norm in skeletons.NORMS:
                graph = skeletons.adjacency(layout, strategy, norm)
                if _equal_graphs(graph, network.graph):
                    return layout, {"strategy": strategy, "norm": norm}
    tried = ", ".join(layout.name for layout in layouts)
    raise UserError(
        f"its graph is no partition of {tried or f'any layout of {network.joints} joints'}; "
        "give the layout that it was made for (--layout)"
    )


def _equal_graphs(graph: np.ndarray, other: np.ndarray) -> bool:
    if graph.shape != other.shape:
        return False
    return bool(np.abs(graph - other).max() < _GRAPH_TOLERANCE)


def _read_labels(path: str | None, classes: int, data_set: _DataSet | None) -> tuple[str, ...]:
    """The class names of a file, of a data set, or numbers."""
    if path is None and data_set is None:
        return tuple(map(str, range(classes)))
    if path is None:
        assert data_set is not None
        lists = Path(skeletons.__file__).parents[1] / "datasets" / "lists"
        file = lists / f"{data_set.labels}.txt"
    else:
        file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read the class names {str(file)!r}: {getattr(error, 'strerror', error)}"
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    if path is None:
        names = names[:classes]
    if len(names) != classes or len(set(names)) != classes:
        raise UserError(
            f"{str(file)!r} has {len(set(names))} class names, the network {classes} classes"
        )
    return tuple(names)


def _channels(network: ImportedNetwork, layout: skeletons.Layout) -> tuple[str, ...]:
    from jaxact.datasets.formats.label_table import choose_channels

    return choose_channels(None, layout, network.channels)


def _run_config(
    network: ImportedNetwork,
    layout: skeletons.Layout,
    partition: Mapping[str, str],
    protocol: str,
) -> config.TrainConfig:
    """A run's config with the network's options and the preprocessing of its project."""
    section = training.MODELS[network.model["name"]]
    options = {name: value for name, value in network.model.items() if name != "name"}
    unknown = options.keys() - {field.name for field in dataclasses.fields(section)}
    if unknown:
        raise UserError(
            f"a network with {', '.join(sorted(unknown))} cannot be trained or evaluated here"
        )
    run = config.TrainConfig(model=section(**options, **partition))
    channels = _channels(network, layout)
    two_dimensional = channels != ("x", "y", "z")
    if two_dimensional:
        protocol = f"{protocol}-2d"
    applies = not two_dimensional or channels[-1] == "score"
    if any(getattr(layout, part) is None for part in protocols.get(protocol).needs):
        applies = False
    if applies:
        config.follow(run, protocol)
    if applies and network.model["network"] == "skeletonclr":
        # Its inputs are the arrays of 2s-AGCN, resized to 50 frames.
        config.follow(run, "agcn-2d" if two_dimensional else "agcn")
        run.clip.frames = 50
        run.clip.sampling = "resize"
        run.clip.empty = "keep"
    run.clip.persons = network.persons or run.clip.persons
    return run


def _set_data(
    run: config.TrainConfig, name: str | None, data_set: _DataSet | None, split: str | None
) -> None:
    """Sets the data section: the named data set, or the one with these joints and classes."""
    data_set = data_set or _DataSet("", "")
    if split and split not in data_set.splits:
        raise unknown("split of this network's data set", split, data_set.splits)
    prefix = ""
    if data_set.splits:
        prefix = f"{split or data_set.splits[0]}_"
    run.data.name = name or data_set.name
    run.data.train_split = f"{prefix}train"
    run.data.eval_split = f"{prefix}{data_set.eval_part}"


def _check_shapes(network: ImportedNetwork, metadata: trained_model.RunMetadata, file: str) -> None:
    """Raises UserError if the arrays are not those of the network that `metadata` describes."""
    model = trained_model.build(metadata)
    example = trained_model.example_input(metadata, training=False)
    variables = jax.eval_shape(lambda: state.init(model, example, 0))
    expected = {}
    flat: dict[tuple[str, ...], Any] = dict(flatten_dict(dict(variables)))
    for path, array in flat.items():
        expected["/".join(path)] = array.shape
    actual = {name: array.shape for name, array in network.arrays.items()}
    complaints = []
    for name in sorted(expected.keys() | actual.keys()):
        if actual.get(name) != expected.get(name):
            shape = actual.get(name, "missing")
            complaints.append(f"{name} {shape}, wanted {expected.get(name, 'nothing')}")
    if not complaints:
        return
    shown = "; ".join(complaints[:_MAX_COMPLAINTS])
    if len(complaints) > _MAX_COMPLAINTS:
        shown += f"; and {len(complaints) - _MAX_COMPLAINTS} more"
    raise UserError(f"{file!r} does not fit {network.model['name']!r}: {shown}")
