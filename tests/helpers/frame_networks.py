"""The narrow networks of keras.applications that `tests/data/make_frames_fixture.py` stored."""

from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "data"
VECTORS = ("bias", "gamma", "beta", "moving_mean", "moving_variance")


def stored(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Arrays by layer and variable, a frame of bytes [1 h w 3], and Keras's features of it [1 i j
    d].
    """
    with np.load(DATA / "frames_keras.npz") as held:
        names, shapes, numbers = (held[f"{name}/{part}"] for part in ("names", "shapes", "numbers"))
        pieces = np.split(numbers.astype(np.float32), np.cumsum(shapes.prod(axis=1))[:-1])
        arrays = {
            str(key): piece.reshape(-1 if key.rpartition("/")[2] in VECTORS else shape)
            for key, shape, piece in zip(names, shapes.tolist(), pieces, strict=True)
        }
        return arrays, held[f"{name}/inputs"], held[f"{name}/features"]
