"""The floors of the house: who imports whom, read from the sources, and what a fresh interpreter
really loads.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up. A room imports rooms of lower floors only; rooms of one floor do not know each
# other.
FLOORS = (
    {"errors"},
    {"files", "progress"},
    {"config", "skeletons"},
    {"losses", "metrics"},
    {"datasets", "models"},
    {"runs"},
    {"pipeline", "interop", "plots"},
    {"evaluation", "inference", "streaming", "check"},
    {"training", "export", "serve"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# Closer than the floors: records know no network and networks know no records.
NEVER = {"datasets": {"models"}, "pipeline": {"models", "runs"}}
# Reading prepared records and training draws are TensorFlow's; every other module of the pipeline
# does without.
OF_TENSORFLOW = {
    f"jaxact.pipeline.{name}"
    for name in (
        *("augment", "batches", "epochs", "modality", "pose_picture", "pose_targets", "tf_data"),
    )
}

SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "jaxact").rglob("*.py"))
}


def imports(module: str) -> set[str]:
    """Full names of all that a source imports, at its head or inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(SOURCES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{module} line {node.lineno}: imports are written in full, from jaxact..."
            )
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


def neighbours(module: str) -> set[str]:
    """The project's modules that a source imports; of `from jaxact.a import b` that is a.b where b
    is a module.
    """
    inside = {name for name in imports(module) if name in SOURCES} - {module, "jaxact"}
    return {name for name in inside if not any(other.startswith(f"{name}.") for other in inside)}


def room(module: str) -> str:
    return module.split(".")[1]


MODULES = [module for module in SOURCES if module != "jaxact"]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_lives_on_a_floor_and_no_arrow_runs_up(module):
    assert room(module) in LEVEL, f"{module} has no floor: give it one in FLOORS"
    for other in neighbours(module):
        if room(other) != room(module):
            assert LEVEL[room(other)] < LEVEL[room(module)], (
                f"{module} imports {other}, which is not below it"
            )
            assert room(other) not in NEVER.get(room(module), ()), f"{module} must not know {other}"


def test_no_circle_runs_through_the_modules():
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"circle: {' -> '.join((*way[way.index(module) :], module))}"
        if module not in done:
            for other in neighbours(module):
                walk(other, (*way, module))
            done.add(module)

    for module in MODULES:
        walk(module, ())


