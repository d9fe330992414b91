"""A clip from anywhere gets the answer that evaluation would give it, or a sentence saying why it
cannot.
"""

import csv
import dataclasses
import json
import os
import pickle
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf

import jaxact
from jaxact import cli, config, models, skeletons
from jaxact.datasets.formats import recording
from jaxact.errors import UserError
from jaxact.inference import predictor
from jaxact.inference.joint_inputs import to_network_joints
from jaxact.inference.prediction import window_spans
from jaxact.pipeline import skeleton
from jaxact.runs import state, trained_model
from tests.helpers import videos

LABELS = ("wave", "clap", "jump")
XYS = ("x", "y", "score")
DATA = Path(os.environ.get("JAXACT_DATA", "/nowhere"))


@pytest.fixture(scope="module")
def net():
    """A fresh network of four channels over OpenPose's joints, which never saw a checkpoint."""
    run = config.TrainConfig(
        clip=config.ClipConfig(frames=6, sampling="resize", person="file", views=2)
    )
    run.model.width, run.model.network = 4, "stem3"
    layout = skeletons.get_layout("openpose-18")
    spec = models.InputSpec(layout=layout, num_classes=len(LABELS), channels=XYS)
    model = models.build("stgcn", spec, width=4, network="stem3")
    weights = state.init(model, jax.ShapeDtypeStruct((1, 6, 2, 18, 3), np.float32), 0)
    weights["params"]["head"]["kernel"] = (
        weights["params"]["head"]["kernel"] * 100
    )  # answers that differ
    about = {
        "config": run,
        "layout": layout,
        "labels": LABELS,
        "channels": XYS,
        "step": 3,
        "selection": "last",
    }
    return predictor.Predictor(trained_model.TrainedModel(model=model, weights=weights, **about))


@pytest.fixture(autouse=True)
def loaded(monkeypatch, net):
    monkeypatch.setattr(predictor, "load", lambda *_, **__: net)


def clip(frames=20, people=1, joints=18, seed=0):
    return (
        np.random.default_rng(seed)
        .uniform(0.1, 0.9, (frames, people, joints, 3))
        .astype(np.float32)
    )


def by_hand(net, joints):
    options = dataclasses.asdict(net.net.config.clip)
    example = {"joints": tf.constant(joints), "label": tf.constant(0), "id": tf.constant("")}
    views = skeleton.evaluate(example, layout=net.net.layout, channels=XYS, **options)[
        "inputs"
    ].numpy()
    return np.asarray(jax.nn.softmax(jax.jit(net.net.model.apply)(net.net.weights, views))).mean(0)


def test_an_array_is_answered_as_evaluation_would(net):
    joints = clip(people=2)
    answer = jaxact.load("somewhere").predict(joints)
    np.testing.assert_allclose(answer.probabilities, by_hand(net, joints), atol=1e-5)
    assert answer.top(2)[0] == (
        LABELS[int(answer.probabilities.argmax())],
        pytest.approx(answer.probabilities.max()),
    )
    people_first = net.predict(joints.swapaxes(0, 1))
    np.testing.assert_array_equal(people_first.windows, answer.windows)
    np.testing.assert_array_equal(
        net.predict(joints[:, 0]).windows, net.predict(joints[:, :1]).windows
    )


def test_inputs_are_numpy_arrays_also_where_tensorflow_is_loaded(net):
    inputs = net.inputs(clip(people=2))
    assert (
        type(inputs) is np.ndarray
        and inputs.dtype == np.float32
        and inputs.shape == (2, 6, 2, 18, 3)
    )


@pytest.mark.parametrize(("package", "module"), [("pillow", "PIL"), ("av", "av")])
def test_a_package_that_videos_need_is_missed_before_anything_is_read(
    net, monkeypatch, package, module
):
    videos = predictor.Predictor(net.net)
    videos.kind = "video"
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        UserError, match=rf"needs the package '{package}', .* pip install 'jaxact\[video\]'"
    ):
        videos.open_video("nowhere.mp4")


class Walker:
    """A pose estimator: somebody of coco-17 who walks to the right, in every other video."""

    layout = "coco-17"

    def __init__(self, people=1):
        self.about, self.seconds = {"from": "test"}, {}
        self.people, self.frame = people, 0

    def __call__(self, image):
        self.frame += 1
        joints = np.full((self.people, 17, 3), 0.8, np.float32)
        joints[..., 0], joints[..., 1] = 10 + self.frame, np.arange(17) + 5
        return joints

    def reset(self):
        self.frame = 0


