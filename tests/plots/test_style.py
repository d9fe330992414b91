"""Style and files of all figures, and the weights of an attention."""

import builtins
import sys

import numpy as np
import pytest

from jaxact import plots
from jaxact.errors import UserError
from jaxact.plots import (
    style,
)
from jaxact.plots.confusion_matrix import _MAX_NAMED, _MAX_NUMBERED

pytest.importorskip("matplotlib")


def test_labels_are_shortened_to_their_place():
    assert style.shorten("swing", 5) == "swing" and style.shorten("tennis swing", 8) == "tennis…"
    assert _MAX_NUMBERED < _MAX_NAMED


def test_a_suffix_that_is_no_picture_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"cannot draw to .*c\.txt.*: the suffix must be one of .*\.png"
    ):
        plots.per_class_bars(np.ones(1), ["a"], tmp_path / "c.txt")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    original_import = builtins.__import__

    def no_matplotlib(name, *args, **options):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return original_import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(UserError, match=r"matplotlib.*pip install 'jaxact\[plot\]'"):
        plots.per_class_bars(np.ones(1), ["a"], tmp_path / "c.png")


def test_drawing_leaves_the_style_of_the_caller_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.per_class_bars(np.ones(1), ["a"], tmp_path / "c.png")
    assert dict(matplotlib.rcParams) == before
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


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
