"""A trained network as one file that needs no jaxact: StableHLO for CPU, CUDA and TPU, with its meaning beside it.

The file is a zip of `module.bin` (what `jax.export` serialises: a function of f32 [n, T, M, V, C] with symbolic n, and
symbolic T where the network allows it) and `meta.json` (labels, joint layout, input, preprocessing, how to load it).
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export as jax_export

import jaxact
from jaxact import config as configs
from jaxact import files, protocols, trained
from jaxact import step as step_
from jaxact.errors import UserError
from jaxact.progress import log

PLATFORMS = ("cpu", "cuda", "tpu")
TOLERANCE = 1e-4  # of the largest logit, between the reloaded function and the network it came from
_MODULE, _META = "module.bin", "meta.json"


class Exported:
    """An artifact that was read back: call it with clips, get logits.

    Attributes:
      meta: the content of `meta.json`.
    """

    def __init__(self, path: str | Path):
        """Reads an artifact.

        Raises:
          UserError: no such file, or not an artifact of `jaxact export`.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                self.meta: dict[str, Any] = json.loads(archive.read(_META))
                self._function = jax_export.deserialize(bytearray(archive.read(_MODULE)))
        except FileNotFoundError:
            raise UserError(f"no file {str(path)!r}: wanted an artifact of `jaxact export`") from None
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise UserError(f"{str(path)!r} is not an artifact of `jaxact export`: {error}") from error

    def __call__(self, inputs: np.ndarray) -> jax.Array:
        """Logits f32 [n, classes] of clips f32 [n, T, M, V, C]."""
        return self._function.call(inputs)


def run(workdir: str | Path, *, out: str | Path, step: int | None = None, how: str | None = None) -> dict[str, Any]:
    """Exports a run's checkpoint to the file `out`, which appears only when it was read back and proved equal.

    Returns:
      The content of `meta.json`, whose `parity` says what was compared.

    Raises:
      UserError: no checkpoint, or a target that cannot be written.
      RuntimeError: the reloaded function is not the network's; nothing is written.
    """
    net = trained.load(workdir, step=step, how=how)
    portable = trained.build(_meta_of(net), portable=True)
    inputs = trained.example(_meta_of(net), training=False)

    def function(clips: jax.Array) -> Any:
        return step_.logits_of(portable.apply(net.weights, clips, train=False))

    log(f"lowering the network for {', '.join(PLATFORMS)}")
    exported, symbolic = _lower(function, inputs)
    log("comparing the file, read back, with the network")
    with files.replacing(out) as temporary:
        meta = describe(net, inputs, symbolic)
        _pack(temporary, exported, meta)
        original = jax.jit(lambda clips: step_.logits_of(net.model.apply(net.weights, clips, train=False)))
        meta["parity"] = parity(Exported(temporary), original, inputs, symbolic)
        _pack(temporary, exported, meta)
    return meta


def describe(net: trained.Trained, inputs: jax.ShapeDtypeStruct, symbolic: tuple[str, ...]) -> dict[str, Any]:
    """What a user of the artifact must know, as plain JSON values."""
    return {
        "format": "jaxact StableHLO 1",
        "jaxact": jaxact.__version__,
        "jax": jax.__version__,
        "platforms": list(PLATFORMS),
        "input": {"dtype": "float32", "shape": ["n", *inputs.shape[1:]], "symbolic": list(symbolic), **_input(net)},
        "output": {"dtype": "float32", "axes": ["n", "classes"], "meaning": "logits"},
        "labels": list(net.labels),
        "layout": net.layout.to_dict(),
        "protocol": protocols.describe(net.config),
        "preprocessing": configs.to_dict(net.config)["clip"],
        "trained_on": {"dataset": net.config.data.name, "split": net.config.data.train_split},
        "model": configs.to_dict(net.config)["model"],
        "step": net.step,
        "step_chosen": net.chosen,
        "load": "jax.export.deserialize(bytearray(zipfile.ZipFile(FILE).read('module.bin'))).call(clips)",
    }


def _input(net: trained.Trained) -> dict[str, Any]:
    """What the numbers of an input are."""
    if configs.kind(net.config.model.name) == "video":
        flow = net.config.clip.stream == "flow"
        return {
            "axes": ["n", "frames", "height", "width", "channels"],
            "channels": ["x", "y"] if flow else ["red", "green", "blue"],
            "range": "colours and flow x from 0 to 255 as x / 127.5 - 1; a difference is of two such numbers",
        }
    channels = [
        f"{name} {channel}" if name != "joint" else channel
        for name in net.config.clip.stream.split("+")
        for channel in net.channels
    ]
    return {
        "axes": ["n", "frames", "persons", "joints", "channels"],
        "channels": channels,
        "missing": "a joint, person or frame that is missing is all zeros",
    }


def parity(
    reloaded: Callable, original: Callable, inputs: jax.ShapeDtypeStruct, symbolic: tuple[str, ...]
) -> dict[str, Any]:
    """Compares the reloaded function with the network on random clips of several sizes.

    Raises:
      RuntimeError: a difference over `TOLERANCE` of the largest logit.
    """
    random = np.random.default_rng(0)
    frames = inputs.shape[1]
    sizes = [(1, frames), (3, frames)] + ([(2, max(frames // 2, 1)), (2, frames + 13)] if "frames" in symbolic else [])
    worst = 0.0
    for rows, length in sizes:
        clips = random.standard_normal((rows, length, *inputs.shape[2:])).astype(np.float32)
        found, wanted = np.asarray(reloaded(clips)), np.asarray(original(clips))
        worst = max(worst, float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-6)))
    if not worst <= TOLERANCE:
        raise RuntimeError(
            f"the exported function differs from the network by {worst:.2e} of the largest logit; not written"
        )
    return {"max_relative_difference": worst, "tolerance": TOLERANCE, "sizes": sizes, "platform": jax.default_backend()}


def _lower(function: Callable, inputs: jax.ShapeDtypeStruct) -> tuple[jax_export.Exported, tuple[str, ...]]:
    """The function lowered with as many symbolic axes as it allows."""
    rest = ", ".join(str(size) for size in inputs.shape[2:])
    attempts = [(f"n, t, {rest}", ("n", "frames")), (f"n, {inputs.shape[1]}, {rest}", ("n",))]
    for index, (text, symbolic) in enumerate(attempts):
        shape = jax_export.symbolic_shape(text, constraints=["n >= 1", *(["t >= 1"] if "frames" in symbolic else [])])
        try:
            lowered = jax_export.export(jax.jit(function), platforms=PLATFORMS)(jax.ShapeDtypeStruct(shape, np.float32))
        except Exception:  # what a network cannot do with a symbolic length shows as many kinds of error
            if index + 1 == len(attempts):
                raise
        else:
            return lowered, symbolic
    raise AssertionError("unreachable")


def _pack(path: Path, exported: jax_export.Exported, meta: dict[str, Any]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MODULE, bytes(exported.serialize()))
        archive.writestr(_META, json.dumps(meta, indent=2, ensure_ascii=False))


def _meta_of(net: trained.Trained) -> trained.Meta:
    return trained.describe(net.config, net.layout, net.labels, net.channels, radii=net.radii)
