"""A trained network, or several streams of one, as a file that needs no jaxact, proved equal before
it appears.

Each format is a module of three functions: `convert` makes it of a network with the symbolic axes
asked for, `write` puts it and its meaning into a file, `load` reads the file back as a function by
the format's own runtime. `run` joins them with the certificate: what was compared, with which
runtime, and how far apart it was.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxact import files
from jaxact.errors import UserError, unknown
from jaxact.export import onnx, parity, savedmodel, stablehlo, weights
from jaxact.export.ensemble import AXES, Network, load
from jaxact.export.metadata import describe
from jaxact.export.parity import TOLERANCE
from jaxact.export.stablehlo import PLATFORMS, Exported
from jaxact.export.weights import rebuild
from jaxact.progress import log

__all__ = [
    "FORMATS",
    "PLATFORMS",
    "TOLERANCE",
    "Exported",
    "Network",
    "describe",
    "load",
    "rebuild",
    "run",
    "write",
]

FORMATS: dict[str, ModuleType] = {
    "stablehlo": stablehlo,
    "savedmodel": savedmodel,
    "onnx": onnx,
    "safetensors": weights,
}


def run(
    workdir: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    step: int | None = None,
    how: str | None = None,
    format: str = "stablehlo",
    shares: Sequence[float] | None = None,
    data_dir: str | Path | None = None,
) -> dict[str, Any]:
    """Exports a run's checkpoint to `out`, which appears only when it was read back and proved
    equal.

    Args:
      workdir: the --workdir of `jaxact train`; several are one artifact, whose input holds their
        streams side by side along the channels and whose output is their weighted mean.
      out: the file; a folder for "savedmodel".
      step, how: which checkpoint; see `trained_model.load`.
      format: a key of `FORMATS`.
      shares: weights of several networks' probabilities, one each; by default those that are usual
          for their streams.
      data_dir: prepared data whose first clips of the run's evaluation split are compared beside
          random ones.

    Returns:
      What the artifact says of itself; its `parity` is the certificate.

    Raises:
      UserError: no checkpoint, networks that do not go together, an unknown format or one whose
        packages are missing, a target that cannot be written, or a function read back that is not
        the network's; nothing is written then.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    FORMATS[format].need()
    network = load(
        [workdir] if isinstance(workdir, str | Path) else workdir, step=step, how=how, shares=shares
    )
    clips = None if data_dir is None else parity.real_clips(network, data_dir)
    return write(network, format, out, clips)


def write(network: Network, format: str, out: str | Path, clips: Any = None) -> dict[str, Any]:
    """Writes `network` with as many symbolic axes as it allows and the comparison confirms; see
    `run`.

    Args:
      network: one network or an ensemble.
      format: a key of `FORMATS`.
      out: the file or folder.
      clips: real inputs f32 [k, ...] to be compared beside random ones.

    Raises:
      UserError: see `run`.
    """
    if FORMATS[format] is savedmodel:
        files.require_room_for_folder(out)
    fixed = ""
    for axes in AXES:
        try:
            return _attempt(network, format, Path(out), axes, clips, fixed)
        except (
            Exception
        ) as error:  # what a network cannot do with a symbolic length shows as many kinds of error
            if axes != AXES[-1]:
                fixed = first_line(error)
                log(f"the number of frames stays {network.inputs.shape[1]}: {fixed}")
            elif isinstance(error, UserError):
                raise
            else:
                what = f"{network.name} as {format}"
                raise UserError(
                    f"cannot export {what}: {first_line(error)}; formats: {', '.join(FORMATS)}"
                ) from error
    raise AssertionError("unreachable")


def _attempt(
    network: Network, format: str, out: Path, axes: tuple[str, ...], clips: Any, fixed: str
) -> dict[str, Any]:
    kind = FORMATS[format]
    log(f"converting {network.name} to {format}, symbolic {' and '.join(axes)}")
    made = kind.convert(network, axes)
    meta = network.describe(axes) | kind.about(out)
    if fixed:
        meta["input"]["fixed"] = fixed
    log("comparing the artifact, read back, with the network")
    with files.replacing(out, folder=kind is savedmodel) as temporary:
        kind.write(temporary, made, meta)
        meta["parity"] = parity.prove(kind.load(temporary), network, axes, format, clips)
        meta["parity"]["versions"] = parity.versions(*kind.RUNTIME)
        kind.write(temporary, made, meta)
    return meta


def first_line(error: Exception) -> str:
    """What an error says, on one line of at most 200 characters."""
    text = " ".join((str(error).strip() or type(error).__name__).splitlines()[0].split())
    return text if len(text) <= 200 else f"{text[:197]}..."
