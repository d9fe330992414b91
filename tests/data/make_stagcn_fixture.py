"""Writes astgcn.npz: layers of the public ASTGCN on random weights and inputs.

    python -m tests.data.make_stagcn_fixture ASTGCN-2019-pytorch

The argument is a checkout of that repository; its file of layers is run without the imports that it
does not need here. PyTorch must be installed.
"""

import sys
from pathlib import Path

import numpy as np
import torch

SAMPLES, JOINTS, FRAMES, CHANNELS, PARTS = 2, 5, 6, 4, 3


def main() -> None:
    """Runs the three layers and stores weights, inputs and outputs, channels last."""
    source = (Path(sys.argv[1]) / "model" / "ASTGCN_r.py").read_text(encoding="utf-8")
    theirs: dict = {}
    exec(source.replace("from lib.utils import scaled_Laplacian, cheb_polynomial", ""), theirs)
    rng = np.random.default_rng(0)

    def filled(layer: torch.nn.Module) -> torch.nn.Module:
        for parameter in layer.parameters():
            parameter.data = torch.tensor(rng.normal(size=parameter.shape).astype(np.float32))
        return layer

    x = torch.tensor(rng.normal(size=(SAMPLES, JOINTS, CHANNELS, FRAMES)).astype(np.float32))
    polynomials = [
        torch.tensor(rng.normal(size=(JOINTS, JOINTS)).astype(np.float32)) for _ in range(PARTS)
    ]
    joints = filled(theirs["Spatial_Attention_layer"]("cpu", CHANNELS, JOINTS, FRAMES))
    frames = filled(theirs["Temporal_Attention_layer"]("cpu", CHANNELS, JOINTS, FRAMES))
    tensors = {"inputs": x.permute(0, 1, 3, 2), "polynomials": torch.stack(polynomials)}
    for name, layer, letters in (("joints", joints, "Wbs"), ("frames", frames, "Ube")):
        first, bias = letters[0], letters[1:]
        tensors |= {
            f"{name}/along": getattr(layer, f"{first}1"),
            f"{name}/across": getattr(layer, f"{first}2"),
            f"{name}/channels": getattr(layer, f"{first}3"),
            f"{name}/bias": getattr(layer, bias)[0],
            f"{name}/matrix": getattr(layer, f"V{bias[1]}"),
            f"{name}/attention": layer(x),
        }
    for features in (CHANNELS - 1, CHANNELS + 1):
        layer = filled(theirs["cheb_conv_withSAt"](PARTS, polynomials, CHANNELS, features))
        tensors[f"kernel{features}"] = torch.stack(list(layer.parameters()), dim=1)
        tensors[f"convolved{features}"] = layer(x, tensors["joints/attention"]).permute(0, 1, 3, 2)
    arrays = {name: value.detach().numpy() for name, value in tensors.items()}
    np.savez_compressed(Path(__file__).with_name("astgcn.npz"), allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
