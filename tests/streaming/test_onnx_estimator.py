"""Pose networks in ONNX files, each with outputs that a test chooses."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from jaxact.errors import UserError
from jaxact.streaming import onnx_pose_networks
from jaxact.streaming.onnx_estimator import OnnxEstimator
from jaxact.streaming.pose_estimator import PoseEstimator, open_pose_estimator

HEIGHT, WIDTH = 60, 120  # of the picture
RED = np.zeros((HEIGHT, WIDTH, 3), np.uint8) + np.array([200, 0, 50], np.uint8)
# x and y of the picture's joints: in its middle, at its corner, and outside.
POINTS = np.array([[60.0, 30.0]] * 15 + [[1.0, 59.0], [-4.0, 30.0]])
MOVENET, RTMO, YOLO = onnx_pose_networks.NETWORKS


def write(path, shape, outputs, dtype=TensorProto.FLOAT):
    """Writes a network that reads an input of a shape and returns constants."""
    nodes, values = [], []
    for name, array in outputs.items():
        tensor = numpy_helper.from_array(np.asarray(array, np.float32), f"{name}_value")
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    image = helper.make_tensor_value_info("image", dtype, shape)
    graph = helper.make_graph(nodes, "pose", [image], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return f"onnx:{path}"


def joints(points, scores):
    return np.concatenate([points, np.reshape(scores, (-1, 1))], axis=1)


def movenet_rows(zoom, size):
    """Two people, the second of a low score, in an input of a height and width."""
    rows = np.zeros((1, 6, 56), np.float32)
    scaled = joints(POINTS * zoom / size[::-1], np.linspace(0.2, 1.0, 17))
    rows[0, 0, :51] = scaled[:, [1, 0, 2]].ravel()
    rows[0, 1] = rows[0, 0]
    rows[0, :2, 55] = 0.9, 0.1
    return rows


def test_movenet_reads_sides_of_multiples_of_32_and_gives_y_before_x(tmp_path):
    rows = movenet_rows(256 / WIDTH, (128, 256))
    spec = write(tmp_path / "m.onnx", [1, "h", "w", 3], {"out": rows}, TensorProto.INT32)
    estimator = open_pose_estimator(spec)
    assert isinstance(estimator, PoseEstimator) and estimator.layout == "coco-17"
    (person,) = estimator(RED)
    np.testing.assert_allclose(person[2:16, :2], POINTS[2:16], atol=1e-3)
    assert person[2, 2] == pytest.approx(0.3) and not person[[0, 16]].any()  # score, outside
    assert (
        estimator.about["network"] == "movenet multipose" and len(estimator.about["sha256"]) == 16
    )
    tall, zoom, corner = MOVENET.prepare(np.zeros((100, 90, 3), np.uint8) + 7, (0, 0))
    assert tall.shape == (256, 256, 3) and zoom == pytest.approx([230 / 90, 2.56])
    assert (tall[:, :230] == 7).all() and not tall[:, 230:].any() and not corner.any()
    fixed, _, _ = MOVENET.prepare(RED, (192, 192))
    assert fixed.shape == (192, 192, 3) and fixed[0, 0].tolist() == [200, 0, 50]


def test_rtmo_reads_bgr_and_drops_duplicates(tmp_path):
    zoom = 64 / WIDTH
    people = np.stack([joints(POINTS * zoom, np.full(17, 0.8))] * 3)
    people[1, :, 0] += 2
    boxes = np.array([[0, 0, 20, 20, 0.5], [1, 0, 20, 20, 0.9], [40, 0, 60, 20, 0.3]])
    outputs = {"dets": boxes[None], "keypoints": people[None]}
    spec = write(tmp_path / "r.onnx", [1, 3, 64, 64], outputs)
    first, second = open_pose_estimator(spec)(RED)
    np.testing.assert_allclose(first[:15, 0], 60 + 2 / zoom, rtol=1e-5)
    np.testing.assert_allclose(second[:16, :2], POINTS[:16], rtol=1e-5)
    assert len(open_pose_estimator(f"{spec},people=1")(RED)) == 1
    assert len(open_pose_estimator(f"{spec},threshold=0.4")(RED)) == 1
    assert not open_pose_estimator(f"{spec},threshold=0.95")(RED).size
    inputs, _, _ = RTMO.prepare(RED, (64, 64))
    assert inputs[5, 5].tolist() == [50, 0, 200] and (inputs[32:] == 114).all()


def test_yolo_reads_shares_of_255_in_the_middle_of_grey(tmp_path):
    zoom, corner = 64 / WIDTH, (0, 16)
    columns = np.zeros((1, 56, 9), np.float32)
    columns[0, :4] = np.array([[20.0], [20], [10], [10]])
    columns[0, 0, 4] = 50  # the box of another person
    columns[0, 4] = 0.3, 0.9, 0.2, 0.8, 0.5, 0.0, 0.0, 0.0, 0.0
    columns[0, 5:] = joints(POINTS * zoom + corner, np.full(17, 0.7)).ravel()[:, None]
    spec = write(tmp_path / "y.onnx", ["batch", 3, 64, 64], {"output0": columns})
    people = open_pose_estimator(spec)(RED)
    assert len(people) == 2  # 0.9 and, elsewhere, 0.5
    np.testing.assert_allclose(people[0, :16, :2], POINTS[:16], rtol=1e-5)
    inputs, _, place = YOLO.prepare(RED, (64, 64))
    assert place.tolist() == [0, 16] and inputs[20, 20] == pytest.approx([200 / 255, 0, 50 / 255])
    assert inputs[:16].ravel() == pytest.approx(114 / 255) and inputs[48:].min() > 0.4


def test_files_that_are_no_known_network_are_named_in_one_sentence(tmp_path, monkeypatch):
    pixels = write(tmp_path / "class.onnx", [1, 3, 8, 8], {"logits": np.zeros((1, 10))})
    grey = write(tmp_path / "grey.onnx", [1, 1, 8, 8], {"out": np.zeros((1, 56, 8))})
    whole = (tmp_path / "class.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.onnx").write_text("no network")
    known = r"MoveNet MultiPose \(\[1, h, w, 3\] to \[1, 6, 56\]\); RTMO"
    for spec, message in (
        (pixels, rf"image \[1, 3, 8, 8\] tensor\(float\) and the outputs logits \[.*\].*{known}"),
        (grey, r"none of the known pose networks: it has the inputs image \[1, 1, 8, 8\]"),
        (f"onnx:{tmp_path}/cut.onnx", rf"cannot load '.*cut.onnx', which is no ONNX file.*{known}"),
        (f"onnx:{tmp_path}/text.onnx", r"cannot load '.*text.onnx'"),
        (f"onnx:{tmp_path}/none.onnx", rf"no file '.*none.onnx'; wanted .*{known}"),
        ("onnx:", "names no file"),
        (f"{pixels},persons=2", "unknown option in --pose .* 'persons'; available: people, thresh"),
        (f"{pixels},people=0", "must be a whole number of 1 or more"),
        (f"{pixels},threshold=2", "must be a number above 0 and below 1"),
        (f"{tmp_path}/class.onnx", "is no run; write --pose onnx:"),
        ("mediapip:pose.task", "unknown kind of pose estimator 'mediapip'; .* 'mediapipe'"),
    ):
        with pytest.raises(UserError, match=message):
            open_pose_estimator(spec)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"pip install 'jaxact\[onnx\]'"):
        OnnxEstimator(str(tmp_path / "class.onnx"))
