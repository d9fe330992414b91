"""Every config with every data set and row: it loads, refuses wrong words, and its network runs."""

import functools
import itertools
import re
import runpy
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxact import cli, config, models, skeletons
from jaxact.config import arguments, recipes
from jaxact.datasets.preparation.video_builder import PICTURE
from jaxact.errors import UserError
from jaxact.models import asgcn_pose_head, stgcn
from jaxact.runs import trained_model

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.py"))
CLASSES = 7  # the same for all data sets, so that configs share networks
RECORDS = {  # layout and channels of each data set
    "synthetic_actions": ("ntu-25", ("x", "y", "z")),
    "utd_mhad": ("kinect-20", ("x", "y", "z")),
    "sbu": ("kinect-15", ("x", "y", "z")),
    "jhmdb_detected": ("body-14", ("x", "y", "score")),
    "custom/jhmdb14": ("jhmdb-15", ("x", "y")),
    "custom/mine": ("coco-17", ("x", "y", "score")),
    "ntu120": ("ntu-25", ("x", "y", "z")),
    "ntu60": ("ntu-25", ("x", "y", "z")),
    "kinetics_skeleton": ("openpose-18", ("x", "y", "score")),
    "ucf101_32": ("coco-17", ("x", "y", "score")),
    "ucf101": ("picture", ("red", "green", "blue")),
    "hmdb51": ("picture", ("red", "green", "blue")),
    "jhmdb_video": ("picture", ("red", "green", "blue")),
    "jhmdb_pose": ("jhmdb-15", ("x", "y", "seen")),
    "video_folder/kinetics": ("picture", ("red", "green", "blue")),
}
MODULES = {path: runpy.run_path(str(path)) for path in CONFIGS}
TABLES = {path: module["ROWS"] for path, module in MODULES.items()}
DATASETS = [(path, dataset) for path, table in TABLES.items() for dataset in table]
ROWS = [
    (path, f"{dataset},{row}" if row else dataset)
    for path, dataset in DATASETS
    for row in TABLES[path][dataset] or [""]
]
by_config = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
by_dataset = pytest.mark.parametrize(
    ("path", "dataset"), DATASETS, ids=[f"{path.stem}:{dataset}" for path, dataset in DATASETS]
)
by_row = pytest.mark.parametrize(
    ("path", "words"), ROWS, ids=[f"{path.stem}:{words}" for path, words in ROWS]
)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Four units of the ten that tests/models runs; they are traced in half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            stgcn.VARIANTS,
            "stem9",
            (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 1, 1), ("unit4", 2, 2)),
        )
        patch.setitem(stgcn.VARIANTS, "literal9", stgcn.VARIANTS["literal9"][2:4])
        patch.setattr(asgcn_pose_head, "POSE_UNITS", asgcn_pose_head.POSE_UNITS[-1:])
        yield


def metadata_of(run: config.TrainConfig) -> trained_model.RunMetadata:
    """The metadata of a checkpoint of this run."""
    name, channels = RECORDS[run.data.name]
    layout = PICTURE if name == "picture" else skeletons.get_layout(name)
    return trained_model.RunMetadata(run, layout, tuple(map(str, range(CLASSES))), channels)


def check_outputs(run: config.TrainConfig) -> None:
    """Checks the shapes of a network's outputs without computing them."""
    metadata = metadata_of(run)
    model, clip = trained_model.build(metadata), trained_model.example_input(metadata)
    trace = functools.partial(model.init_with_output, train=False)
    outputs, _ = jax.eval_shape(trace, {"params": jax.random.key(0)}, clip)
    if run.model.name == "pose":
        height, width = clip.shape[1] // 8, clip.shape[2] // 8
        assert outputs["joints"].shape == (1, run.model.stages, height, width, 14)
    elif run.model.name in models.UNSUPERVISED:
        assert outputs["predicted"].shape[:-1] == clip.shape[:-1]
    else:
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs
        assert logits.shape == (1, CLASSES) and logits.dtype == np.float32


def load(path: Path, words: str) -> tuple[config.TrainConfig, config.TrainConfig]:
    """A row of a config, and its quick form."""
    return config.load(f"{path}:{words}"), config.load(f"{path}:{words},quick")


@pytest.fixture(scope="module")
def traced_models():
    """Names of the models that were traced; the slow test traces every row's network."""
    return set()


@by_row
def test_a_config_loads_and_its_quick_form_describes_a_network_that_runs(
    path, words, traced_models
):
    whole, quick = load(path, words)
    assert quick.epochs == 1 and quick.model.width < whole.model.width
    size = "height" if whole.model.name == "pose" else "frames"
    assert getattr(quick.clip, size) < getattr(whole.clip, size)
    assert config.from_dict(config.to_dict(whole)) == whole
    trained_model.build(metadata_of(quick))
    if quick.model.name not in traced_models:
        check_outputs(quick)
        traced_models.add(quick.model.name)


@pytest.mark.slow
@by_row
def test_the_network_of_every_row_runs_on_the_joints_and_frames_of_its_data(path, words):
    check_outputs(load(path, words)[1])


@by_config
def test_a_config_without_words_is_its_first_data_set_and_row(path):
    dataset = next(iter(TABLES[path]))
    row = next(iter(TABLES[path][dataset]), "")
    words = f"{dataset},{row}" if row else dataset
    assert config.load(str(path)) == config.load(f"{path}:{words}")
    assert config.load(f"{path}:quick") == config.load(f"{path}:{words},quick")


