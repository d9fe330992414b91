"""Exports every network, small and with random weights, in every format, and tabulates the parity.

    python scripts/export_matrix.py --out docs/exports.md
    python scripts/export_matrix.py --out page.md --models stgcn,tcn --formats onnx,safetensors

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
LABELS, CHANNELS = ("kick", "rest", "wave"), ("x", "y", "score")
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # options of the model and of the clip
    "stgcn": ({"width": 4}, {"frames": 16}),
    "local": ({"width": 4}, {"frames": 16}),
    "tcn": ({"width": 4}, {"frames": 16}),
    "deep_lstm": ({"width": 4}, {"frames": 16}),
    "causal_stgcn": ({"width": 4}, {"frames": 16}),
    "stgcnpp": ({"width": 24, "network": "six"}, {"frames": 16}),
    "sta_lstm": ({"width": 4}, {"frames": 16}),
    "ctrgcn": ({"width": 16, "network": "six"}, {"frames": 16}),
    "stagcn": ({"width": 4}, {"frames": 20}),
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
NOTE = (
    "\nThe first row describes the table below. The same table was made with the versions of the "
    "other rows.\n"
)
TABLE = """The range is that of a logit over the inputs; a small range makes the comparison weak.

| network | format | range | largest difference | relative difference | same class | symbolic axes |
|---|---|---|---|---|---|---|"""


def network(name: str) -> export.Network:
    """The small network `name`, with random weights for which its logits depend on the input."""
    clip, augment = (section() for section in training.INPUTS[config.kind(name)])
    model_options, clip_options = SMALL[name]
    run = config.TrainConfig(
        model=training.MODELS[name](**model_options), clip=clip, augment=augment
    )
    for option, value in clip_options.items():
        setattr(run.clip, option, value)
    layout = skeletons.get_layout("body-14")
    meta = trained_model.RunMetadata(run, layout, LABELS, CHANNELS)
    module, rng = trained_model.build(meta), np.random.default_rng(0)

    def random_array(path: Any, leaf: Any) -> np.ndarray:
        """Keeps the scale of features from layer to layer, so that no layer's output is zero."""
        deviation = 0.1
        if len(leaf.shape) > 1:
            deviation = np.sqrt(2 / np.prod(leaf.shape[:-1]))
        array = rng.normal(0, deviation, leaf.shape)
        if path[-1].key in ("scale", "var"):
            array += 1
        return array.astype(leaf.dtype)

    shapes = jax.eval_shape(
        lambda: state.init(module, trained_model.example_input(meta, training=False), 0)
    )
    weights = jax.tree_util.tree_map_with_path(random_array, shapes)
    net = trained_model.TrainedModel(module, weights, run, layout, LABELS, CHANNELS, 0, "random")
    return export.Network((net,))


def exported(name: str, format: str) -> dict[str, Any] | str:
    """The artifact's description with its parity, or the reason why there is no artifact."""
    if name in models.UNSUPERVISED:
        return "not exported: it gives no classes"
    with tempfile.TemporaryDirectory() as folder:
        try:
            return export.write(network(name), format, Path(folder) / "net")
        except export.UserError as error:
            return str(error)


def row(name: str, format: str, result: dict[str, Any] | str) -> str:
    """The row of a network in a format."""
    if isinstance(result, str):
        return f"| `{name}` | {format} | - | - | - | - | {result} |"
    parity, axes = result["parity"], ", ".join(result["input"]["symbolic"])
    if "fixed" in result["input"]:
        axes += f"; frames are fixed: {result['input']['fixed']}"
    cells = [
        f"`{name}`",
        format,
        f"{parity['logit_range']:.2g}",
        f"{parity['max_difference']:.1e}",
        f"{parity['max_relative_difference']:.1e}",
        f"{parity['top1_agreement']:.1%}",
        axes,
    ]
    return f"| {' | '.join(cells)} |"


def summary_row(results: Sequence[dict[str, Any] | str]) -> str:
    """The versions in use, the number of exports and refusals, the largest relative difference."""
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
    """Prints the table row by row and writes the page."""
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
    others = []
    if options.beside:
        others = summary_rows(Path(options.beside).read_text(encoding="utf-8"))
    results, rows = [], []
    print(TABLE, flush=True)
    for name in options.models.split(","):
        for format in options.formats.split(","):
            results.append(exported(name, format))
            rows.append(row(name, format, results[-1]))
            print(rows[-1], flush=True)
    summary = "\n".join([SUMMARY, summary_row(results), *others])
    note = NOTE if others else ""
    parts = [INTRODUCTION, summary, note, TABLE, *rows]
    with files.replacing(options.out) as temporary:
        temporary.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
