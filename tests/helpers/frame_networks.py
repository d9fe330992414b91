"""The narrow networks of keras.applications that `scripts/make_frames_fixture.py` stored, and
variables by chance.
"""

from pathlib import Path

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

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


def drawn(model, example, seed: int = 0) -> dict:
    """A model's variables, all of them random and none compiled for: kernels by fan-in, variances
    around 1.
    """
    random = np.random.default_rng(seed)
    flat = dict(flatten_dict(jax.eval_shape(model.init, jax.random.key(0), example)))

    def draw(path, leaf):
        if path[-1] in ("var", "scale"):
            return random.uniform(0.5, 1.5, leaf.shape)
        return random.normal(
            0, 0.2 if leaf.ndim < 2 else np.prod(leaf.shape[:-1]) ** -0.5, leaf.shape
        )

    return unflatten_dict(
        {path: jax.numpy.asarray(draw(path, leaf), leaf.dtype) for path, leaf in flat.items()}
    )
