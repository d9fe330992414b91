"""Other people's networks as runs: a folder with one checkpoint, which every command takes like one
of our own.
"""

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
from jaxact.errors import UserError
from jaxact.interop import pyskl, torch_files, torch_stgcn
from jaxact.interop.torch_state import Network
from jaxact.runs import state, trained_model
from jaxact.runs.checkpoint import Checkpoints

Reader = Callable[[Mapping[str, np.ndarray]], tuple[Network, tuple[str, ...]]]

# Whose names the file has: how it is read, and the preprocessing that such networks are fed with.
KINDS: dict[str, tuple[Reader, str]] = {
    "torch-stgcn": (torch_stgcn.network, "stgcn-released"),
    "pyskl": (pyskl.network, "pyskl-u100"),
}
# Sets whose classes have names here: (layout, classes) -> set, its splits, and the list of the
# names.
_SETS = {
    ("ntu-25", 60): ("ntu60", "xsub_train", "xsub_test", "ntu_classes"),
    ("ntu-25", 120): ("ntu120", "xsub_train", "xsub_test", "ntu_classes"),
    ("openpose-18", 400): ("kinetics_skeleton", "train", "val", "kinetics_classes"),
}
_SAME = 1e-5  # between the entries of two graphs


def bring_in(
    kind: str,
    file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    layout: str | None = None,
    labels: str | None = None,
    data: str | None = None,
) -> tuple[trained_model.RunMetadata, int, tuple[str, ...]]:
    """Writes the folder of a run with a checkpoint of step 0.

    Args:
        kind: a key of `KINDS`.
        file: what PyTorch wrote.
        out: the folder; must not hold a run.
        layout: of the joints, where their number and the file's graph do not tell.
        labels: a file with a class name a line; without one, the known names or numbers.
        data: the prepared set that `evaluate` is to read.

    Returns:
        What is saved beside the weights, how many numbers these are, and what of the file was left
        aside.

    Raises:
        UserError: a file that cannot be read, another network, an array without a place or of
            another shape, a graph that is not the layout's, or a folder that holds a run. Nothing
            is written then.
    """
    read, protocol = KINDS[kind]
    try:
        weights, aside = torch_files.read(file)
        found, unused = read(weights)
        joints, partition = _layout(found, layout)
    except UserError as error:
        where = repr(os.fspath(file))
        raise (
            error if where in str(error) else UserError(f"{where} cannot be taken over: {error}")
        ) from error
    known = _SETS.get((joints.name, found.classes))
    names = _labels(labels, found.classes, known)
    meta = _describe(found, joints, partition, names, protocol, (data, known))
    variables = unflatten_dict(_fitted(found, meta, os.fspath(file)), sep="/")
    if (Path(out) / "checkpoints").exists():
        raise UserError(f"{os.fspath(out)!r} holds a run already; give another --out")
    params = variables["params"]
    begun = state.TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        opt_state={},
    )
    saved = Checkpoints(Path(out))
    saved.save(begun, meta.to_dict())
    saved.close()
    return meta, sum(array.size for array in jax.tree.leaves(variables)), (*aside, *unused)


def _layout(found: Network, given: str | None) -> tuple[skeletons.Layout, dict[str, str]]:
    """The joints, and how their graph is partitioned where the file tells: the first that gives its
    very numbers.
    """
    from jaxact.datasets.formats.label_table import USUAL_LAYOUTS, choose_layout

    if found.graph is None:
        return choose_layout(given, found.joints, USUAL_LAYOUTS), {}
    fitting = [
        name for name, layout in skeletons.LAYOUTS.items() if len(layout.joints) == found.joints
    ]
    layouts = (
        [choose_layout(given, found.joints)]
        if given
        else [skeletons.get_layout(name) for name in fitting]
    )
    for layout in layouts:
        for strategy in skeletons.STRATEGIES:
            for norm in skeletons.NORMS:
                graph = skeletons.adjacency(layout, strategy, norm)
                if graph.shape == found.graph.shape and np.abs(graph - found.graph).max() < _SAME:
                    return layout, {"strategy": strategy, "norm": norm}
    tried = ", ".join(layout.name for layout in layouts) or f"any layout of {found.joints} joints"
    raise UserError(
        f"its graph is no partition of {tried}; give the layout that it was made for (--layout)"
    )


