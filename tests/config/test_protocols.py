"""Protocols by name: followed, overridden, compared, refused for other records, never changed."""

import dataclasses
import hashlib
import json

import flax.linen as nn
import jax
import numpy as np
import pytest

from jaxact import cli, config, export
from jaxact.config import protocols
from jaxact.config.protocols import PROTOCOLS
from jaxact.errors import UserError
from jaxact.evaluation import classification
from jaxact.pipeline import skeleton
from jaxact.runs import resume_check, trained_model
from jaxact.skeletons import get_layout
from tests.helpers import toys

FILE = """
from jaxact.config import ClipConfig, TrainConfig, follow
def get_config(arg=""):
    run = TrainConfig(clip=ClipConfig(frames=7, scale="skeleton", stream="bone"))
    if arg:
        follow(run, arg)
        run.clip.views = 3
    return run
"""
LAYOUTS = {("x", "y", "z"): get_layout("ntu-25"), ("x", "y", "score"): get_layout("openpose-18")}


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "some.py"
    path.write_text(FILE)
    return str(path)


def following(name, **changes):
    """A run that follows a protocol, with options changed: clip__frames=48."""
    run = config.TrainConfig()
    protocols.follow(run, name)
    for option, value in changes.items():
        config.override(run, option.replace("__", "."), str(value))
    return run


def test_a_protocol_gives_its_options_and_the_defaults_of_all_others_but_the_stream(config_file):
    run = config.load(config_file, ["--config.protocol=ctr"])
    assert run.clip == config.ClipConfig(
        frames=64,
        person="denoised",
        empty="drop",
        center="first",
        origin="spine",
        sampling="crop_resize",
        share=0.95,
        stream="bone",
    )
    assert run.augment == config.AugmentConfig(crop=0.5, crop_frames=64, rotate=0.3)
    assert protocols.describe(run) == "ctr v1"


def test_an_option_given_beside_a_protocol_wins_wherever_it_stands(config_file):
    for overrides in (
        ["--config.protocol=ctr", "--config.clip.frames=48"],
        ["--config.clip.frames=48", "--config.protocol=ctr"],
    ):
        run = config.load(config_file, overrides)
        assert (run.clip.frames, run.clip.share) == (48, 0.95)
        assert protocols.describe(run) == "ctr v1 with clip.frames 64 -> 48"


def test_a_config_file_follows_a_protocol_and_goes_on_from_there(config_file):
    run = config.load(f"{config_file}:agcn", ["--config.augment.rotate=0.1"])
    assert protocols.describe(run) == "agcn v1 with clip.views 1 -> 3, augment.rotate 0.0 -> 0.1"
    other = config.load(f"{config_file}:agcn", ["--config.protocol=pyskl-u100"])
    assert protocols.describe(other) == "pyskl-u100 v1"
    assert protocols.describe(config.load(config_file)) == "none"


