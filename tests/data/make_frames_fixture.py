"""Writes frames_keras.npz and frames_public.npz: frame networks as other code computes them.

    python -m tests.data.make_frames_fixture keras
    python -m tests.data.make_frames_fixture full [PIXELS]
    python -m tests.data.make_frames_fixture public ACTION-Net open-aff

keras: the three networks of keras.applications. Stored are a frame of bytes, every layer's arrays
(random, running statistics too) and the features. The networks are made by Keras's own functions,
with a sixteenth of the channels and fewer repetitions of the residual blocks.
full: compares them with ours at full size instead, and stores nothing.
public: layers of two checkouts; PyTorch must be installed. Stored are weights, inputs and outputs,
channels last.
"""

import builtins
import importlib.util
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
SIZES = {"xception": 71, "inception_v3": 75, "inception_resnet_v2": 75}  # the smallest legal ones
NAMES = {
    "xception": "Xception",
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
}
DATA = Path(__file__).parent


def network(name: str, small: bool) -> Any:
    """The Keras model without its classifier, all of its numbers drawn at random."""
    import keras

    module = importlib.import_module(f"keras.src.applications.{name}")
    if small:
        shrink(module)
    keras.utils.set_random_seed(0)
    model = getattr(module, NAMES[name])(
        include_top=False, weights=None, input_shape=(SIZES[name], SIZES[name], 3)
    )
    rng = np.random.default_rng(0)
    for variable in model.variables:
        kind, shape = variable.name, tuple(variable.shape)
        if kind in ("moving_variance", "gamma"):
            value = rng.uniform(0.5, 1.5, shape)
        elif kind in ("moving_mean", "beta", "bias"):
            value = rng.normal(0, 0.2, shape)
        else:
            fan_in = 9 if kind == "depthwise_kernel" else np.prod(shape[:-1])
            value = rng.normal(0, np.sqrt(1 / fan_in), shape)
        variable.assign(
            np.asarray(value, np.float16).astype(np.float32)
        )  # so that half the bytes store them exactly
    return model


