"""Does the gate of a spatial attention network open where joints move? Rank correlations on a
split.

    python scripts/gate_correlation.py --checkpoint runs/utd_pretrain --data-dir data

Spearman's correlation of the gate with the length of the displacement that follows, over all joints
and frames of a clip, and over the joints of each frame alone; and the gate's mean over the tenth of
joints that moves most and the half that moves least. Networks: `displacement`, and `stagcn` with a
gate.
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
    see = jax.jit(lambda x: (gate(net, x), *displacements(x, len(net.channels) - score, score)))
    rows = []
    for batch in batches(net, options):
        found = [each[batch["mask"]] for each in jax.device_get(see(batch["inputs"][:, 0]))]
        for maps, change, sure in zip(*found, strict=True):
            rows.append(of_clip(maps, np.linalg.norm(change, axis=-1), sure > 0))
    means = {name: round(float(np.nanmean([row[name] for row in rows])), 4) for name in rows[0]}
    print(json.dumps({"clips": len(rows), **means}))


def gate(net: trained_model.TrainedModel, inputs: jax.Array) -> jax.Array:
    """h [b, t, m, v]."""
    sown: Any = net.model.apply(net.weights, inputs, mutable=["intermediates"])[1]
    if "gate" not in sown["intermediates"]:
        raise UserError(
            "this network has no gate; wanted `displacement`, or `stagcn` with model.gate own or shared"
        )
    return sown["intermediates"]["gate"][0]


def of_clip(maps: np.ndarray, moved: np.ndarray, there: np.ndarray) -> dict[str, float]:
    """The figures of one clip: [t, m, v] each, `there` where a displacement is known."""
    frames = [
        spearman(h[seen], d[seen])
        for h, d, seen in zip(maps, moved, there, strict=True)
        if seen.sum() > 2
    ]
    h, d = maps[there], moved[there]
    return {
        "clip": spearman(h, d),
        "joints": float(np.nanmean(frames)),
        "gate_moving": float(h[d >= np.quantile(d, 0.9)].mean()),
        "gate_still": float(h[d <= np.quantile(d, 0.5)].mean()),
    }


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the ranks; NaN where one of both is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    ranks = [np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def batches(net: trained_model.TrainedModel, options: argparse.Namespace):
    """Evaluation batches of the split."""
    from jaxact.datasets import dataset_info
    from jaxact.pipeline import batches as made

    info = dataset_info.load(net.config.data.name, options.data_dir or net.config.data.data_dir)
    clip = dataclasses.asdict(net.config.clip) | {"views": 1}
    return made.eval_batches(
        info, split=options.split or net.config.data.eval_split, batch_size=16, clip=clip
    )


if __name__ == "__main__":
    main()
