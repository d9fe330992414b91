"""Every config: it loads, its run card says what it must, and its toy makes a step."""

import functools
import runpy
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxact import config, models, skeletons
from jaxact.cli import quickstart
from jaxact.datasets.preparation.video_builder import PICTURE
from jaxact.models import asgcn, stgcn
from jaxact.runs import trained_model

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.py"))
CLASSES = 7  # the same for all data sets, so that configs share networks
KNOWN = {  # layout and channels of the data set of each config
    "synthetic_actions": ("ntu-25", ("x", "y", "z")),
    "utd_mhad": ("kinect-20", ("x", "y", "z")),
    "sbu": ("kinect-15", ("x", "y", "z")),
    "custom/jhmdb14": ("jhmdb-15", ("x", "y")),
    "custom/mine": ("coco-17", ("x", "y", "score")),
    "ntu60": ("ntu-25", ("x", "y", "z")),
    "kinetics_skeleton": ("openpose-18", ("x", "y", "score")),
    "ucf101_32": ("coco-17", ("x", "y", "score")),
    "ucf101": ("picture", ("red", "green", "blue")),
    "hmdb51": ("picture", ("red", "green", "blue")),
    "jhmdb_video": ("picture", ("red", "green", "blue")),
    "jhmdb_pose": ("jhmdb-15", ("x", "y", "seen")),
    "video_folder/kinetics": ("picture", ("red", "green", "blue")),
}
ROWS = [(path, row) for path in CONFIGS for row in runpy.run_path(str(path)).get("ROWS", [""])]
IDS = [f"{path.stem}:{row}" for path, row in ROWS]


@pytest.fixture(scope="module", autouse=True)
def short():
    """Four units of the ten that tests/models runs; they are traced in half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            stgcn.VARIANTS,
            "stem9",
            (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 1, 1), ("unit4", 2, 2)),
        )
        patch.setattr(asgcn, "UNITS", asgcn.UNITS[2:4])
        patch.setattr(asgcn, "POSE_UNITS", ())
        yield


def described(run: config.TrainConfig) -> trained_model.RunMetadata:
    """What a checkpoint of this run would hold beside its arrays."""
    name, channels = KNOWN[run.data.name]
    layout = PICTURE if name == "picture" else skeletons.get_layout(name)
    return trained_model.RunMetadata(run, layout, tuple(map(str, range(CLASSES))), channels)


def runs(run: config.TrainConfig) -> None:
    """Checks the shapes of a network's outputs; none of its numbers is computed."""
    meta = described(run)
    model, clip = trained_model.build(meta), trained_model.example(meta)
    trace = functools.partial(model.init_with_output, train=False)
    outputs, _ = jax.eval_shape(trace, {"params": jax.random.key(0)}, clip)
    if run.model.name == "pose":
        assert outputs["joints"].shape == (
            1,
            run.model.stages,
            clip.shape[1] // 8,
            clip.shape[2] // 8,
            14,
        )
    elif run.model.name in models.UNSUPERVISED:
        assert outputs["predicted"].shape[:-1] == clip.shape[:-1]
    else:
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs
        assert logits.shape == (1, CLASSES) and logits.dtype == np.float32


def load(path: Path, row: str) -> tuple[config.TrainConfig, config.TrainConfig]:
    """A row of a config, and its quick form."""
    return config.load(f"{path}:{row}"), config.load(f"{path}:{f'{row},' if row else ''}quick")


@pytest.fixture(scope="module")
def sections():
    """The model sections whose networks were traced: the same on other joints or frames is left to
    the slow test.
    """
    return set()


@pytest.mark.parametrize(("path", "row"), ROWS, ids=IDS)
def test_a_config_loads_and_its_quick_form_describes_a_network_that_runs(path, row, sections):
    whole, quick = load(path, row)
    assert quick.epochs == 1 and quick.model.width < whole.model.width
    size = "height" if whole.model.name == "pose" else "frames"
    assert getattr(quick.clip, size) < getattr(whole.clip, size)
    assert config.from_dict(config.to_dict(whole)) == whole
    trained_model.build(described(quick))
    section = repr(quick.model)
    if section not in sections:
        runs(quick)
        sections.add(section)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "row"), ROWS, ids=IDS)
def test_the_network_of_every_row_runs_on_the_joints_and_frames_of_its_data(path, row):
    runs(load(path, row)[1])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_run_card_names_paper_number_and_command(path):
    card = path.read_text().split('"""')[1]
    assert (
        f"--config configs/{path.name}" in card and "Paper: " in card and "jaxact prepare" in card
    )
    assert "Ours: " in card and ("%" in card.split("Ours: ")[1] or "not run" in card)


def test_quickstarts_config_is_the_one_in_the_folder():
    assert quickstart.get_config() == config.load(str(CONFIGS[0].parent / "stgcn_synthetic.py"))


def test_the_recogniser_reads_marked_or_detected_joints_of_a_split():
    path = str(CONFIGS[0].parent / "recogniser_jhmdb14.py")
    marked, detected = (
        config.load(f"{path}:p25,split2,{joints}") for joints in ("marked", "detected")
    )
    assert (marked.data.name, marked.data.eval_split) == ("custom/jhmdb14", "split2_test")
    assert (detected.data.name, detected.data.train_split) == ("jhmdb_detected", "official2_train")
    assert marked.model == detected.model and config.load(f"{path}:p25,split2") == marked
    assert config.load(path).model == config.RecogniserConfig(activation="tanh")
    assert config.load(f"{path}:relu").model == config.RecogniserConfig()


def test_a_row_of_a_table_is_an_argument_and_the_first_the_default():
    kinetics, ntu = (str(CONFIGS[0].parent / f"stgcn_{name}.py") for name in ("kinetics", "ntu60"))
    assert (
        config.load(kinetics)
        == config.load(f"{kinetics}:spatial_imp")
        != config.load(f"{kinetics}:spatial")
    )
    assert config.load(f"{kinetics}:tcn").model == config.TCNConfig()
    run = config.load(f"{ntu}:xview,res_tcn")
    assert run == config.load(f"{ntu}:res_tcn,xview")
    assert (run.data.eval_split, run.model.network) == ("xview_test", "res_tcn")


@pytest.mark.parametrize(
    "path", sorted({path for path, row in ROWS if row}), ids=lambda path: path.stem
)
def test_a_run_card_lists_every_row(path):
    card = path.read_text().split('"""')[1]
    assert all(f"    {row} " in card for row in runpy.run_path(str(path))["ROWS"])