def test_a_video_is_answered_through_a_pose_estimator_as_its_joints_are(net, tmp_path, capsys):
    path = videos.write(tmp_path / "walk.mp4", videos.frames(6, 48, 64))
    joints = recording.read_video(path, Walker()).joints
    assert joints.shape == (6, 1, 17, 3) and joints[5, 0, 0].tolist() == pytest.approx(
        [16 / 64, 5 / 48, 0.8]
    )
    answer = net.predict(path, pose=Walker(), window=4)
    expected = net.predict(joints, layout="coco-17", window=4)
    np.testing.assert_array_equal(answer.windows, expected.windows)
    assert answer.name == "walk" and answer.spans == expected.spans
    videos_alone = predictor.Predictor(net.net)
    videos_alone.kind = "video"
    for network, options, message in (
        (net, {}, r"walk.mp4' is a video, and the network reads joints; .* --pose SPEC"),
        (net, {"pose": Walker(people=0)}, r"'test' detects nobody in the 6 frames of '.*walk.mp4'"),
        (net, {"pose": Walker(), "layout": "coco-17"}, "leave them out with --pose"),
        (videos_alone, {"pose": Walker()}, "this one reads videos; leave --pose out"),
    ):
        with pytest.raises(UserError, match=message):
            network.predict(path, **options)
    other = Walker()
    other.layout = "kinect-15"
    with pytest.raises(UserError, match="--pose does not fit the network: layout 'kinect-15' does"):
        net.predict(path, pose=other)
    np.save(tmp_path / "walk.npy", joints[:, 0])
    for name, message in (("walk.npy", "holds joints already"), ("none.mp4", "wanted a video")):
        with pytest.raises(UserError, match=message):
            net.predict(tmp_path / name, pose=Walker())
    command = ["predict", "--checkpoint", "somewhere", str(path)]
    assert cli.main([*command, "--pose", "movenet:x.onnx"]) == 2
    assert "unknown kind of pose estimator 'movenet'" in capsys.readouterr().err


def test_windows_are_answered_one_by_one_and_the_last_ends_with_the_clip(net, monkeypatch):
    monkeypatch.setattr(predictor, "WINDOWS_PER_BATCH", 3)  # a full batch and one of padding
    joints = clip(people=1)
    answer = net.predict(joints, window=8, stride=5)
    assert answer.spans == ((0, 8), (5, 13), (10, 18), (12, 20))
    for (start, stop), shares in zip(answer.spans, answer.windows, strict=True):
        np.testing.assert_allclose(shares, net.predict(joints[start:stop]).probabilities, atol=1e-5)
    np.testing.assert_allclose(answer.probabilities, answer.windows.mean(0))


@pytest.mark.parametrize(
    ("frames", "window", "stride", "spans"),
    [(5, 0, 0, 1), (5, 9, 0, 1), (9, 4, 0, 4), (8, 4, 4, 2)],
)
def test_spans_cover_every_frame(frames, window, stride, spans):
    result = window_spans(frames, window, stride)
    assert len(result) == spans and {
        frame for start, stop in result for frame in range(start, stop)
    } == set(range(frames))
    with pytest.raises(UserError, match="a stride needs a window"):
        window_spans(frames, 0, 3)


def test_joints_of_another_layout_become_the_networks(net):
    joints = clip(joints=17)
    expected = skeletons.convert(joints, "coco-17", "openpose-18", channels=XYS)
    np.testing.assert_array_equal(
        net.predict(joints, layout="coco-17").windows, net.predict(expected).windows
    )
    unscored = net.predict(
        joints[..., :2], layout="coco-17"
    )  # a joint that is there has the score one
    expected = skeletons.convert(joints[..., :2], "coco-17", "openpose-18", channels=("x", "y"))
    score = np.any(expected != 0, -1, keepdims=True)
    scored = np.concatenate([expected, score], -1).astype(np.float32)
    np.testing.assert_array_equal(unscored.windows, net.predict(scored).windows)


@pytest.mark.parametrize(
    ("shape", "layout", "message"),
    [
        (
            (20, 17, 3),
            None,
            r"'array' has 17 joints, but the network reads the 18 .* of 'openpose-18'; .*--layout",
        ),
        ((20, 15, 3), "kinect-15", "layout 'kinect-15' does not convert to 'openpose-18'"),
        ((20, 25, 3), "openpose-18", "has 25 joints, but layout 'openpose-18' has 18"),
        ((20, 18, 4), None, "has 4 channels per joint, but the network reads x, y, score"),
        ((20, 18), None, r"wanted \[t, v, c\] or \[t, m, v, c\]"),
        ((2, 2, 18, 3), None, "as many people as frames"),
    ],
)
def test_what_cannot_become_the_networks_is_refused_with_the_reason(net, shape, layout, message):
    with pytest.raises(UserError, match=message):
        net.predict(np.ones(shape, np.float32), layout=layout)


def test_joints_in_space_are_no_pose_in_a_picture(net):
    kinect = recording.Recording(
        name="k", joints=clip(joints=25), layout="ntu-25", channels=("x", "y", "z")
    )
    with pytest.raises(
        UserError,
        match=r"'k' holds x, y, z, but the network reads x, y, score; .* cannot be converted",
    ):
        to_network_joints(kinect, net.net, None)


def openpose_folder(folder, joints, scale=(1.0, 1.0)):
    folder.mkdir()
    for number, people in enumerate(joints):
        poses = [(person * [*scale, 1.0]).reshape(-1).tolist() for person in people]
        content = {"people": [{"pose_keypoints_2d": pose} for pose in poses]}
        (folder / f"v_{number:012}_keypoints.json").write_text(json.dumps(content))
    return folder


