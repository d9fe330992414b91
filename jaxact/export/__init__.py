"""Exports a trained network, or an ensemble of streams, to a file that needs no jaxact.

Each format is a module: `convert` turns a network with given symbolic axes into a model, `write`
puts the model and its metadata into a file, and `load` reads the file back as a function, in the
format's own runtime. `run` compares that function with the network before the file appears, and
records what was compared, in which runtime, and the largest difference.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxact import files
from jaxact.errors import UserError, unknown
from jaxact.export import onnx, parity, savedmodel, stablehlo, weights
from jaxact.export.ensemble import SYMBOLIC_AXES, Network, load
from jaxact.export.metadata import describe
from jaxact.export.parity import TOLERANCE
from jaxact.export.stablehlo import PLATFORMS, Artifact
from jaxact.export.weights import rebuild
from jaxact.progress import log

__all__ = [
    "FORMATS",
    "PLATFORMS",
    "TOLERANCE",
    "Artifact",
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
    """Exports a run's checkpoint to `out`, which appears only if it equals the network.

    Args:
        workdir: the --workdir of `jaxact train`. Several become one artifact: its input holds their
          streams side by side along the channels, its output is their weighted mean.
        out: the file; a folder for "savedmodel".
        step, how: which checkpoint; see `trained_model.load`.
        format: a key of `FORMATS`.
        shares: weights of the networks' probabilities in the mean, one each; by default the usual
          weights of their streams.
        data_dir: prepared data; the first clips of the run's evaluation split are compared too,
          beside random ones.

    Returns:
        The artifact's metadata; its `parity` holds the comparison.

    Raises:
        UserError: no checkpoint, networks that do not go together, an unknown format or one whose
          packages are missing, a target that cannot be written, or an artifact that differs from
          the network. Nothing is written then.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    FORMATS[format].require_packages()
    workdirs = workdir
    if isinstance(workdirs, str | Path):
        workdirs = [workdirs]
    network = load(workdirs, step=step, how=how, shares=shares)
    clips = None
    if data_dir is not None:
        clips = parity.real_clips(network, data_dir)
    return write(network, format, out, clips)


def write(network: Network, format: str, out: str | Path, clips: Any = None) -> dict[str, Any]:
    """Writes a network with as many symbolic axes as it allows; see `run`.

    Args:
        network: one network or an ensemble.
        format: a key of `FORMATS`.
        out: the file or folder.
        clips: real inputs f32 [k, ...] to compare beside random ones.

    Raises:
        UserError: see `run`.
    """
    if FORMATS[format] is savedmodel:
        files.require_room_for_folder(out)
    fixed_reason = ""
    for axes in SYMBOLIC_AXES:
        try:
            return _write(network, format, Path(out), axes, clips, fixed_reason)
        except Exception as error:  # a symbolic length can fail with any kind of error
            if axes != SYMBOLIC_AXES[-1]:
                fixed_reason = first_line(error)
                frames = network.inputs.shape[1]
                log(f"the number of frames is fixed at {frames}: {fixed_reason}")
                continue
            if isinstance(error, UserError):
                raise
            raise UserError(
                f"cannot export {network.name} as {format}: {first_line(error)}; "
                f"formats: {', '.join(FORMATS)}"
            ) from error
    raise AssertionError("unreachable")


def _write(
    network: Network, format: str, out: Path, axes: tuple[str, ...], clips: Any, fixed_reason: str
) -> dict[str, Any]:
    """Writes a network with these symbolic axes; `fixed_reason` says why there are not more."""
    module = FORMATS[format]
    log(f"converting {network.name} to {format}, symbolic {' and '.join(axes)}")
    model = module.convert(network, axes)
    meta = network.describe(axes) | module.format_metadata()
    if fixed_reason:
        meta["input"]["fixed"] = fixed_reason
    log("comparing the artifact with the network")
    with files.replacing(out, folder=module is savedmodel) as temporary:
        module.write(temporary, model, meta)
        artifact = module.load(temporary)
        meta["parity"] = parity.verify(artifact, network, axes, format, clips)
        meta["parity"]["versions"] = parity.versions(*module.RUNTIME_PACKAGES)
        module.write(temporary, model, meta)
    return meta


def first_line(error: Exception) -> str:
    """An error's message on one line of at most 200 characters."""
    message = str(error).strip() or type(error).__name__
    text = " ".join(message.splitlines()[0].split())
    if len(text) > 200:
        return f"{text[:197]}..."
    return text
