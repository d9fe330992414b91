"""Attention maps to draw, and what a figure shows of them."""

import numpy as np
import pytest

from jaxact import plots


def random_maps(frames=12, people=2, segments=3, **changes) -> plots.AttentionMaps:
    """Attention maps of random people, 15 joints each; `changes` replace fields."""
    random = np.random.default_rng(0)
    joints = random.uniform(0.5, 2.0, (frames, people, 15, 3))
    joints[0, 0, 4] = 0
    fields = {
        "joints": joints,
        "frames": 2 * np.arange(frames),
        "heat": random.uniform(size=(frames, people, 15)) * joints.any(-1),
        "gate": random.uniform(size=(frames, people, 15)),
        "received": random.dirichlet(np.ones(15), people),
        "confidence": np.array([0.75, 0.25, 0.5])[:segments],
        "selected": np.array([True, False, True])[:segments],
        "segment_labels": ("wave", "clap", "wave")[:segments],
        "pixels": None,
        "predicted": "wave",
        "probability": 0.75,
    }
    return plots.AttentionMaps(**{**fields, **changes})


def discs(axes):
    """Places, areas and colours of the heat."""
    matches = [each for each in axes.collections if each.get_zorder() == 5]
    return (
        (np.asarray(matches[0].get_offsets()), matches[0].get_sizes(), matches[0].get_facecolors())
        if matches
        else None
    )


def grey_video(path, frames=5, height=48, width=64):
    """A video whose frame t is grey of brightness 30 t, in a codec that keeps it."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = height, width, "bgr0"
        for t in range(frames):
            picture = av.VideoFrame.from_ndarray(
                np.full((height, width, 3), 30 * t, np.uint8), format="rgb24"
            )
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return path
