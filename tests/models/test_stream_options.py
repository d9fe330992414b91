"""How options become the networks that run on streams: what reaches them, and what is refused."""

import jax
import jax.numpy as jnp
import pytest

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models.causal_stgcn import build_causal_stgcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers import pose_features
from jaxact.models.recogniser import build_recogniser

COCO = skeletons.get_layout("coco-17")


def recogniser(channels=("x", "y", "score"), axis_name=None, **options):
    return build_recogniser(
        InputSpec(layout=COCO, num_classes=4, channels=channels, axis_name=axis_name), **options
    )


def causal(**options):
    spec = InputSpec(layout=COCO, num_classes=4, channels=("x", "y"))
    return build_causal_stgcn(spec, **options)


def test_the_vectors_follow_layout_channels_and_features():
    model = recogniser(features="coco17", shared=1.0, axis_name="d")
    assert (
        model.joint_matrix == pose_features.joint_matrix(COCO, "coco17")
        and not model.parts
        and model.score
    )
    assert model.shared == 1.0 and model.axis_name == "d"
    model = recogniser(channels=("x", "y"))
    assert (
        model.joint_matrix == pose_features.joint_matrix(COCO, "parts")
        and model.parts
        and not model.score
    )


def test_the_graph_follows_layout_and_strategy():
    model = causal(strategy="uniform", window=2, init="he_fan_out", network="literal9", width=4)
    assert (len(model.adjacency), model.window, model.initial) == (1, 2, "he_fan_out")
    start = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 8, 1, 17, 2)))
    assert "stem" not in start["params"] and start["params"]["unit9"]["importance"].shape == (
        1,
        17,
        17,
    )


@pytest.mark.parametrize(
    ("build", "options", "text"),
    [
        (
            recogniser,
            {"channels": ("y", "x")},
            r"reads the channels x and y of a joint first, got y, x",
        ),
        (
            recogniser,
            {"network": "table3"},
            r"unknown network 'table3'; available: full, no_attention, table2; did",
        ),
        (
            recogniser,
            {"activation": "rely"},
            r"unknown activation 'rely'; available: relu, tanh; did you mean 'relu'",
        ),
        (
            recogniser,
            {"schedule": "flat"},
            r"unknown schedule of batch renormalisation 'flat'; available: linear",
        ),
        (recogniser, {"norm": "layer"}, r"unknown normalisation 'layer'; available: batch, renorm"),
        (recogniser, {"shared": 1.5}, r"model\.shared is a probability from 0 to 1, got 1\.5"),
        (
            recogniser,
            {"features": "joints"},
            r"unknown features 'joints'; available: coco17, parts",
        ),
        (causal, {"network": "stem8"}, r"unknown network 'stem8'; available: literal9, .*stem9"),
        (
            causal,
            {"window": -1},
            r"model\.window is how many outputs are averaged, 0 for all; got -1",
        ),
        (causal, {"strategy": "space"}, r"unknown strategy 'space'"),
    ],
)
def test_an_option_out_of_its_range_is_refused(build, options, text):
    with pytest.raises(UserError, match=text):
        build(**options)
