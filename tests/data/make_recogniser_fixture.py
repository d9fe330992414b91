"""Writes recogniser_keras.npz: a narrow online recogniser and batch normalisation in Keras.

    python -m tests.data.make_recogniser_fixture

Stored are input vectors, random arrays under our names, and the logits with attention weights per
feature (p0), with shared weights (p1), and without attention, each with LSTMs of ReLU and of tanh.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
FRAMES, WIDTH, CLASSES, VECTOR = 5, 6, 4, 34
LAYERS = {  # the Keras layer of each of our modules
    **{f"recurrent/lstm{i}": f"lstm{i}" for i in (1, 2, 3)},
    **{f"recurrent/{name}": name for name in ("input_norm", "norm1", "norm2", "norm3")},
    **{
        "head/attention": "attention",
        "head/head": "head",
        "head/dense1": "dense1",
        "head/dense2": "dense2",
    },
    **{"head/norm1": "dense_norm1", "head/norm2": "dense_norm2"},
}
LEAVES = {"gamma": "scale", "beta": "bias", "moving_mean": "mean", "moving_variance": "var"}
LEAVES |= {"recurrent_kernel": "recurrent"}


def network(activation: str, attention: str) -> Any:
    """Figure 3 and Table 2, layer by layer, at inference; `attention` is "p0", "p1" or "none"."""
    import keras
    from keras import layers

    vectors = keras.Input((FRAMES, VECTOR))
    x = layers.BatchNormalization(name="input_norm")(vectors)
    for i in (1, 2, 3):
        x = layers.LSTM(WIDTH, activation=activation, return_sequences=True, name=f"lstm{i}")(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
    if attention != "none":
        weights = layers.Dense(FRAMES, activation="softmax", name="attention")(
            layers.Permute((2, 1))(x)
        )
        if attention == "p1":
            weights = layers.RepeatVector(WIDTH)(
                layers.Lambda(lambda a: keras.ops.mean(a, axis=1))(weights)
            )
        x = layers.Multiply()([x, layers.Permute((2, 1))(weights)])
    x = layers.Flatten()(x)
    for i, units in enumerate((WIDTH, WIDTH // 2), 1):
        x = layers.BatchNormalization(name=f"dense_norm{i}")(
            layers.Dense(units, name=f"dense{i}")(x)
        )
        x = layers.ReLU()(x)
    return keras.Model(vectors, layers.Dense(CLASSES, name="head")(x))


def drawn(kind: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Kernels wide enough for attention to differ between features and logits between clips."""
    if kind in ("moving_variance", "gamma"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    return random.normal(0, 0.3 if len(shape) == 1 else 2.5 * shape[0] ** -0.5, shape).astype(
        np.float32
    )


def main() -> None:
    """Runs the six networks on the same arrays."""
    import keras

    random = np.random.default_rng(3)
    vectors = random.uniform(-0.5, 0.5, (3, FRAMES, VECTOR)).astype(np.float32)
    stored: dict[str, np.ndarray] = {"vectors": vectors}
    arrays: dict[str, np.ndarray] = {}
    for activation in ("relu", "tanh"):
        for attention in ("p0", "p1", "none"):
            model = network(activation, attention)
            for path, layer in LAYERS.items():
                if attention == "none" and layer == "attention":
                    continue
                for variable in model.get_layer(layer).weights:
                    leaf = f"{path}/{LEAVES.get(variable.name, variable.name)}"
                    if leaf not in arrays:
                        arrays[leaf] = drawn(variable.name, tuple(variable.shape), random)
                    variable.assign(arrays[leaf])
            stored[f"{activation}/{attention}"] = np.asarray(model(vectors))
    norm = keras.layers.BatchNormalization()
    norm.build((None, None, VECTOR))
    names = "scale", "bias", "mean", "var"
    norm.set_weights([arrays[f"recurrent/input_norm/{name}"] for name in names])
    stored["norm/trained"] = np.asarray(norm(vectors, training=True))
    stored |= {
        f"norm/{name}": np.asarray(value)
        for name, value in zip(names, norm.get_weights(), strict=True)
    }
    stored |= {f"arrays/{name}": value for name, value in arrays.items()}
    np.savez_compressed(
        Path(__file__).with_name("recogniser_keras.npz"), allow_pickle=False, **stored
    )


if __name__ == "__main__":
    main()
