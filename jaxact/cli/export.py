"""`jaxact export`: a checkpoint as a portable artifact."""

import argparse
from typing import Any

from jaxact.cli.command import checkpoint_options, command, start_jax, weights_list


def export(subparsers: Any) -> None:
    """`jaxact export`"""
    parser = command(
        subparsers,
        "export",
        _run_export,
        "export a checkpoint as one portable artifact, verified against the network",
        "jaxact export --checkpoint runs/utd --out utd.jaxact",
        "jaxact export --checkpoint runs/utd --format onnx --data-dir data --out utd.onnx",
        "jaxact export --checkpoint runs/utd4/joint/run runs/utd4/bone/run --format savedmodel "
        "--out utd4",
    )
    checkpoint_options(parser, several=True)
    parser.add_argument(
        "--format",
        default="stablehlo",
        help="stablehlo (a zip file), savedmodel (a folder), onnx, or safetensors (weights only) "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--weights",
        type=weights_list,
        metavar="W,W",
        help="weights of the probabilities of several networks",
    )
    parser.add_argument(
        "--data-dir", help="prepared data, for a comparison on real clips as well as random ones"
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the artifact; a folder for savedmodel"
    )


def _run_export(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact import export

    metadata = export.run(
        options.checkpoint,
        out=options.out,
        step=options.step,
        how=options.select,
        format=options.format,
        shares=options.weights,
        data_dir=options.data_dir,
    )
    parity = metadata["parity"]
    inputs = ", ".join(f"{count} {name}" for name, count in parity["inputs"].items())
    print(
        f"{options.out}: step {metadata['step']}, input {metadata['input']['shape']}, "
        f"symbolic {metadata['input']['symbolic']}, largest difference "
        f"{parity['max_relative_difference']:.1e} of the largest logit after reloading "
        f"({parity['tolerance']:.0e} allowed), the same class for {parity['top1_agreement']:.1%} "
        f"of inputs: {inputs}"
    )
