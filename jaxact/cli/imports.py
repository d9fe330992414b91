"""`jaxact import`: other people's weights."""

import argparse
from pathlib import Path
from typing import Any

from jaxact.cli.command import command, start_jax


def bring_in(kinds: Any) -> None:
    """`jaxact import`"""
    add = command(kinds, "import", None, "turn other people's weights into ours", "jaxact import keras xception.h5")
    sources = add.add_subparsers(title="sources", dest="kind", required=True, metavar="SOURCE")
    _keras(sources)


def _keras(kinds: Any) -> None:
    what = "weights of keras.applications: Xception, InceptionV3, InceptionResNetV2"
    add = command(kinds, "keras", _import_keras, what, "jaxact import keras xception.h5 --out xception.safetensors")
    add.add_argument("file", metavar="FILE", help="what Keras wrote: .h5, .keras or .npz")
    add.add_argument("--out", metavar="FILE", help=".safetensors to write (default: beside FILE, under its name)")


def _import_keras(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact.interop import keras

    weights = keras.load(options.file)
    out = Path(options.out or options.file).with_suffix(".safetensors")
    keras.save(out, weights)
    aside = f"; left aside: {', '.join(weights.left_aside)}" if weights.left_aside else ""
    print(f"{weights.network}, {weights.size} numbers, written to {out}{aside}")