@pytest.mark.parametrize("module", SOURCES)
def test_nothing_in_the_package_imports_configs_scripts_or_tests(module):
    assert not {name.split(".")[0] for name in imports(module)} & {"configs", "scripts", "tests"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("*.py")), ids=lambda path: path.stem
)
def test_configs_import_the_options_and_nothing_else_of_the_package(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert {name for name in names if name.split(".")[0] in ("jaxact", "configs")} <= {
        "jaxact.config"
    }


def loaded(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running `code`."""
    code += "\nimport sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split())


def modules_of(*rooms: str) -> list[str]:
    return [module for module in MODULES if room(module) in rooms]


@pytest.mark.slow
def test_the_side_of_the_networks_loads_without_tensorflow():
    """One interpreter for all of them: if none loads tensorflow together, none does alone."""
    rooms = (
        "models",
        "interop",
        "runs",
        "export",
        "evaluation",
        "inference",
        "streaming",
        "training",
        "serve",
    )
    modules = modules_of(*rooms) + sorted(set(modules_of("pipeline")) - OF_TENSORFLOW)
    assert {
        "jaxact.models",
        "jaxact.training.train_step",
        "jaxact.pipeline.skeleton",
        "jaxact.serve.app",
    } <= set(modules)
    assert "tensorflow" not in loaded("\n".join(f"import {module}" for module in modules))


def test_raw_files_are_parsed_without_tensorflow_flax_and_jax():
    modules = modules_of("datasets", "check")
    assert "jaxact.datasets" in modules
    assert not {"tensorflow", "flax", "jax"} & loaded(
        "\n".join(f"import {module}" for module in modules)
    )


@pytest.mark.slow
def test_the_pipeline_loads_without_flax():
    """TensorFlow loads JAX where both are installed, so JAX is looked for in the sources."""
    modules = [module for module in modules_of("pipeline") if module != "jaxact.pipeline.batches"]
    for module in modules:
        assert not {name.split(".")[0] for name in imports(module)} & {
            "jax",
            "flax",
            "optax",
            "orbax",
        }, module
    assert "flax" not in loaded("\n".join(f"import {module}" for module in modules))


def test_arrays_in_memory_need_neither_tensorflow_nor_flax():
    assert not {"tensorflow", "tensorflow_datasets", "flax"} & loaded(
        "import jaxact.pipeline.arrays"
    )


def test_only_training_and_prepared_records_import_tensorflow_at_their_head():
    heads = set()
    for module in modules_of("pipeline"):
        for node in ast.parse(SOURCES[module].read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import) and "tensorflow" in {
                alias.name for alias in node.names
            }:
                heads.add(module)
    assert heads == OF_TENSORFLOW - {"jaxact.pipeline.modality"}  # which imports `pose_picture`


# Prediction as it is used, in an interpreter that finds no TensorFlow. Argument: an empty folder.
PREDICTION = """
import contextlib, importlib.machinery, importlib.util, io, json, pathlib, sys

class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            return None
        return super().find_spec(name, path, target)

position = sys.meta_path.index(importlib.machinery.PathFinder)
sys.meta_path[position] = Finder
assert importlib.util.find_spec("tensorflow") is None
import numpy as np
from starlette.testclient import TestClient
import jaxact
from jaxact import cli, config
from jaxact.datasets.synthetic import sample_files
from jaxact.models import stgcn
from jaxact.inference import predictor
from jaxact.serve import app, predictions
from tests.helpers import random_runs

root = pathlib.Path(sys.argv[1])
stgcn.VARIANTS["stem3"] = (("unit4", 2, 2),)  # compiles in a fraction of the time
network = config.STGCNConfig(network="stem3", width=2)
flat = random_runs.write(root / "flat", network, layout="openpose-18", frames=8)
about = {"layout": "ntu-25", "channels": ("x", "y", "z"), "frames": 8, "sampling": "uniform"}
about["person"] = "denoised"
deep = random_runs.write(root / "deep", network, **about)
poses = np.random.default_rng(0).uniform(0.1, 0.9, (6, 1, 18, 3)).astype(np.float32)
bodies = np.random.default_rng(0).uniform(0.1, 0.9, (20, 2, 25, 3)).astype(np.float32)
np.save(root / "clip.npy", poses)
(root / "S001C001P001R001A001.skeleton").write_text(sample_files.skeleton_text(bodies))
(root / "openpose").mkdir()
for number, people in enumerate(poses):
    pixels = [(person * [640, 480, 1]).ravel().tolist() for person in people]
    content = {"people": [{"pose_keypoints_2d": person} for person in pixels]}
    (root / "openpose" / f"v_{number:012}_keypoints.json").write_text(json.dumps(content))

def ran(*words):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert cli.main([str(word) for word in words]) == 0
    return out.getvalue()

size = ["--image-size", "640,480"]
tables = [
    ran("predict", "--checkpoint", flat, root / "clip.npy", "--window", "4"),
    ran("predict", "--checkpoint", flat, root / "openpose", *size),
    ran("predict", "--checkpoint", deep, root / "S001C001P001R001A001.skeleton"),
]
assert all("%  wave" in table for table in tables), tables
log = ran("stream", root / "openpose", "--recogniser", flat, "--size", "640x480", "--log", "-")
assert log.count('"people"') >= 6 and '"end"' in log, log
net = predictor.load(flat)
predictions.warm_up(net)
with TestClient(app.build(net)) as client:
    answer = client.post("/predict", files={"file": ("clip.npy", (root / "clip.npy").read_bytes())})
assert answer.status_code == 200, answer.text
(clip,) = answer.json()["clips"]
whole = net.predict(poses).top(1)[0]
assert clip["top"][0]["label"] == whole[0] and clip["skeleton"]["points"]
prediction = jaxact.load(deep).predict(bodies)
assert np.isfinite(prediction.probabilities).all()
assert "tensorflow" not in sys.modules
"""


def test_prediction_streams_and_the_server_work_where_tensorflow_cannot_be_imported(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", PREDICTION, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr


def test_layouts_and_options_need_numpy_only():
    assert not {"jax", "flax", "tensorflow", "scipy"} & loaded(
        "import jaxact.skeletons, jaxact.config"
    )


@pytest.mark.parametrize(
    "code",
    [
        "import jaxact",
        "from jaxact import cli\ntry: cli.main(['--help'])\n"
        "except SystemExit as end: assert not end.code",
    ],
    ids=["import jaxact", "jaxact --help"],
)
def test_the_package_and_its_help_answer_at_once(code):
    """Processor time, not the clock, so that a busy machine does not fail the test."""
    timed = f"{code}\nimport time; assert time.process_time() < 0.5, time.process_time()"
    assert not {"jax", "flax", "tensorflow", "tensorflow_datasets", "numpy"} & loaded(timed)
