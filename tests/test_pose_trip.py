"""From a picture's joints over the maps that a network should answer to people again, and to the
metrics' figures.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf

from jaxact.losses import pose as pose_losses
from jaxact.metrics import pose as pose_metrics
from jaxact.models import pose_decoding
from jaxact.pipeline import pose_picture
from jaxact.skeletons import get_layout
from tests.helpers import poses

CLIP = {"height": 256, "width": 256, "sigma": 7.0, "thickness": 1.0, "persons": 6}


@pytest.fixture(scope="module")
def trip():
    """Targets of a picture of 300 x 400 pixels with three people, and the people decoded from
    them.
    """
    people = [
        poses.person(90, 40, 190),
        poses.person(200, 60, 170, j4=(0.1, 0.05)),
        poses.person(320, 50, 220),
    ]
    people[1][13] = 0
    joints = np.zeros(
        (1, 3, 18, 3), np.float32
    )  # openpose-18, whose first fourteen joints these are
    joints[0, :, :14] = people
    record = {
        "id": tf.constant("one"),
        "image": tf.io.encode_jpeg(np.full((300, 400, 3), 90, np.uint8)),
        "height": tf.constant(300),
        "width": tf.constant(400),
        "joints": tf.constant(joints),
        "ignored": tf.zeros((300, 400), tf.uint8),
    }
    example = pose_picture.evaluate(record, layout=get_layout("openpose-18"), **CLIP)
    targets = {name: value.numpy() for name, value in example["targets"].items()}
    answers = {name: targets[name][None, None] for name in ("joints", "limbs")}
    return targets, answers, pose_decoding.decode(answers, persons=6)[0], people


def test_people_come_back_where_they_were(trip):
    targets, _, decoded, people = trip
    zoom, left, top = targets["letterbox"]
    there = decoded[decoded[..., 2].any(axis=1)]
    assert len(there) == 3
    for one in people:
        placed = np.where(one[:, 2:] > 0, one[:, :2] * zoom + (left, top), 0)
        assert min(np.abs(other[:, :2] - placed).max() for other in there) < 1.0


def test_perfect_answers_have_no_loss_and_the_best_figures(trip):
    targets, answers, decoded, _ = trip
    wanted = {name: targets[name][None] for name in ("joints", "limbs", "weights")}
    assert pose_losses.pose_loss(*jax.tree.map(jnp.asarray, (answers, wanted))).tolist() == [0.0]
    true, found = targets["people"][:3], decoded[:3]
    order = np.argsort(found[:, 1, 0])[np.argsort(np.argsort(true[:, 1, 0]))]
    hits = pose_metrics.hits(found[order], true, pose_metrics.box_sizes(true), share=0.02)
    assert pose_metrics.pck(hits) == {"pck": 1.0, "mean_joint": 1.0} and hits.annotated.sum() == 41
    picture = pose_metrics.ImagePeople(
        predicted=found,
        scores=found[..., 2].sum(1),
        true=true,
        areas=np.full(3, 4000.0, np.float32),
        boxes=np.zeros((3, 4), np.float32),
        crowd=np.zeros(3, bool),
    )
    figures = pose_metrics.average_precision([picture], sigmas=pose_metrics.SIGMAS["body-14"])
    assert figures["AP"] > 0.99 and figures["AR"] == 1.0
