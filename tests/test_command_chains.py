"""Chains of commands in `docs/` and the README: what one command writes is what a later one reads.

Nothing is trained. A `train` command stands for the network of its config, with the layout and
channels of its data set; the commands after it are checked as they would check the run.
"""

import dataclasses
import re
import shlex

import pytest

from jaxact import cli, config, skeletons
from jaxact.datasets.preparation.video_builder import PICTURE
from jaxact.errors import UserError
from jaxact.runs import ready_networks, trained_model
from jaxact.runs.trained_model import RunMetadata
from jaxact.streaming.preprocessing import PosePreprocessor
from tests.test_configs import RECORDS
from tests.test_docs import PAGES, ROOT, commands

POSES = ("x", "y", "score")
ESTIMATOR_LAYOUTS = {"mediapipe": "mediapipe-33", "onnx": "coco-17"}
# Runs that a page uses and another page trains, or that are of the reader's own data.
ELSEWHERE = {
    "runs/jhmdb": ("configs/recogniser.py:jhmdb_detected", []),
    "runs/k400": ("configs/stgcn.py:kinetics_skeleton", []),
    "runs/mine": ("configs/custom.py", []),
    "runs/pose": ("configs/pose.py", []),
    "runs/recogniser": ("configs/recogniser.py:jhmdb_detected", []),
    "runs/sta": ("configs/stagcn.py:utd_mhad,tn", []),
    "runs/toy": ("configs/stgcn.py:ntu60,quick", []),
    "runs/ucf": ("configs/convgru.py:ucf101,full,official1", []),
    "runs/utd": ("configs/stgcn.py:utd_mhad", []),
    "runs/utd_sn": ("configs/stagcn.py:utd_mhad,sn", []),
    "runs/xsub": ("configs/stgcn.py:ntu60", []),
}
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv")


class Page:
    """The runs, results and prepared data that the commands of a page have written so far."""

    def __init__(self) -> None:
        self.runs: dict[str, RunMetadata | None] = {}  # None: imported, its joints are in the file
        self.results: dict[str, RunMetadata | None] = {}
        self.layouts: dict[str, str] = {}  # of prepared data, where a command decides it

    def read(self, line: str) -> None:
        """Checks a command and remembers what it writes."""
        words = shlex.split(line)[1:]
        if len(words) < 2 or "--help" in words:
            return
        options, rest = cli._parser().parse_known_args(words)
        command = getattr(self, "_" + options.name, None)
        if command is not None:
            command(options, rest)

    def _run(self, workdir: str) -> RunMetadata | None:
        """The metadata of a run; None for a ready or an imported one."""
        if workdir.startswith("ready:"):
            return None
        if workdir not in self.runs:
            assert workdir in ELSEWHERE, f"no command of the docs writes {workdir!r}"
            self.runs[workdir] = metadata(*ELSEWHERE[workdir], {})
        return self.runs[workdir]

    def _kind(self, workdir: str) -> str:
        run = self._run(workdir)
        return "skeleton" if run is None else config.kind(run.config.model.name)

    def _estimator_layout(self, spec: str) -> str:
        kind, colon, _ = spec.partition(":")
        if colon:
            return ESTIMATOR_LAYOUTS[kind]
        assert self._kind(spec) == "pose", f"--pose {spec} is no pose network"
        return "body-14"

    def _prepare(self, options, rest) -> None:
        del rest
        layout = options.layout
        if options.pose:
            layout = self._estimator_layout(options.pose)
        layout = options.to_layout or layout
        if layout:
            name = options.dataset if options.own_name is None else options.own_name
            self.layouts[name] = layout

    def _import(self, options, rest) -> None:
        del rest
        self.runs[options.out] = None

    def _train(self, options, rest) -> None:
        run = metadata(options.config, rest, self.layouts)
        source = run.config.init_from
        if source and not source.endswith(".safetensors") and source in self.runs:
            kind = config.kind(run.config.model.name)
            assert self._kind(source) == kind, f"{options.workdir} starts from another kind"
        trained_model.build(run)
        self.runs[options.workdir] = run
        for stream in (options.streams or "").split(","):
            self.results[f"{options.workdir}/{stream}/results"] = run

    def _evaluate(self, options, rest) -> None:
        del rest
        self.results[options.out] = self._run(options.checkpoint)

    def _export(self, options, rest) -> None:
        del rest
        for workdir in options.checkpoint:
            assert self._kind(workdir) != "pose"

    def _predict(self, options, rest) -> None:
        del rest
        for clip in options.clips:
            is_video = clip.endswith(VIDEO_SUFFIXES)
            self._check_input(options.checkpoint, is_video, options.pose)

    def _serve(self, options, rest) -> None:
        del rest
        if options.pose:
            self._check_input(options.checkpoint, True, options.pose)
        assert self._kind(options.checkpoint) in ("skeleton", "video")

    def _check_input(self, workdir: str, is_video: bool, pose: str | None) -> None:
        """A video goes to a video network, or to one of skeletons by a pose estimator."""
        reads_video = self._kind(workdir) == "video"
        assert reads_video == (is_video and not pose), f"{workdir} reads no such file"
        if pose:
            self._check_poses(workdir, self._estimator_layout(pose))

    def _stream(self, options, rest) -> None:
        del rest
        layout = ""
        if options.pose:
            layout = self._estimator_layout(options.pose)
        else:
            assert options.source == "-" or options.source.endswith("/"), "images need --pose"
        if options.recogniser:
            assert self._kind(options.recogniser) == "skeleton"
            self._check_poses(options.recogniser, layout)

    def _check_poses(self, workdir: str, layout: str) -> None:
        """Raises UserError where the network does not read poses of this layout in a stream."""
        run = self._run(workdir)
        if run is None:
            return
        clip = dataclasses.asdict(run.config.clip)
        preprocessor = PosePreprocessor(run.layout, run.channels, clip)
        preprocessor.check(stateful=run.config.model.name == "causal_stgcn")
        if layout:
            preprocessor.check_layout(layout)

    def _plot(self, options, rest) -> None:
        del rest
        if options.kind == "attention":
            run = self._run(options.checkpoint)
            assert run and run.config.model.name in ("stagcn", "recogniser", "sta_lstm", "asgcn")
        if options.kind == "poses":
            assert_kind(self.results, options.results, "pose")
        if options.kind in ("confusion", "classes") and options.results in self.results:
            assert_kind(self.results, options.results, "skeleton")


