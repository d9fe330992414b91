"""`jaxact models`: the ready networks, and public checkpoints that `jaxact import` reads."""

import argparse
from collections.abc import Sequence
from typing import Any

from jaxact.cli.command import command, start_jax
from jaxact.errors import UserError


def models(subparsers: Any) -> None:
    """`jaxact models`"""
    parser = command(
        subparsers,
        "models",
        _run_models,
        "list the ready networks, or public checkpoints that import reads",
        "jaxact models",
        "jaxact models utd27-kinect",
        "jaxact models utd27-kinect --verify",
        "jaxact models --public",
        "jaxact models --public stgcnpp_ntu60_xsub_3dkp",
    )
    parser.add_argument(
        "network", nargs="?", metavar="NAME", help="print the model card of this ready network"
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="list public checkpoints, or the files and commands of checkpoint NAME; "
        "nothing is downloaded",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run ready network NAME, and compare its logits with those of its certificate",
    )


def _run_models(options: argparse.Namespace) -> None:
    if options.verify and (options.public or not options.network):
        raise UserError("--verify wants the name of a ready network: jaxact models NAME --verify")
    if options.public:
        _print_public(options.network)
    elif options.verify:
        _verify(options.network)
    elif options.network:
        from jaxact.runs import ready_networks

        print(ready_networks.find(options.network).card, end="")
    else:
        _print_ready()


def _print_ready() -> None:
    from jaxact.runs import ready_networks

    rows: list[tuple[str, ...]] = [("name", "input", "classes", "top-1", "protocol", "size")]
    for name in ready_networks.names():
        rows.append(ready_networks.find(name).row)
    print_table(rows)
    print(
        "\nUse one as --checkpoint ready:NAME, stream --recogniser ready:NAME, "
        '--config.init_from=ready:NAME\nor jaxact.load("ready:NAME"). '
        "Model card: jaxact models NAME. Public checkpoints: jaxact models --public"
    )


def _verify(name: str) -> None:
    start_jax()
    from jaxact.inference import ready_certificate

    comparison = ready_certificate.verify(name)
    print(
        f"{name}: {comparison.clips} clips, the logits differ from those of the certificate by at "
        f"most {comparison.difference:.1e}, {comparison.relative:.1e} of the largest"
    )


def _print_public(name: str | None) -> None:
    from jaxact.interop import public_checkpoints

    if name is None:
        print_table(public_checkpoints.table())
        print(f"\n{public_checkpoints.NOTE}")
        return
    checkpoint = public_checkpoints.find(name)
    print(checkpoint.about)
    rows = [("file", "stream", "top-1", "command")]
    for file in checkpoint.files:
        rows.append((file.url, file.stream, f"{file.top1:.1f}", file.command))
    print_table(rows)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of cells in columns; the first row is the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
