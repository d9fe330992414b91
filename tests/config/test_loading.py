import json

import pytest

from jaxact import config
from jaxact.config import training
from jaxact.errors import UserError

FILE = """
from jaxact.config import TrainConfig
def get_config(arg=""):
    run = TrainConfig(epochs=1 if arg == "quick" else 80)
    {line}
    return run
"""


@pytest.fixture
def config_file(tmp_path):
    def write(line: str = "pass") -> str:
        path = tmp_path / "some.py"
        path.write_text(FILE.format(line=line))
        return str(path)

    return write


def test_a_file_its_argument_and_overrides_make_a_config(config_file):
    overrides = [
        "--config.optim.milestones=(1,2.5)",
        "--config.augment.move=true",
        "--config.data.name=custom/mine",
    ]
    run = config.load(config_file() + ":quick", overrides)
    assert (run.epochs, run.optim.milestones, run.augment.move, run.data.name) == (
        1,
        (1.0, 2.5),
        True,
        "custom/mine",
    )
    assert config.load(config_file()).epochs == 80


def test_a_config_survives_json(config_file):
    run = config.load(config_file(), ["--config.optim.milestones=3,4"])
    assert config.from_dict(json.loads(json.dumps(config.to_dict(run)))) == run


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "--config.optim.lr=1",
            r"unknown option config.optim.lr: no 'lr'; available: .*learning_rate",
        ),
        ("--config.optm.ema=1", "unknown option config.optm.ema: no 'optm'.*did you mean 'optim'"),
        ("--config.seed.x=1", "unknown option config.seed.x: no 'x'"),
        (
            "--config.optim=sgd",
            "config.optim is a section; set one of its options: name, learning_rate",
        ),
        ("--config.epochs=2.5", "config.epochs takes int, not '2.5'"),
        ("--config.augment.move=maybe", "config.augment.move takes true or false, not 'maybe'"),
        (
            "--config.model.strategy=spatia",
            "unknown value of config.model.strategy 'spatia'.*did you mean 'spatial'",
        ),
        ("--config.batch_size=-4", "config.batch_size takes a number from 0 up, not -4"),
        (
            "--config.epochs",
            "unknown argument '--config.epochs'; options of the config are given as",
        ),
        ("--epochs=3", "unknown argument '--epochs=3'"),
    ],
)
def test_a_wrong_override_is_one_sentence(config_file, override, message):
    with pytest.raises(UserError, match=message):
        config.load(config_file(), [override])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run.optim.learning_rat = 3", "fails with AttributeError"),
        (
            "run.model.norm = 'all'",
            "unknown value of config.model.norm 'all'; available: eq10, joint, subset",
        ),
        ("run.epochs = 'ten'", "config.epochs takes int, not 'ten'"),
        ("return 3", "returns int; wanted jaxact.config.TrainConfig"),
        ("1/0", "fails with ZeroDivisionError"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(config_file, line, message):
    with pytest.raises(UserError, match=message):
        config.load(config_file(line))


def test_a_missing_file_names_its_neighbours(config_file):
    path = config_file()
    with pytest.raises(UserError, match=r"no config file '.*none.py'; in that folder: .*some.py"):
        config.load(path.replace("some.py", "none.py"))


def test_an_option_of_another_version_is_refused():
    values = config.to_dict(config.TrainConfig())
    values["optim"]["lookahead"] = 5
    with pytest.raises(
        UserError, match=r"unknown option config.optim.lookahead=5: written by another version"
    ):
        config.from_dict(values)


def run_of(model, **more):
    clip, augment = training.INPUTS[config.kind(model.name)]
    return config.TrainConfig(**{"model": model, "clip": clip(), "augment": augment(), **more})


def test_a_model_is_refused_records_of_another_kind():
    run = run_of(config.SCXceptionConfig(), clip=config.ClipConfig())
    message = (
        "the model 'sc_xception' reads videos, for which config.clip is the section "
        "VideoClipConfig; got ClipConfig"
    )
    with pytest.raises(UserError, match=message):
        config.check(run)
    with pytest.raises(
        UserError, match=r"config.augment is the section AugmentConfig; got VideoAug"
    ):
        config.check(run_of(config.STGCNConfig(), augment=config.VideoAugmentConfig()))
    with pytest.raises(UserError, match="the protocol 'ctr' is for skeletons; 'tsn' reads videos"):
        config.check(run_of(config.TSNConfig(), protocol="ctr"))


@pytest.mark.parametrize("section", training.MODELS.values())
def test_every_models_section_is_written_and_read_back(section):
    run = run_of(section())
    config.override(run, "model.width", "16")
    config.check(run)
    assert config.from_dict(config.to_dict(run)) == run and run.model.width == 16


@pytest.mark.parametrize("section", training.MODELS.values())
def test_a_config_of_a_version_without_loss_sections_is_read_with_its_options(section):
    run = run_of(section())
    values = config.to_dict(run)
    options = values.pop("loss")
    old = {"auxiliary": 0.25, "segments_kept": 2, "segments_warmup": 1.5, "label_smoothing": 0.2}
    values |= old | {"joint_weights": [3.0] * 14}
    expected = {
        "cross_entropy": {"label_smoothing": 0.2},
        "segments": {"label_smoothing": 0.2, "auxiliary": 0.25, "segments": 2, "warmup": 1.5},
        "displacement": {},
        "pose": {"joint_weights": (3.0,) * 14},
    }[options["name"]]
    loaded = config.from_dict(json.loads(json.dumps(values)))
    config.check(loaded)
    assert config.to_dict(loaded)["loss"] == {"name": options["name"], **expected}


def test_options_that_moved_are_set_under_their_old_names():
    run = run_of(config.STAGCNConfig())
    for name, text in (("segments_kept", "2"), ("segments_warmup", "1.5"), ("auxiliary", "0.1")):
        config.override(run, name, text)
    assert (run.loss.segments, run.loss.warmup, run.loss.auxiliary) == (2, 1.5, 0.1)
    run = run_of(config.PoseConfig())
    config.override(run, "joint_weights", "1,2")
    assert run.loss.joint_weights == (1.0, 2.0)


def test_a_model_is_refused_the_loss_of_another():
    run = run_of(config.STAGCNConfig(), loss=config.CrossEntropyLossConfig())
    message = (
        "the model 'stagcn' trains with the loss 'segments', for which config.loss is the section "
        "SegmentLossConfig; got CrossEntropyLossConfig"
    )
    with pytest.raises(UserError, match=message):
        config.check(run)
