"""The online paper's figures: moments of a watched video, and the weights of a recogniser's
attention.
"""

import dataclasses
import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import cli, config, plots
from jaxact.errors import UserError
from jaxact.inference import recogniser_attention
from jaxact.pipeline import batches
from jaxact.plots import style
from jaxact.streaming.keyframes import moments
from tests.helpers import random_runs, videos
from tests.helpers.poses import person

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn(monkeypatch):
    """Figures as they are saved."""
    figures = []
    save = style.save
    monkeypatch.setattr(
        style, "save", lambda drawing, out: (figures.append(drawing), save(drawing, out))
    )
    return figures


@pytest.fixture
def log(tmp_path):
    """A log of twelve frames in which somebody stands from the third one on and waves from the
    sixth on.
    """
    video = videos.write(tmp_path / "a.mp4", videos.frames(12, 48, 64), rate=10)
    joints = person(30, 4, 40).tolist()
    lines = [{"event": "start", "source": str(video), "labels": ["rest", "wave"]}]
    for number in range(12):
        said = (
            {"label": "wave", "probability": 0.8}
            if number >= 5
            else {"label": None, "probability": None}
        )
        people = [{"id": 0, "joints": [None, *joints[1:]], **said}] if number >= 2 else []
        lines.append({"frame": number, "time": number / 10, "size": [64, 48], "people": people})
    lines.append({"event": "end", "frames": 12})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def test_moments_are_evenly_out_of_the_frames_with_a_class_and_show_it(log):
    row = moments(str(log), count=3)
    assert row.title == "wave" and row.seconds == [0.5, 0.8, 1.1]
    plain = videos.frames(12, 48, 64)
    for number, picture in zip((5, 8, 11), row.pictures, strict=True):
        changed = np.abs(picture.astype(int) - plain[number]).max(axis=2) > 40
        assert changed[15:30, 20:40].any() and not changed[24:, :8].any()  # below the name


def test_a_row_of_a_sheet_is_a_video_and_every_picture_has_its_time(log, tmp_path, drawn, capsys):
    assert (
        cli.main(
            [
                "plot",
                "recognised",
                str(log),
                str(log),
                "--frames",
                "2",
                "--out",
                str(tmp_path / "s.png"),
            ]
        )
        == 0
    )
    axes = drawn[0].axes
    assert [each.get_xlabel() for each in axes] == ["0.50 s", "1.10 s"] * 2
    assert [each.get_ylabel() for each in axes] == ["wave", "", "wave", ""]
    assert (tmp_path / "s.png").stat().st_size > 5000


def test_what_cannot_be_a_sheet_is_refused(log, tmp_path):
    short = videos.write(tmp_path / "short.mp4", videos.frames(6, 48, 64))
    with pytest.raises(
        UserError, match=r"short.mp4' has 1 of the 4 pictures that the log .*--videos FILE"
    ):
        moments(str(log), video=str(short))
    text = log.read_text().splitlines()
    for content, said in (
        ("\n".join(text[1:]), "it has no event 'start'"),
        ("\n".join(text[:3]), "has nobody in its 2 frames"),
        ("no JSON", "is no log of `jaxact stream --log`"),
    ):
        log.write_text(content)
        with pytest.raises(UserError, match=said):
            moments(str(log))
    with pytest.raises(UserError, match="no picture to draw"):
        plots.sheet([], tmp_path / "s.png")


def test_weights_and_shares_are_those_of_the_network(monkeypatch):
    net, _ = random_runs.network(config.RecogniserConfig(width=6), frames=5)
    clips = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 1, 5, 1, 14, 3)).astype(np.float32)
    ids, mask = np.array(["a", "b", "c", ""], object), np.array([True, True, True, False])
    batch = {"inputs": clips, "targets": np.array([0, 1, 2, 0], np.int32), "mask": mask, "id": ids}
    monkeypatch.setattr(batches, "eval_batches", lambda *_, **__: iter([batch]))

    class Info:
        name = "toy"

    found = recogniser_attention.look(net, Info(), "test", id="b")
    assert (found.name, found.label, found.clips) == (
        "b",
        "rest",
        3,
    ) and found.predicted in net.labels
    np.testing.assert_allclose(found.weights.sum(axis=0), np.ones(6), rtol=1e-5)
    apply = jax.jit(functools.partial(net.model.apply, mutable=["intermediates"]))
    _, sown = apply(net.weights, jnp.asarray(clips[:3, 0]))
    attention = sown["intermediates"]["head"]["attention"]
    np.testing.assert_allclose(found.weights, attention["attention"][0][1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.shares, np.mean(attention["shares"][0], axis=0), rtol=1e-4)
    with pytest.raises(
        UserError, match=r"no record with the id 'z' in the split 'test' of 'toy' \(3 records\)"
    ):
        recogniser_attention.look(net, Info(), "test", id="z")
    plain = dataclasses.replace(net, model=net.model.clone(network="no_attention"))
    with pytest.raises(
        UserError, match="has no shared attention; wanted a checkpoint of recogniser with attention"
    ):
        recogniser_attention.look(plain, Info(), "test")


def test_the_figure_of_weights_shows_them_in_percent(tmp_path, drawn):
    weights = np.random.default_rng(0).dirichlet(np.ones(5), 6).T.astype(np.float32)
    shares = np.full(6, 1 / 6, np.float32)
    plots.attention_weights(weights, shares, tmp_path / "w.png", title="wave")
    over_time, last, share = drawn[0].axes[:3]
    np.testing.assert_allclose(over_time.images[0].get_array(), 100 * weights, rtol=1e-5)
    np.testing.assert_allclose(
        [bar.get_height() for bar in last.patches], 100 * weights[-1], rtol=1e-5
    )
    np.testing.assert_allclose([bar.get_height() for bar in share.patches], 100 * shares, rtol=1e-5)
    assert [axes.get_lines()[0].get_ydata()[0] for axes in (last, share)] == [
        20.0,
        pytest.approx(100 / 6),
    ]
