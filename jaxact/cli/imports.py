"""`jaxact import`: other people's weights."""

import argparse
from pathlib import Path
from typing import Any

from jaxact.cli.command import command, start_jax


def bring_in(kinds: Any) -> None:
    """`jaxact import`"""
    add = command(
        kinds,
        "import",
        None,
        "turn other people's weights into ours",
        "jaxact import keras xception.h5",
    )
    sources = add.add_subparsers(title="sources", dest="kind", required=True, metavar="SOURCE")
    _keras(sources)
    _torch(
        sources,
        "torch-stgcn",
        "a checkpoint of the public ST-GCN, either release, or of SkeletonCLR's",
        "st_gcn.pt",
    )
    _torch(sources, "pyskl", "a checkpoint of pyskl: ST-GCN, ST-GCN++ or CTR-GCN", "j.pth")


def _keras(kinds: Any) -> None:
    what = "weights of keras.applications: Xception, InceptionV3, InceptionResNetV2"
    add = command(
        kinds,
        "keras",
        _import_keras,
        what,
        "jaxact import keras xception.h5 --out xception.safetensors",
    )
    add.add_argument("file", metavar="FILE", help="what Keras wrote: .h5, .keras or .npz")
    add.add_argument(
        "--out", metavar="FILE", help=".safetensors to write (default: beside FILE, under its name)"
    )


def _import_keras(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact.interop import keras

    weights = keras.load(options.file)
    out = Path(options.out or options.file).with_suffix(".safetensors")
    keras.save(out, weights)
    aside = f"; left aside: {', '.join(weights.left_aside)}" if weights.left_aside else ""
    print(f"{weights.network}, {weights.size} numbers, written to {out}{aside}")


def _torch(kinds: Any, name: str, what: str, file: str) -> None:
    add = command(
        kinds, name, _import_torch, what, f"jaxact import {name} {file} --out runs/theirs"
    )
    add.add_argument(
        "file", metavar="FILE", help="what torch.save wrote: .pt or .pth; nothing in it is run"
    )
    add.add_argument(
        "--out", required=True, metavar="RUN", help="folder of the run that is made of it"
    )
    add.add_argument(
        "--layout",
        metavar="L",
        help="joint layout, NAME or FILE.json, where the file does not tell",
    )
    add.add_argument(
        "--labels", metavar="FILE", help="class names, one a line, in the order of the logits"
    )
    add.add_argument(
        "--data", metavar="NAME", help="prepared set that `jaxact evaluate` is to read"
    )


def _import_torch(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact.interop import torch_runs

    given = {name: getattr(options, name) for name in ("layout", "labels", "data")}
    meta, size, aside = torch_runs.bring_in(options.kind, options.file, options.out, **given)
    model: Any = meta.config.model
    names = meta.labels
    classes = (
        f"classes {names[0]!r} to {names[-1]!r}" if len(names) > 1 else f"one class {names[0]!r}"
    )
    left = f"; left aside: {', '.join(aside)}" if aside else ""
    print(
        f"{model.name} {model.network} of width {model.width}, {size} numbers, "
        f"joints {meta.layout.name} ({', '.join(meta.channels)}), {classes}, "
        f"preprocessing {meta.protocol}; written to {options.out}{left}"
    )
