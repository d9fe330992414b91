"""The catalogue of public checkpoints: every command parses, and every kind of file imports."""

import shlex

import pytest

from jaxact import cli
from jaxact.config import protocols
from jaxact.errors import UserError
from jaxact.interop import public_checkpoints, torch_runs
from jaxact.runs import checkpoint, trained_model
from tests.helpers import public_checkpoints as sizes
from tests.interop.torch_writing import write

CATALOGUE = public_checkpoints.checkpoints()
BUILDERS = {
    "ST-GCN": sizes.pyskl_stgcn,
    "ST-GCN++": sizes.pyskl_stgcnpp,
    "ST-GCN++, strong augmentation": sizes.pyskl_stgcnpp,
    "CTR-GCN": sizes.pyskl_ctrgcn,
}
LAYOUTS = {"3-D, Kinect": "ntu-25", "2-D, HRNet": "coco-17", "2-D, OpenPose": "openpose-18"}
CLASSES = {"NTU RGB+D 60": 60, "NTU RGB+D 120": 120, "Kinetics-skeleton": 400}
# A checkpoint of each kind of network and joints; the rest differ in their classes or split.
KINDS = (
    "stgcn_pyskl_ntu60_xview_hrnet",
    "stgcnpp_ntu120_xset_3dkp",
    "ctrgcn_pyskl_ntu60_xsub_hrnet",
    "st_gcn.kinetics",
)


def parse(command: str):
    options, rest = cli._parser().parse_known_args(shlex.split(command)[1:])
    assert not rest, command
    return options


def weights_like(entry: public_checkpoints.PublicCheckpoint) -> dict:
    layout, classes = LAYOUTS[entry.joints], CLASSES[entry.data]
    if entry.name.startswith("st_gcn."):
        return sizes.stgcn(layout, classes)
    return {"state_dict": BUILDERS[entry.network](layout, classes), "meta": {"epoch": 16}}


def imported(entry, number, folder):
    """The metadata of the run that the catalogue's command for a file writes."""
    options = parse(entry.files[number].command)
    file = write(folder / "weights.pth", weights_like(entry))
    torch_runs.import_network(
        options.kind, file, folder / "run", split=options.split, stream=options.stream
    )
    checkpoints = checkpoint.Checkpoints(folder / "run", read_only=True)
    try:
        return trained_model.RunMetadata.from_dict(checkpoints.meta(0))
    finally:
        checkpoints.close()


def test_every_command_parses_and_writes_a_run_of_its_own():
    commands = [file.command for entry in CATALOGUE for file in entry.files]
    runs = {parse(command).out for command in commands}
    assert len(runs) == len(commands) == 4 * 28 + 3


def test_the_commands_name_split_and_stream():
    entry = public_checkpoints.find("stgcnpp_ntu60_xview_3dkp")
    options = parse(entry.files[3].command)
    assert (options.kind, options.split, options.stream) == ("pyskl", "xview", "bone_motion")
    assert entry.files[3].url.endswith("/ckpt/stgcnpp/stgcnpp_ntu60_xview_3dkp/bm.pth")
    assert entry.files[3].top1 == 93.8


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_each_kind_imports_as_the_catalogue_says(name, tmp_path):
    entry = public_checkpoints.find(name)
    number = len(entry.files) - 1
    metadata = imported(entry, number, tmp_path)
    assert metadata.layout.name == LAYOUTS[entry.joints]
    assert len(metadata.labels) == CLASSES[entry.data] and not metadata.labels[0].isdigit()
    assert metadata.config.clip.stream == entry.files[number].stream
    assert metadata.config.protocol in protocols.PROTOCOLS
    assert metadata.config.data.train_split.removesuffix("train").rstrip("_") == entry.split


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE])
def test_a_file_of_every_row_imports(name, tmp_path):
    entry = public_checkpoints.find(name)
    metadata = imported(entry, 0, tmp_path)
    assert len(metadata.labels) == CLASSES[entry.data]


def test_a_split_that_the_data_set_does_not_have_is_refused(tmp_path):
    weights = sizes.pyskl_stgcnpp("ntu-25", 60)
    with pytest.raises(UserError, match=r"split of this .* 'xset'; available: xsub, xview"):
        file = write(tmp_path / "j.pth", weights)
        torch_runs.import_network("pyskl", file, tmp_path / "run", split="xset")
    assert not (tmp_path / "run").exists()


def test_an_unknown_name_is_refused(capsys):
    assert cli.main(["models", "--public", "stgcnpp_ntu60_xsub"]) == 2
    assert "did you mean 'stgcnpp_ntu60_xsub_3dkp'" in capsys.readouterr().err


def test_the_table_has_every_row(capsys):
    assert cli.main(["models", "--public"]) == 0
    text = capsys.readouterr().out
    assert all(entry.name in text for entry in CATALOGUE) and "Nothing is downloaded" in text