@by_dataset
def test_a_word_belongs_to_one_choice(path, dataset):
    vocabulary = [
        *TABLES[path],
        *arguments.DATASETS[dataset].splits,
        *TABLES[path][dataset],
        arguments.QUICK,
    ]
    assert len(vocabulary) == len(set(vocabulary))


@by_dataset
def test_every_split_of_a_data_set_is_a_word_in_any_place(path, dataset):
    for split in arguments.DATASETS[dataset].splits:
        run = MODULES[path]["get_config"](f"{dataset},{split},quick")
        assert run.data.train_split == f"{split}_train"
        assert run.data.eval_split == f"{split}_test"
        assert run.data.name == arguments.DATASETS[dataset].name
        assert run == MODULES[path]["get_config"](f"quick,{split},{dataset}")


def misused(path: Path, dataset: str) -> dict[str, str]:
    """Wrong arguments for a data set, each with what its error says."""
    table, splits = TABLES[path], arguments.DATASETS[dataset].splits
    rows = [*table[dataset]]
    wrong = {
        f"{dataset},spilt2": "unknown word of the config's argument 'spilt2'; available: ",
        f"spilt2,{dataset},quick": "unknown word of the config's argument 'spilt2'; available: ",
        f"{dataset},": "unknown word of the config's argument ''; available: ",
        f"{dataset},quick,quick": "holds 'quick' twice",
        f"{dataset},{dataset}": f"holds '{dataset}' twice",
    }
    for kind, words in (("data set", list(table)), ("split", splits), ("row", rows)):
        for one, two in itertools.pairwise(words):
            start = "" if kind == "data set" else f"{dataset},"
            wrong[f"{start}{one},{two}"] = f"holds both {one!r} and {two!r}, but takes one {kind}; "
            wrong[f"{start}{one},{one}"] = f"holds {one!r} twice"
    for other in table:
        for word in (*arguments.DATASETS[other].splits, *table[other]):
            if word not in (*splits, *rows):
                wrong[f"{dataset},{word}"] = f"not with {dataset}; available for {dataset}: "
    return wrong


@by_dataset
def test_a_wrong_word_is_refused_in_one_sentence(path, dataset):
    for argument, message in misused(path, dataset).items():
        with pytest.raises(UserError, match=re.escape(message)) as error:
            MODULES[path]["get_config"](argument)
        assert "\n" not in str(error.value)


@by_config
def test_a_wrong_word_ends_the_command_with_code_2(path, capsys):
    assert cli.main(["train", "--config", f"{path}:spilt2", "--workdir", "none"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "'spilt2'; available: " in lines[0]
    assert f"the config file {str(path)!r}: " in lines[0]


def test_there_is_about_a_dozen_configs():
    assert 8 <= len(CONFIGS) <= 14


@by_config
def test_a_run_card_describes_every_data_set_and_row(path):
    card = path.read_text().split('"""')[1]
    for row in {row for rows in TABLES[path].values() for row in rows}:
        assert f"    {row} " in card, row
    sections = re.split(r"\n\n(?=[a-z0-9_]+(?:[ ,(][^\n]*)?: )", card)[1:]
    titles = [re.sub(r" \(default\)", "", section.split(": ")[0]) for section in sections]
    assert {name for title in titles for name in title.split(", ")} == set(TABLES[path])
    for title, section in zip(titles, sections, strict=True):
        assert "Paper: " in section and "jaxact prepare" in section, title
        ours = section.split("Ours: ")[1]
        assert "%" in ours or "not run" in ours, title
        assert f"configs/{path.name}" in section, title


@by_config
def test_a_command_in_a_run_card_names_words_that_the_config_has(path):
    card = path.read_text().split('"""')[1]
    for words in re.findall(rf"--(?:config|pretrain) configs/{path.name}:([\w,]+)", card):
        config.load(f"{path}:{words}")


def test_quickstart_trains_the_config_of_the_generated_data_set():
    path = CONFIGS[0].parent / "stgcn.py"
    assert recipes.synthetic_actions() == config.load(f"{path}:synthetic_actions")


def test_the_recogniser_reads_labelled_or_detected_joints_of_a_split():
    path = str(CONFIGS[0].parent / "recogniser.py")
    labelled = config.load(f"{path}:jhmdb14,p25,split2")
    detected = config.load(f"{path}:jhmdb_detected,p25,official2")
    assert (labelled.data.name, labelled.data.eval_split) == ("custom/jhmdb14", "split2_test")
    assert (detected.data.name, detected.data.train_split) == ("jhmdb_detected", "official2_train")
    assert labelled.model == detected.model
    jhmdb = config.load(f"{path}:jhmdb14")
    assert jhmdb.model == config.RecogniserConfig(activation="tanh")
    assert config.load(f"{path}:jhmdb14,relu").model == config.RecogniserConfig()


def test_a_row_of_a_table_is_an_argument_and_the_first_the_default():
    path = str(CONFIGS[0].parent / "stgcn.py")
    kinetics = config.load(f"{path}:kinetics_skeleton")
    assert kinetics == config.load(f"{path}:kinetics_skeleton,spatial_imp")
    assert kinetics != config.load(f"{path}:kinetics_skeleton,spatial")
    assert config.load(f"{path}:kinetics_skeleton,tcn").model == config.TCNConfig()
    run = config.load(f"{path}:ntu60,xview,res_tcn")
    assert run == config.load(f"{path}:res_tcn,xview,ntu60")
    assert (run.data.eval_split, run.model.network) == ("xview_test", "res_tcn")