def assert_kind(results: dict[str, RunMetadata | None], folder: str, kind: str) -> None:
    run = results.get(folder)
    if folder in results and run is not None:
        assert config.kind(run.config.model.name) == kind, f"{folder} is of another kind"


def metadata(name: str, overrides: list[str], layouts: dict[str, str]) -> RunMetadata:
    """The metadata of a run of a config, on data in the layout that was prepared."""
    run = config.load(str(ROOT / name), overrides)
    data = run.data.name.removeprefix("custom/")
    layout, channels = RECORDS.get(run.data.name, RECORDS["ucf101"])
    if run.data.name not in RECORDS and config.kind(run.model.name) == "skeleton":
        layout, channels = "coco-17", POSES
    layout = layouts.get(data, layout)
    joints = PICTURE if layout == "picture" else skeletons.get_layout(layout)
    return RunMetadata(run, joints, ("a", "b"), channels)


def read_page(text: str) -> Page:
    page = Page()
    for line in commands(text):
        page.read(line)
    return page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_command_of_a_page_accepts_the_run_that_an_earlier_one_writes(page):
    read_page(page.read_text(encoding="utf-8"))


def test_the_page_about_streams_trains_what_it_streams():
    page = read_page((ROOT / "docs" / "howto" / "stream.md").read_text(encoding="utf-8"))
    assert {"runs/pose", "runs/recogniser"} <= set(page.runs)
    run = page.runs["runs/recogniser"]
    assert run is not None and run.layout.name == "body-14" and run.channels == POSES


TRAIN = "jaxact train --workdir runs/a --config configs/"
STREAM = "jaxact stream a.mp4 --pose mediapipe:a.task --recogniser runs/a"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([TRAIN + "recogniser.py:jhmdb14", STREAM], UserError),  # without a unit
        ([TRAIN + "stgcn.py:ntu60", STREAM], UserError),  # 3-D joints
        ([TRAIN + "pose.py", STREAM], AssertionError),
        ([TRAIN + "tsn.py:ucf101,official1", STREAM], AssertionError),
        ([TRAIN + "stgcn.py:utd_mhad", "jaxact stream a.mp4 --pose runs/a"], AssertionError),
        ([TRAIN + "stgcn.py:utd_mhad", "jaxact predict --checkpoint runs/a a.mp4"], AssertionError),
        (["jaxact serve --checkpoint runs/nowhere"], AssertionError),
        (["jaxact stream a.mp4 --recogniser runs/recogniser"], AssertionError),
    ],
)
def test_a_chain_that_does_not_hold_is_seen(lines, error):
    text = "```bash\n" + "\n".join(lines) + "\n```"
    with pytest.raises(error):
        read_page(text)


def test_every_ready_network_that_a_page_names_exists():
    names = ready_networks.names()
    missing = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        missing |= set(re.findall(r"ready:([a-z][a-z0-9-]+)", text)) - set(names)
    assert not missing
