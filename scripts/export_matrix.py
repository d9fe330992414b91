"""Exports every network at toy size, with random weights, in every format, and writes the
certificates as a table.

python scripts/export_matrix.py --out docs/exports.md [--models stgcn,tcn] [--formats onnx,safetensors]

The page begins with a summary of one row: the versions of the packages and the result.
`--beside OTHER.md` appends the summary rows of a page that was made with other versions.
"""

import argparse
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxact import config, export, files, models, skeletons
from jaxact.config import training
from jaxact.runs import state, trained_model

VIDEO = {"frames": 4, "height": 80, "width": 80}
TOYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # options of the model and of the clip
    **{
        name: ({"width": 4}, {"frames": 16})
        for name in ("stgcn", "local", "tcn", "deep_lstm", "causal_stgcn")
    },
    **{
        "stgcnpp": ({"width": 24, "network": "six"}, {"frames": 16}),
        "sta_lstm": ({"width": 4}, {"frames": 16}),
    },
    **{
        "ctrgcn": ({"width": 16, "network": "six"}, {"frames": 16}),
        "stagcn": ({"width": 4}, {"frames": 20}),
    },
    "asgcn": ({"width": 4, "link_width": 4, "link_frames": 4, "horizon": 2}, {"frames": 16}),
    "recogniser": ({"width": 16, "activation": "tanh"}, {"frames": 8, "persons": 1}),
    "sc_xception": ({"width": 0.125, "depth": 0.25, "filters": 4, "hidden": 8}, VIDEO),
    "tsn": ({"width": 0.125, "depth": 0.25}, VIDEO),
}
PACKAGES = ("jax", "jaxlib", "flax", "numpy", "tensorflow", "onnx", "onnxruntime")
INTRODUCTION = """# Exports

Every network at toy size, with random weights, in every format. This page is the output of

    python scripts/export_matrix.py --out docs/exports.md --beside other-versions.md

Each artifact is read back and run by its format's own runtime on 32 random inputs and, where the
number of frames is symbolic, on four inputs of other lengths. A relative difference is a share of
the largest logit. An export that differs from the network by more than 1e-4 of it is refused.
"""
COLUMNS = ("Python", *PACKAGES, "exported", "not exported", "largest relative difference")
SUMMARY = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
TABLE = """The range is that of a logit over the inputs; a small range means that the comparison says little.

| network | format | range | largest difference | relative difference | same class | symbolic axes |
|---|---|---|---|---|---|---|"""


def network(name: str) -> export.Network:
    """The toy network `name` with weights drawn so that its answers differ from input to input."""
    clip, augment = (section() for section in training.INPUTS[config.kind(name)])
    run = config.TrainConfig(
        model=training.MODELS[name](**TOYS[name][0]), clip=clip, augment=augment
    )
    for option, value in TOYS[name][1].items():
        setattr(run.clip, option, value)
    meta = trained_model.RunMetadata(
        run, skeletons.get_layout("body-14"), ("kick", "rest", "wave"), ("x", "y", "score")
    )
    module, random = trained_model.build(meta), np.random.default_rng(0)

    def drawn(path: Any, leaf: Any) -> np.ndarray:
        """Features keep their size from layer to layer, so that no layer answers zero to
        everything.
        """
        kind = path[-1].key
        spread = np.sqrt(2 / np.prod(leaf.shape[:-1])) if len(leaf.shape) > 1 else 0.1
        return (random.normal(0, spread, leaf.shape) + (kind in ("scale", "var"))).astype(
            leaf.dtype
        )

    shapes = jax.eval_shape(
        lambda: state.init(module, trained_model.example_input(meta, training=False), 0)
    )
    weights = jax.tree_util.tree_map_with_path(drawn, shapes)
    layout = skeletons.get_layout("body-14")
    return export.Network(
        (
            trained_model.TrainedModel(
                module,
                weights,
                run,
                layout,
                ("kick", "rest", "wave"),
                ("x", "y", "score"),
                0,
                "random",
            ),
        )
    )


def exported(name: str, format: str) -> dict[str, Any] | str:
    """The artifact's description with its certificate, or the reason why there is no artifact."""
    if name in models.UNSUPERVISED:
        return "not exported: it gives no classes"
    with tempfile.TemporaryDirectory() as folder:
        try:
            return export.write(network(name), format, Path(folder) / "net")
        except export.UserError as error:
            return str(error)


def row(name: str, format: str, result: dict[str, Any] | str) -> str:
    """The table's line for a network in a format."""
    if isinstance(result, str):
        return f"| `{name}` | {format} | - | - | - | - | {result} |"
    proof, axes = result["parity"], ", ".join(result["input"]["symbolic"])
    why = f"; frames are fixed: {result['input']['fixed']}" if "fixed" in result["input"] else ""
    numbers = " | ".join(
        f"{proof[what]:{shown}}"
        for what, shown in (
            ("logit_range", ".2g"),
            ("max_difference", ".1e"),
            ("max_relative_difference", ".1e"),
            ("top1_agreement", ".1%"),
        )
    )
    return f"| `{name}` | {format} | {numbers} | {axes}{why} |"


def summary_row(results: Sequence[dict[str, Any] | str]) -> str:
    """The versions in use, the number of exports made and refused, and the largest relative
    difference of all.
    """
    installed = export.parity.versions(*PACKAGES)
    versions = [platform.python_version(), *(installed.get(package, "-") for package in PACKAGES)]
    differences = [
        result["parity"]["max_relative_difference"]
        for result in results
        if not isinstance(result, str)
    ]
    counts = [str(len(differences)), str(len(results) - len(differences))]
    return f"| {' | '.join([*versions, *counts])} | {max(differences, default=float('nan')):.1e} |"


def summary_rows(page: str) -> list[str]:
    """The summary rows of a page that this script wrote."""
    _, _, rest = page.partition(f"{SUMMARY}\n")
    rows, _, _ = rest.partition("\n\n")
    if not rows:
        raise SystemExit(
            "--beside names a page without a summary; wanted the output of an earlier call"
        )
    return rows.splitlines()


def main() -> None:
    """Reads the options, prints the table as it grows and writes the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True)
    parser.add_argument(
        "--beside", help="a page of other versions, whose summary is appended to this one's"
    )
    parser.add_argument("--models", default=",".join(models.MODELS))
    parser.add_argument("--formats", default=",".join(export.FORMATS))
    options = parser.parse_args()
    others = (
        summary_rows(Path(options.beside).read_text(encoding="utf-8")) if options.beside else []
    )
    results, rows = [], []
    print(TABLE, flush=True)
    for name in options.models.split(","):
        for format in options.formats.split(","):
            results.append(exported(name, format))
            rows.append(row(name, format, results[-1]))
            print(rows[-1], flush=True)
    summary = "\n".join([SUMMARY, summary_row(results), *others])
    note = "\nThe first row describes the table below. The same table was made with the versions of the other rows.\n"
    parts = [INTRODUCTION, summary, *([note] if others else [""]), TABLE, *rows]
    with files.replacing(options.out) as temporary:
        temporary.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
