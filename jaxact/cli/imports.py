"""`jaxact import`: weights of Keras, and checkpoints of public PyTorch code."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxact.cli.command import command, start_jax


def import_weights(subparsers: Any) -> None:
    """`jaxact import`"""
    parser = command(
        subparsers,
        "import",
        None,
        "convert weights of Keras or checkpoints of public PyTorch code",
        "jaxact import keras xception.h5",
    )
    sources = parser.add_subparsers(title="sources", dest="kind", required=True, metavar="SOURCE")
    _keras(sources)
    _torch(
        sources,
        "torch-stgcn",
        "a checkpoint of the public ST-GCN, either release, or of SkeletonCLR's",
        "st_gcn.pt",
    )
    _torch(sources, "pyskl", "a checkpoint of pyskl: ST-GCN, ST-GCN++ or CTR-GCN", "j.pth")


def _keras(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "keras",
        _import_keras,
        "weights of keras.applications: Xception, InceptionV3, InceptionResNetV2",
        "jaxact import keras xception.h5 --out xception.safetensors",
    )
    parser.add_argument("file", metavar="FILE", help="weights saved by Keras: .h5, .keras or .npz")
    parser.add_argument(
        "--out", metavar="FILE", help=".safetensors file to write (default: FILE.safetensors)"
    )


def _import_keras(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact.interop import keras

    weights = keras.load(options.file)
    out = Path(options.out or options.file).with_suffix(".safetensors")
    keras.save(out, weights)
    print(
        f"{weights.network}, {weights.size} parameters, written to {out}"
        f"{_unused(weights.unused_layers)}"
    )


def _torch(subparsers: Any, name: str, summary: str, file: str) -> None:
    parser = command(
        subparsers,
        name,
        _import_torch,
        summary,
        f"jaxact import {name} {file} --out runs/public",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="file of torch.save: .pt or .pth; read without executing anything in it",
    )
    parser.add_argument("--out", required=True, metavar="RUN", help="folder of the new run")
    parser.add_argument(
        "--layout",
        metavar="L",
        help="joint layout, NAME or FILE.json, where the file does not name it",
    )
    parser.add_argument(
        "--labels", metavar="FILE", help="class names, one per line, in the order of the logits"
    )
    parser.add_argument(
        "--data", metavar="NAME", help="prepared data set that `jaxact evaluate` reads"
    )
    parser.add_argument(
        "--split",
        help="split of NTU RGB+D that it was trained on: xsub, xview or xset (default: xsub)",
    )
    parser.add_argument(
        "--stream",
        choices=("joint", "bone", "joint_motion", "bone_motion"),
        default="joint",
        help="what it reads (default: %(default)s)",
    )


def _import_torch(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact.interop import torch_runs

    metadata, size, unused = torch_runs.import_network(
        options.kind,
        options.file,
        options.out,
        layout=options.layout,
        labels=options.labels,
        data=options.data,
        split=options.split,
        stream=options.stream,
    )
    model: Any = metadata.config.model
    first, last = metadata.labels[0], metadata.labels[-1]
    classes = f"classes {first!r} to {last!r}"
    if first == last:
        classes = f"one class {first!r}"
    print(
        f"{model.name} {model.network} of width {model.width}, {size} parameters, "
        f"joints {metadata.layout.name} ({', '.join(metadata.channels)}), {classes}, "
        f"preprocessing {metadata.protocol}; written to {options.out}{_unused(unused)}"
    )


def _unused(names: Sequence[str]) -> str:
    """Names the arrays of a file that the network does not use."""
    return f"; not used: {', '.join(names)}" if names else ""
