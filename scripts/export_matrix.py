"""Exports every network at toy size, with random weights, in every format, and writes the certificates as a table.

python scripts/export_matrix.py --out docs/exports.md [--models stgcn,tcn] [--formats onnx,safetensors]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxact import config, export, files, models, sections, skeletons, state, trained

VIDEO = {"frames": 4, "height": 80, "width": 80}
TOYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # options of the model and of the clip
    **{name: ({"width": 4}, {"frames": 16}) for name in ("stgcn", "local", "tcn", "deep_lstm", "causal_stgcn")},
    **{"stgcnpp": ({"width": 24, "network": "six"}, {"frames": 16}), "sta_lstm": ({"width": 4}, {"frames": 16})},
    **{"ctrgcn": ({"width": 16, "network": "six"}, {"frames": 16}), "stagcn": ({"width": 4}, {"frames": 20})},
    "asgcn": ({"width": 4, "link_width": 4, "link_frames": 4, "horizon": 2}, {"frames": 16}),
    "recogniser": ({"width": 16, "activation": "tanh"}, {"frames": 8, "persons": 1}),
    "sc_xception": ({"width": 0.125, "depth": 0.25, "filters": 4, "hidden": 8}, VIDEO),
    "tsn": ({"width": 0.125, "depth": 0.25}, VIDEO),
}
HEAD = """# Exports

Every network at toy size, with random weights, in every format; made by

    python scripts/export_matrix.py --out docs/exports.md

Compared are 32 random inputs and, where the length is symbolic, four of other lengths, as the format's own runtime
answers to them after reading the file back; more than 1e-4 of the largest logit is refused.

The range is that of a logit over the inputs: where it is small, little was compared.

| network | format | range | largest difference | of the largest logit | same class | symbolic axes |
|---|---|---|---|---|---|---|"""


def network(name: str) -> export.Network:
    """The toy network `name` with weights drawn so that its answers differ from input to input."""
    clip, augment = (section() for section in sections.INPUTS[config.kind(name)])
    run = config.TrainConfig(model=sections.MODELS[name](**TOYS[name][0]), clip=clip, augment=augment)
    for option, value in TOYS[name][1].items():
        setattr(run.clip, option, value)
    meta = trained.describe(run, skeletons.get_layout("body-14"), ("kick", "rest", "wave"), ("x", "y", "score"))
    module, random = trained.build(meta), np.random.default_rng(0)

    def drawn(path: Any, leaf: Any) -> np.ndarray:
        """Features keep their size from layer to layer, so that no layer answers zero to everything."""
        kind = path[-1].key
        spread = np.sqrt(2 / np.prod(leaf.shape[:-1])) if len(leaf.shape) > 1 else 0.1
        return (random.normal(0, spread, leaf.shape) + (kind in ("scale", "var"))).astype(leaf.dtype)

    shapes = jax.eval_shape(lambda: state.init(module, trained.example(meta, training=False), 0))
    weights = jax.tree_util.tree_map_with_path(drawn, shapes)
    layout = skeletons.get_layout("body-14")
    return export.Network(
        (trained.Trained(module, weights, run, layout, ("kick", "rest", "wave"), ("x", "y", "score"), 0, "random"),)
    )


def row(name: str, format: str) -> str:
    """The table's line for a network in a format, with the certificate's numbers or the reason why there are none."""
    if name in models.UNSUPERVISED:
        return f"| `{name}` | {format} | - | - | - | - | not exported: it gives no classes |"
    with tempfile.TemporaryDirectory() as folder:
        try:
            meta = export.write(network(name), format, Path(folder) / "net")
        except export.UserError as error:
            return f"| `{name}` | {format} | - | - | - | - | {error} |"
    proof, axes = meta["parity"], ", ".join(meta["input"]["symbolic"])
    why = f"; frames are fixed: {meta['input']['fixed']}" if "fixed" in meta["input"] else ""
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


def main() -> None:
    """Reads the options and prints the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--models", default=",".join(models.MODELS))
    parser.add_argument("--formats", default=",".join(export.FORMATS))
    options, lines = parser.parse_args(), [HEAD]
    print(HEAD, flush=True)
    for name in options.models.split(","):
        for format in options.formats.split(","):
            lines.append(row(name, format))
            print(lines[-1], flush=True)
    with files.replacing(options.out) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