def test_files_of_every_kind_say_what_they_hold(net, tmp_path):
    joints = clip()
    expected = net.predict(joints)
    np.save(tmp_path / "a.npy", joints)
    np.savez(tmp_path / "b.npz", joints=joints[:, 0])
    scores, points = joints[..., 2].swapaxes(0, 1), joints[..., :2].swapaxes(0, 1)
    note = {
        "label": 0,
        "total_frames": 20,
        "keypoint": points * [200, 100],
        "keypoint_score": scores,
    }
    notes = [note | {"frame_dir": name, "img_shape": (100, 200)} for name in ("one", "two")]
    (tmp_path / "c.pkl").write_bytes(
        pickle.dumps({"split": {"train": ["one"]}, "annotations": notes})
    )
    openpose_folder(tmp_path / "shares", joints)
    openpose_folder(tmp_path / "pixels", joints, (640, 480))
    answers = [*net.predict_file(tmp_path / "a.npy"), *net.predict_file(tmp_path / "b.npz")]
    answers += [
        *net.predict_file(tmp_path / "c.pkl", layout="openpose-18"),
        *net.predict_file(tmp_path / "shares"),
    ]
    answers += net.predict_file(tmp_path / "pixels", image_size=(640, 480))
    assert [answer.name for answer in answers] == ["a", "b", "one", "two", "shares", "pixels"]
    for answer in answers:
        np.testing.assert_allclose(answer.windows, expected.windows, atol=1e-5)
    with pytest.raises(UserError, match=r"holds joints in pixels; .*--image-size"):
        net.predict(tmp_path / "pixels")
    with pytest.raises(UserError, match="holds 2 clips; predict_file returns"):
        net.predict(tmp_path / "c.pkl", layout="openpose-18")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"", r"is not a clip of joints; wanted \.npy"),
        ("x.npy", b"no", "is not a readable .npy"),
        ("x.skeleton", b"1\n1\n", "is cut off after line 2"),
        ("nowhere.npy", None, "cannot read .*No such file"),
        ("x.pkl", pickle.dumps(os.system), "asks for 'posix.system'"),
    ],
)
def test_files_that_cannot_be_read_are_one_sentence(net, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        net.predict(tmp_path / name)


def test_the_command_prints_a_table_and_writes_json_csv_and_a_timeline(net, tmp_path, capsys):
    np.save(tmp_path / "day.npy", clip())
    answer = net.predict(tmp_path / "day.npy", window=8)
    line = [
        "predict",
        "--checkpoint",
        "run",
        str(tmp_path / "day.npy"),
        "--window",
        "8",
        "--top",
        "2",
    ]
    assert cli.main(line) == 0
    best, share = answer.top(1)[0]
    assert capsys.readouterr().out.splitlines()[:2] == [
        "day, frames 0 to 19",
        f"{share:8.2%}  {best}",
    ]
    outs = [tmp_path / name for name in ("o.json", "o.csv", "o.png")]
    assert cli.main([*line, "--out", str(outs[0]), "--timeline", str(outs[2])]) == 0
    assert cli.main([*line, "--out", str(outs[1])]) == 0
    stored = json.loads(outs[0].read_text())
    assert (
        stored["labels"] == list(LABELS) and stored["step"] == 3 and outs[2].stat().st_size > 1000
    )
    first = stored["predictions"][0]
    assert (first["start"], first["stop"], first["rank"], first["label"]) == (0, 20, 1, best)
    with outs[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(stored["predictions"]) == 2 * (1 + len(answer.spans))
    assert [row["label"] for row in rows] == [row["label"] for row in stored["predictions"]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--out", "x.txt"], "the suffix must be .json or .csv"),
        (["--top", "0"], "--top is 0"),
        (["--stride", "2"], "a stride needs a window"),
        (["{clip}", "--timeline", "x.png"], "--timeline draws one clip; 2 were given"),
    ],
)
def test_mistakes_on_the_command_line_are_one_sentence(tmp_path, capsys, more, message):
    np.save(tmp_path / "day.npy", clip())
    more = [word.format(clip=tmp_path / "day.npy") for word in more]
    assert cli.main(["predict", "--checkpoint", "run", str(tmp_path / "day.npy"), *more]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(not DATA.is_dir(), reason="JAXACT_DATA names no folder of real data")
def test_real_files_of_kinect_and_openpose_are_clips():
    (one,) = recording.read(DATA / "ntu/raw/S001C003P008R002A058.skeleton")
    assert (
        one.joints.shape == (70, 2, 25, 3)
        and one.person_id.shape == (70, 2)
        and one.layout == "ntu-25"
    )
    (many,) = recording.read(DATA / "openpose-json/crowd", image_size=(1920, 1080))
    assert (
        many.layout == "body-25" and many.joints.shape[0] == 30 and 14 <= many.joints.shape[1] <= 17
    )
    (note,) = recording.read(DATA / "pyskl/ucf101_one_clip.pkl")
    assert note.joints.shape == (163, 2, 17, 3) and note.layout == "coco-17"
