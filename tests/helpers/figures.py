"""Figures of `jaxact.plots` in tests: those that are saved, their texts, and a clip to draw."""

from typing import Any

import numpy as np
import pytest

from jaxact import skeletons
from jaxact.plots import layout_drawing, style


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Figures in the order in which they are saved."""
    figures = []
    save = style.save

    def record(drawing: Any, out: Any) -> None:
        figures.append(drawing)
        save(drawing, out)

    monkeypatch.setattr(style, "save", record)
    return figures


def texts(figure: Any) -> list[str]:
    """All texts of a figure that are not empty."""
    artists = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [artist.get_text() for artist in artists if artist.get_text()]


def walker(frames=8, layout="ntu-25"):
    """A standing figure that shifts sideways, three metres away, y up."""
    pose = layout_drawing.standing_pose(skeletons.get_layout(layout))
    joints = np.zeros((frames, 2, len(pose), 3))
    joints[:, 0] = np.column_stack([-1.7 * pose[:, 0], 1.7 * pose[:, 1], np.full(len(pose), 3.0)])
    joints[:, 0, :, 0] += np.linspace(0, 0.4, frames)[:, None]
    return joints