def test_a_name_alone_is_not_trusted():
    run = config.TrainConfig(protocol="stgcn-released")
    assert protocols.describe(run) == "stgcn-released v1"  # its values are the defaults
    run.protocol = "ctr"
    assert protocols.describe(run).startswith(
        "ctr v1 with clip.frames 64 -> 300, clip.sampling crop_resize -> window"
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_makes_a_valid_run_that_says_its_name_after_a_trip_through_json(name):
    run = following(name)
    config.check(run)
    again = config.from_dict(json.loads(json.dumps(config.to_dict(run))))
    assert protocols.describe(again) == f"{name} v{PROTOCOLS[name].version}"
    channels = PROTOCOLS[name].channels
    clip, augment = dataclasses.asdict(run.clip), dataclasses.asdict(run.augment)
    skeleton.check(clip=clip, augment=augment, layout=LAYOUTS[channels], channels=channels)
    protocols.check(name, layout=LAYOUTS[channels], channels=channels)


def test_the_values_of_a_version_never_change():
    """A change here moves published numbers: increase the protocol's `version`, then its digest."""
    digests = {}
    for name, protocol in PROTOCOLS.items():
        values = [protocol.version, protocol.channels, protocol.clip, protocol.augment]
        text = json.dumps(values, sort_keys=True)
        digests[name] = hashlib.sha256(text.encode()).hexdigest()[:8]
    assert digests == {
        "stgcn-aaai18": "9dc89fe9",
        "stgcn-aaai18-2d": "77085928",
        "stgcn-released": "9dc89fe9",
        "stgcn-released-2d": "2909d50a",
        "agcn": "568862ed",
        "agcn-2d": "60a0f3cd",
        "ctr": "c703c46c",
        "pyskl-u100": "aa053e69",
        "pyskl-u100-2d": "4660f167",
    }


def test_the_defaults_that_protocols_rest_on_never_change():
    clip = {
        "sampling": "window",
        "share": 1.0,
        "empty": "keep",
        "pad": "zero",
        "person": "file",
        "min_score": 0.0,
        "flip_y": False,
        "motion": "sampled",
        "center": "none",
        "origin": "centre",
        "align": False,
        "scale": "none",
        "views": 1,
    }
    assert dataclasses.asdict(config.ClipConfig()).items() >= clip.items()
    off = {"move", "move_missing", "mirror", "swap"}
    zero = {"window", "crop_frames", "rotate", "rescale", "jitter", "drop_joints"}
    augment = {
        **dict.fromkeys(off, False),
        **dict.fromkeys(zero, 0),
        "crop": 1.0,
        "window_from": "clip",
    }
    assert dataclasses.asdict(config.AugmentConfig()).items() >= augment.items()


@pytest.mark.parametrize(
    ("name", "layout", "channels", "message"),
    [
        (
            *("ctr", "openpose-18", ("x", "y", "score")),
            "the protocol 'ctr' is for records of x, y, z, but these records hold x, y, score in "
            "the layout 'openpose-18'; available for them: stgcn-aaai18-2d, stgcn-released-2d, "
            "agcn-2d, pyskl-u100-2d",
        ),
        (
            "agcn-2d",
            "ntu-25",
            ("x", "y", "z"),
            "available for them: stgcn-aaai18, stgcn-released, agcn, ctr, pyskl-u100",
        ),
        (
            "pyskl-u100",
            "jhmdb-15",
            ("x", "y"),
            "hold x, y in the layout 'jhmdb-15'; available for them: none",
        ),
        (
            *("agcn", "coco-17", ("x", "y", "z")),
            "is for layouts with spine, but these records hold x, y, z in the layout 'coco-17'; "
            "available for them: stgcn-aaai18, stgcn-released",
        ),
    ],
)
def test_a_protocol_that_does_not_fit_the_records_is_one_sentence(name, layout, channels, message):
    with pytest.raises(UserError) as caught:
        protocols.check(name, layout=get_layout(layout), channels=channels)
    assert message in str(caught.value)


def test_an_unknown_protocol_lists_those_there_are(config_file):
    with pytest.raises(
        UserError,
        match=r"unknown protocol 'crt'; available: agcn, agcn-2d, ctr, .*did you mean 'ctr'",
    ):
        config.load(config_file, ["--config.protocol=crt"])
    with pytest.raises(UserError, match="unknown protocol 'agnc'"):
        config.check(config.TrainConfig(protocol="agnc"))


def test_checkpoint_report_and_artifact_say_what_was_followed(tmp_path):
    run = following("stgcn-released-2d", clip__frames=8)
    text = "stgcn-released-2d v1 with clip.frames 300 -> 8"
    meta = trained_model.RunMetadata(run, toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    assert meta.protocol == meta.to_dict()["protocol"] == text
    net = trained_model.TrainedModel(
        model=nn.Dense(4),
        weights={},
        config=run,
        layout=toys.LAYOUT,
        labels=toys.LABELS,
        channels=toys.CHANNELS,
        step=7,
        selection="the last checkpoint of the run",
    )
    assert classification.provenance(net, split="test", subset=None)["protocol"] == text
    shape = jax.ShapeDtypeStruct((1, 8, 2, 18, 3), np.float32)
    assert export.describe(net, shape, ("n",))["protocol"] == text


def test_a_run_older_than_an_option_goes_on_where_the_option_has_its_default(tmp_path):
    meta = trained_model.RunMetadata(config.TrainConfig(), toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    values = json.loads(json.dumps(meta.to_dict()))
    del values["config"]["protocol"], values["config"]["clip"]["origin"], values["protocol"]
    old = trained_model.RunMetadata.from_dict(values)
    resume_check.check_same_run(old, meta, tmp_path)
    other = trained_model.RunMetadata(following("ctr"), toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    with pytest.raises(
        UserError, match=r"other options \(augment.crop 1.0 -> 0.5, .*; resume with the same ones"
    ):
        resume_check.check_same_run(old, other, tmp_path)


def test_the_help_of_train_lists_every_protocol_and_its_source(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    text = capsys.readouterr().out.split("protocols:")[1]
    for name, protocol in PROTOCOLS.items():
        assert f"{name:18}{protocol.source}" in text
