"""Every config: it loads, its run card says what it must, and its toy makes a step."""

import runpy
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxact import config, models, quickstart, skeletons, trained
from jaxact.datasets.video import PICTURE

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.py"))
KNOWN = {  # layout, channels and classes of the data set of each config
    "synthetic_actions": ("ntu-25", ("x", "y", "z"), 12),
    "utd_mhad": ("kinect-20", ("x", "y", "z"), 27),
    "sbu": ("kinect-15", ("x", "y", "z"), 8),
    "custom/jhmdb14": ("jhmdb-15", ("x", "y"), 14),
    "custom/mine": ("coco-17", ("x", "y", "score"), 3),
    "ntu60": ("ntu-25", ("x", "y", "z"), 60),
    "kinetics_skeleton": ("openpose-18", ("x", "y", "score"), 400),
    "ucf101_32": ("coco-17", ("x", "y", "score"), 32),
    "ucf101": ("picture", ("red", "green", "blue"), 101),
    "hmdb51": ("picture", ("red", "green", "blue"), 51),
    "jhmdb_video": ("picture", ("red", "green", "blue"), 21),
    "jhmdb_pose": ("jhmdb-15", ("x", "y", "seen"), 21),
    "video_folder/kinetics": ("picture", ("red", "green", "blue"), 400),
}
ROWS = [(path, row) for path in CONFIGS for row in runpy.run_path(str(path)).get("ROWS", [""])]


@pytest.mark.parametrize(("path", "row"), ROWS, ids=[f"{path.stem}:{row}" for path, row in ROWS])
def test_a_config_loads_and_its_quick_form_describes_a_network_that_runs(path, row):
    whole, quick = config.load(f"{path}:{row}"), config.load(f"{path}:{f'{row},' if row else ''}quick")
    assert quick.epochs == 1 and quick.model.width < whole.model.width
    size = "height" if whole.model.name == "pose" else "frames"
    assert getattr(quick.clip, size) < getattr(whole.clip, size)
    assert config.from_dict(config.to_dict(whole)) == whole
    layout, channels, classes = KNOWN[whole.data.name]
    meta = trained.describe(
        quick,
        PICTURE if layout == "picture" else skeletons.get_layout(layout),
        tuple(map(str, range(classes))),
        channels,
    )
    model = trained.build(meta)
    shape = trained.example(meta)
    found, _ = jax.eval_shape(
        lambda key: model.init_with_output({"params": key}, jax.numpy.zeros(shape.shape), train=False),
        jax.random.key(0),
    )
    if whole.model.name == "pose":
        assert found["joints"].shape == (1, quick.model.stages, shape.shape[1] // 8, shape.shape[2] // 8, 14)
        return
    if whole.model.name in models.UNSUPERVISED:
        assert found["predicted"].shape[:-1] == shape.shape[:-1]
        return
    logits = found["logits"] if isinstance(found, dict) else found
    assert logits.shape == (1, classes) and logits.dtype == np.float32


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_run_card_names_paper_number_and_command(path):
    card = path.read_text().split('"""')[1]
    assert f"--config configs/{path.name}" in card and "Paper: " in card and "jaxact prepare" in card
    assert "Ours: " in card and ("%" in card.split("Ours: ")[1] or "not run" in card)


def test_quickstarts_config_is_the_one_in_the_folder():
    assert quickstart.get_config() == config.load(str(CONFIGS[0].parent / "stgcn_synthetic.py"))


def test_the_recogniser_reads_marked_or_detected_joints_of_a_split():
    path = str(CONFIGS[0].parent / "recogniser_jhmdb14.py")
    marked, detected = (config.load(f"{path}:p25,split2,{joints}") for joints in ("marked", "detected"))
    assert (marked.data.name, marked.data.eval_split) == ("custom/jhmdb14", "split2_test")
    assert (detected.data.name, detected.data.train_split) == ("jhmdb_detected", "official2_train")
    assert marked.model == detected.model and config.load(f"{path}:p25,split2") == marked
    assert config.load(path).model == config.RecogniserConfig(activation="tanh")
    assert config.load(f"{path}:relu").model == config.RecogniserConfig()


def test_a_row_of_a_table_is_an_argument_and_the_first_the_default():
    kinetics, ntu = (str(CONFIGS[0].parent / f"stgcn_{name}.py") for name in ("kinetics", "ntu60"))
    assert config.load(kinetics) == config.load(f"{kinetics}:spatial_imp") != config.load(f"{kinetics}:spatial")
    assert config.load(f"{kinetics}:tcn").model == config.TCNConfig()
    run = config.load(f"{ntu}:xview,res_tcn")
    assert run == config.load(f"{ntu}:res_tcn,xview")
    assert (run.data.eval_split, run.model.network) == ("xview_test", "res_tcn")


@pytest.mark.parametrize("path", sorted({path for path, row in ROWS if row}), ids=lambda path: path.stem)
def test_a_run_card_lists_every_row(path):
    card = path.read_text().split('"""')[1]
    assert all(f"    {row} " in card for row in runpy.run_path(str(path))["ROWS"])
