"""`jaxact plot attention` with an STA-GCN."""

import jax
import numpy as np
import pytest

from jaxact import cli, config, skeletons
from jaxact.models import stgcn
from jaxact.runs import state, trained_model
from tests.helpers.attention_figures import discs, grey_video
from tests.helpers.figures import texts
from tests.helpers.random_weights import fill

pytest.importorskip("matplotlib")

LAYOUT = skeletons.get_layout("kinect-15")
GREY = "#b9c0c9"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Prepared clips whose joints are pixels, a video of one of them, and a network that was not
    trained.
    """
    root = tmp_path_factory.mktemp("world")
    (root / "raw").mkdir()
    rows = ["id,label,split"]
    for index, frames in enumerate((8, 8, 1)):
        points = np.random.default_rng(index).uniform(5, 45, (frames, 15, 2)).astype(np.float32)
        np.save(root / "raw" / f"c{index}.npy", points)
        rows.append(f"c{index},{'wave' if index else 'clap'},test")
    (root / "raw" / "labels.csv").write_text("\n".join(rows) + "\n")
    names = [
        "--name",
        "toy",
        "--layout",
        "jhmdb-15",
        "--raw",
        str(root / "raw"),
        "--data-dir",
        str(root / "data"),
    ]
    assert cli.main(["prepare", "custom", *names]) == 0
    run = config.TrainConfig(
        model=config.STAGCNConfig(width=4, segments=2, kept=1, init="he_fan_out")
    )
    run.clip = config.ClipConfig(frames=8, persons=1, center="first")
    run.data = config.DataConfig(name="custom/toy", data_dir=str(root / "data"), eval_split="test")
    meta = trained_model.RunMetadata(
        run, skeletons.get_layout("jhmdb-15"), ("clap", "wave"), ("x", "y")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem9", (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 1, 1)))
        model = trained_model.build(meta)
        weights = fill(
            jax.eval_shape(lambda: state.init(model, trained_model.example_input(meta), 0))
        )
        net = trained_model.TrainedModel(
            model,
            weights,
            run,
            skeletons.get_layout("jhmdb-15"),
            ("clap", "wave"),
            ("x", "y"),
            0,
            "",
        )
        patch.setattr(trained_model, "load", lambda *args, **options: net)
        yield root


def plotted(root, clip, out, *more):
    return cli.main(
        ["plot", "attention", "--checkpoint", "run", "--id", clip, "--out", str(root / out), *more]
    )


@pytest.mark.slow
def test_the_command_draws_a_record_alone_and_over_its_video(world, drawn, capsys):
    assert plotted(world, "c1", "a.png") == 0
    title = next(text for text in texts(drawn[0]) if text.startswith("wave (c1), recognised as "))
    assert title.endswith(" %")
    footage = str(grey_video(world / "v.mkv", frames=8))
    assert plotted(world, "c1", "b.png", "--video", footage, "--figure", "joints") == 0
    panels = [axes for axes in drawn[1].axes if discs(axes)]
    shown_frames = [int(np.mean(axes.images[0].get_array())) for axes in panels]
    assert shown_frames == [0, 60, 90, 120, 180, 210]
    assert (
        plotted(world, "c1", "c.mp4", "--video", footage) == 0
        and (world / "c.mp4").stat().st_size > 1000
    )
    assert capsys.readouterr().out.split() == [
        str(world / name) for name in ("a.png", "b.png", "c.mp4")
    ]


@pytest.mark.parametrize(
    ("clip", "more", "message"),
    [
        ("c7", [], "no record with the id 'c7' in the split 'test' of 'custom/toy' (3 records)"),
        (
            "c2",
            [],
            "the record 'c2' has 1 frames, fewer than the 2 segments that the network cuts",
        ),
        ("c1", ["--video", "short.mkv"], "has 5 frames and the record 8; wanted the video"),
    ],
)
def test_the_command_refuses_in_one_sentence(world, capsys, monkeypatch, clip, more, message):
    monkeypatch.chdir(world)
    if more:
        grey_video(world / "short.mkv")
    assert plotted(world, clip, "d.png", *more) == 2
    assert message in capsys.readouterr().err and not (world / "d.png").exists()
