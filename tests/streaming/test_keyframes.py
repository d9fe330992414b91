"""Key frames of a stream's log: their frames, images, times and errors."""

import json

import numpy as np
import pytest

from jaxact import cli, plots
from jaxact.errors import UserError
from jaxact.plots import style
from jaxact.streaming.keyframes import select_keyframes
from tests.helpers import videos
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
        prediction = (
            {"label": "wave", "probability": 0.8}
            if number >= 5
            else {"label": None, "probability": None}
        )
        people = [{"id": 0, "joints": [None, *joints[1:]], **prediction}] if number >= 2 else []
        lines.append({"frame": number, "time": number / 10, "size": [64, 48], "people": people})
    lines.append({"event": "end", "frames": 12})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def test_key_frames_are_evenly_out_of_the_frames_with_a_class_and_show_it(log):
    row = select_keyframes(str(log), count=3)
    assert row.title == "wave" and row.seconds == [0.5, 0.8, 1.1]
    plain = videos.frames(12, 48, 64)
    for number, picture in zip((5, 8, 11), row.images, strict=True):
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
        UserError, match=r"short.mp4' has 1 of the 4 images that the log .*--videos FILE"
    ):
        select_keyframes(str(log), video=str(short))
    text = log.read_text().splitlines()
    for content, message in (
        ("\n".join(text[1:]), "it has no event 'start'"),
        ("\n".join(text[:3]), "has no people in its 2 frames"),
        ("no JSON", "is no log of `jaxact stream --log`"),
    ):
        log.write_text(content)
        with pytest.raises(UserError, match=message):
            select_keyframes(str(log))
    with pytest.raises(UserError, match="no image to draw"):
        plots.keyframe_sheet([], tmp_path / "s.png")