def shrink(module: Any) -> None:
    """Lets the module's function see layers of a sixteenth of the channels, and loops of a turn or
    two.
    """
    real = module.layers

    def narrow(kind: str) -> Any:
        def make(filters: int, *args: Any, **options: Any) -> Any:
            filters = (
                filters if options.get("use_bias") else max(1, filters // 16)
            )  # with bias: back to the input's
            return getattr(real, kind)(filters, *args, **options)

        return make

    methods = {kind: narrow(kind) for kind in ("Conv2D", "SeparableConv2D")}
    module.layers = types.SimpleNamespace(**(vars(real) | methods))
    if module.__name__.endswith("inception_v3"):
        return  # its loops write two different names each
    module.range = lambda *ends: list(builtins.range(*ends))[:1]


def inputs(name: str) -> np.ndarray:
    """A frame of bytes."""
    return np.random.default_rng(1).integers(0, 256, (1, SIZES[name], SIZES[name], 3), np.uint8)


def features(model: Any, frames: np.ndarray) -> np.ndarray:
    return np.asarray(model(frames.astype(np.float32) / 127.5 - 1))


def small() -> None:
    """Stores the narrow networks."""
    stored = {}
    for name in NAMES:
        model = network(name, small=True)
        held = {
            f"{layer.name}/{v.name}": np.asarray(v, np.float16)
            for layer in model.layers
            for v in layer.variables
        }
        stored[f"{name}/names"] = np.array([*held])
        stored[f"{name}/shapes"] = np.array([(1,) * (4 - v.ndim) + v.shape for v in held.values()])
        stored[f"{name}/numbers"] = np.concatenate(
            [v.ravel() for v in held.values()]
        )  # in one piece, a third the size
        stored |= {
            f"{name}/inputs": inputs(name),
            f"{name}/features": features(model, inputs(name)),
        }
    np.savez_compressed(DATA / "frames_keras.npz", allow_pickle=False, **stored, **gru())


def gru() -> dict[str, np.ndarray]:
    """Keras's GRU in both of its forms: what a ConvGRU is on maps of one pixel."""
    import keras

    rng = np.random.default_rng(2)
    inputs, kernel, recurrent, bias = (
        rng.normal(size=s).astype(np.float32) for s in ((2, 5, 4), (4, 9), (3, 9), (9,))
    )
    arrays = {
        "gru/inputs": inputs,
        "gru/kernel": kernel,
        "gru/recurrent": recurrent,
        "gru/bias": bias,
    }
    for after in (True, False):
        layer = keras.layers.GRU(3, reset_after=after)
        layer.build(inputs.shape)
        layer.set_weights([kernel, recurrent, np.stack([bias, 0 * bias]) if after else bias])
        arrays[f"gru/{after}"] = np.asarray(layer(inputs))
    return arrays


def full(pixels: str = "") -> None:
    """Prints the error of our features against Keras's at full size, for each file format."""
    SIZES.update(dict.fromkeys(SIZES, int(pixels)) if pixels else {})
    import jax

    from jaxact.interop import keras as interop
    from jaxact.models.backbones import BACKBONES

    for name in NAMES:
        model, frames = network(name, small=False), inputs(name)
        expected = features(model, frames)
        with tempfile.TemporaryDirectory() as folder:
            for suffix in (
                ".weights.h5",
                ".keras",
                ".h5",
            ):  # the new layout, an archive, the old layout
                path = Path(folder) / f"{name}{suffix}"
                (model.save_weights if suffix == ".weights.h5" else model.save)(path)
                weights = interop.load(path)
                run = jax.jit(BACKBONES[name]().apply)
                ours = np.asarray(run(weights.variables, frames[None]))[0]
                error = np.abs(ours - expected).max() / np.abs(expected).max()
                l2 = np.linalg.norm(ours - expected) / np.linalg.norm(expected)
                largest = np.abs(expected).max()
                print(
                    f"{name} {suffix} {weights.size} parameters, features {expected.shape}, "
                    f"the largest {largest:.3g}:"
                )
                print(
                    f"  largest difference {error:.1e} of the largest feature, relative L2 {l2:.1e}"
                )


def public(action: str, aff: str) -> None:
    """Stores STE and CE of ACTION-Net, and MS-CAM and AFF of open-aff."""
    import torch

    def load(path: Path) -> types.ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    torch.manual_seed(0)
    tensors: dict[str, Any] = {}
    layer = load(Path(action) / "models" / "action.py").Action(
        torch.nn.Conv2d(32, 4, 1), n_segment=5
    )
    layer.action_shift.weight.data.zero_()[:, 0, 1] = 1  # no shift along time
    paths: list[torch.Tensor] = []
    layer.net.register_forward_pre_hook(lambda _, args: paths.append(args[0]))
    x = torch.randn(2 * 5, 32, 4, 3)
    for conv in (layer.action_p2_squeeze, layer.action_p2_conv1, layer.action_p2_expand):
        torch.nn.init.normal_(conv.weight, 0, 0.6)
    # What reaches the convolution is the sum of three paths. Two of them at a time are made to give
    # 1.5 X: a sigmoid of zero where the last weight of a path is zero.
    last = {
        "ste": layer.action_p1_conv1,
        "ce": layer.action_p2_expand,
        "motion": layer.action_p3_expand,
    }
    torch.nn.init.normal_(last["ste"].weight, 0, 0.6)
    kernels = {name: conv.weight.data.clone() for name, conv in last.items()}
    for name in ("ste", "ce"):
        for other, conv in last.items():
            conv.weight.data = kernels[other] if other == name else torch.zeros_like(kernels[other])
        layer.eval()(x)
        tensors[f"action/{name}"] = (
            (paths.pop() - 3 * x).view(2, 5, 32, 4, 3).permute(0, 1, 3, 4, 2)
        )
    tensors["action/inputs"] = x.view(2, 5, 32, 4, 3).permute(0, 1, 3, 4, 2)
    tensors["action/params/ste/conv/kernel"] = kernels["ste"].permute(2, 3, 4, 1, 0)
    tensors["action/params/ce/squeeze/kernel"] = layer.action_p2_squeeze.weight[:, :, 0, 0].T
    tensors["action/params/ce/conv/kernel"] = layer.action_p2_conv1.weight.permute(2, 1, 0)
    tensors["action/params/ce/expand/kernel"] = kernels["ce"][:, :, 0, 0].T

    fusion = load(Path(aff) / "aff_pytorch" / "aff_net" / "fusion.py")
    weigh, join = fusion.MS_CAM(16), fusion.AFF(16)
    x, y = torch.randn(3, 16, 4, 5), torch.randn(3, 16, 4, 5)
    for key, value in weigh.state_dict().items():
        if value.is_floating_point() and value.ndim == 1:
            value.uniform_(0.5, 1.5) if key.endswith(("var", "weight")) else value.normal_(0, 0.3)
    join.load_state_dict(weigh.state_dict())
    layers = {"0": "reduce", "1": "reduce_norm", "3": "expand", "4": "expand_norm"}
    kinds = {"weight": "params scale", "bias": "params bias", "running_mean": "batch_stats mean"}
    kinds |= {"running_var": "batch_stats var"}
    for key, value in weigh.state_dict().items():
        branch, number, kind = key.split(".")
        if kind == "num_batches_tracked":
            continue
        collection, leaf = kinds[kind].split()
        number = str(
            int(number) - (branch == "global_att")
        )  # the global branch starts with a pooling layer
        leaf, value = ("kernel", value[:, :, 0, 0].T) if value.ndim > 1 else (leaf, value)
        tensors[f"aff/{collection}/{branch.removesuffix('_att')}/{layers[number]}/{leaf}"] = (
            value.clone()
        )
    tensors |= {"aff/x": x.permute(0, 2, 3, 1), "aff/y": y.permute(0, 2, 3, 1)}
    for mode in ("eval", "train"):
        tensors[f"aff/{mode}/attended"] = weigh.train(mode == "train")(x).permute(0, 2, 3, 1)
        tensors[f"aff/{mode}/fused"] = join.train(mode == "train")(x, y).permute(0, 2, 3, 1)
    arrays = {name: value.detach().numpy() for name, value in tensors.items()}
    np.savez_compressed(DATA / "frames_public.npz", allow_pickle=False, **arrays)


if __name__ == "__main__":
    commands: dict[str, Any] = {"keras": small, "full": full, "public": public}
    if sys.argv[1:2] == [] or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