def _labels(path: str | None, classes: int, known: tuple[str, ...] | None) -> tuple[str, ...]:
    if path is None and known is None:
        return tuple(map(str, range(classes)))
    try:
        lists = Path(skeletons.__file__).parents[1] / "datasets" / "lists"
        file = Path(path) if path is not None else lists / f"{known[-1] if known else path}.txt"
        names = [
            line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read the class names {path!r}: {getattr(error, 'strerror', error)}"
        ) from error
    names = names[:classes] if path is None else names
    if len(names) != classes or len(set(names)) != classes:
        raise UserError(
            f"{path!r} has {len(set(names))} class names, the network {classes} classes"
        )
    return tuple(names)


def _describe(
    found: Network,
    layout: skeletons.Layout,
    partition: Mapping[str, str],
    names: tuple[str, ...],
    protocol: str,
    where: tuple[str | None, tuple[str, ...] | None],
) -> trained_model.RunMetadata:
    """What lies beside the checkpoint: a config as of a run of our own, whose preprocessing is the
    code's.
    """
    from jaxact.datasets.formats.label_table import choose_channels

    channels, (data, known) = choose_channels(None, layout, found.channels), where
    section, options = training.MODELS[found.model["name"]], _options(found.model)
    if strange := options.keys() - {field.name for field in dataclasses.fields(section)}:
        raise UserError(
            f"a network with {', '.join(sorted(strange))} is not trained or evaluated here"
        )
    run = config.TrainConfig(model=section(**options, **partition))
    flat = channels != ("x", "y", "z")
    fits = not flat or channels[-1] == "score"
    protocol = f"{protocol}-2d" if flat else protocol
    lacking = not fits or any(
        getattr(layout, part) is None for part in protocols.get(protocol).needs
    )
    if not lacking:
        config.follow(run, protocol)
    if (
        found.model["network"] == "skeletonclr" and not lacking
    ):  # 2s-AGCN's arrays, made 50 frames long
        config.follow(run, "agcn-2d" if flat else "agcn")
        run.clip.frames, run.clip.sampling, run.clip.empty = 50, "resize", "keep"
    run.clip.persons = found.persons or run.clip.persons
    run.data.name, run.data.train_split, run.data.eval_split = (
        (data or (known[0] if known else "")),
        *(known[1:3] if known else ("train", "test")),
    )
    return trained_model.RunMetadata(run, layout, names, channels, size=0)


def _options(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in model.items() if name != "name"}


def _fitted(found: Network, meta: trained_model.RunMetadata, file: str) -> dict[str, np.ndarray]:
    """The arrays, each of the shape that the network has at its place."""
    net = trained_model.build(meta)
    fresh = jax.eval_shape(lambda: state.init(net, trained_model.example(meta, training=False), 0))
    flat: dict[tuple[str, ...], Any] = dict(flatten_dict(dict(fresh)))
    wanted = {"/".join(path): array.shape for path, array in flat.items()}
    given = {name: array.shape for name, array in found.arrays.items()}
    complaints = [
        f"{name} {given.get(name, 'missing')}, wanted {wanted.get(name, 'nothing')}"
        for name in sorted(wanted.keys() | given.keys())
        if given.get(name) != wanted.get(name)
    ]
    if complaints:
        more = f"; and {len(complaints) - 6} more" if len(complaints) > 6 else ""
        raise UserError(
            f"{file!r} does not fit {found.model['name']!r}: {'; '.join(complaints[:6])}{more}"
        )
    return dict(found.arrays)
