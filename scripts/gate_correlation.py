"""Correlates the gate of a spatial attention network with the motion of joints on a split.

    python scripts/gate_correlation.py --checkpoint runs/utd_pretrain --data-dir data

Prints Spearman's correlation of the gate with the length of the displacement to the next frame,
over all joints and frames of a clip and over the joints of each frame; and the gate's mean over the
10 % of joints that move most and the 50 % that move least. Networks: `displacement`, and `stagcn`
with a gate.
"""

import argparse
import dataclasses
import json
from typing import Any

import jax
import numpy as np

from jaxact.errors import UserError
from jaxact.models.spatial_attention_net import displacements
from jaxact.runs import trained_model


def main() -> None:
    """Prints one JSON line: the means over the clips."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--split", default="")
    options = parser.parse_args()
    net = trained_model.load(options.checkpoint, classifier=False)
    score = net.channels[-1] == "score"
    gate_and_motion = jax.jit(
        lambda x: (gate(net, x), *displacements(x, len(net.channels) - score, score))
    )
    rows = []
    for batch in batches(net, options):
        arrays = [
            each[batch["mask"]] for each in jax.device_get(gate_and_motion(batch["inputs"][:, 0]))
        ]
        for gates, displacement, confidence in zip(*arrays, strict=True):
            rows.append(
                clip_statistics(gates, np.linalg.norm(displacement, axis=-1), confidence > 0)
            )
    means = {name: round(float(np.nanmean([row[name] for row in rows])), 4) for name in rows[0]}
    print(json.dumps({"clips": len(rows), **means}))


def gate(net: trained_model.TrainedModel, inputs: jax.Array) -> jax.Array:
    """The gate [b, t, m, v]."""
    sown: Any = net.model.apply(net.weights, inputs, mutable=["intermediates"])[1]
    if "gate" not in sown["intermediates"]:
        raise UserError(
            "this network has no gate; wanted `displacement`, or `stagcn` with model.gate own or "
            "shared"
        )
    return sown["intermediates"]["gate"][0]


def clip_statistics(gates: np.ndarray, motion: np.ndarray, valid: np.ndarray) -> dict[str, float]:
    """The statistics of one clip, from arrays [t, m, v]; `valid` where a displacement is known."""
    frames = [
        spearman(frame_gates[mask], frame_motion[mask])
        for frame_gates, frame_motion, mask in zip(gates, motion, valid, strict=True)
        if mask.sum() > 2
    ]
    gates, motion = gates[valid], motion[valid]
    return {
        "clip": spearman(gates, motion),
        "joints": float(np.nanmean(frames)),
        "gate_moving": float(gates[motion >= np.quantile(motion, 0.9)].mean()),
        "gate_still": float(gates[motion <= np.quantile(motion, 0.5)].mean()),
    }


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation; NaN where either array is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    ranks = [np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def batches(net: trained_model.TrainedModel, options: argparse.Namespace):
    """Evaluation batches of the split."""
    from jaxact.datasets import dataset_info
    from jaxact.pipeline import batches as pipeline_batches

    info = dataset_info.load(net.config.data.name, options.data_dir or net.config.data.data_dir)
    clip = dataclasses.asdict(net.config.clip) | {"views": 1}
    return pipeline_batches.eval_batches(
        info, split=options.split or net.config.data.eval_split, batch_size=16, clip=clip
    )


if __name__ == "__main__":
    main()
