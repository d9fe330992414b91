"""Pose estimation with a pose network in an ONNX file, run by ONNX Runtime.

image [h w 3] -> letterbox, as the network was trained -> network -> people of coco-17
    -> poses [n 17 (x, y, score)] in pixels of the image
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.errors import UserError, missing_extra
from jaxact.pipeline.pose_joints import undo_letterbox
from jaxact.streaming import onnx_pose_networks
from jaxact.streaming.missing_joints import drop_missing
from jaxact.streaming.onnx_pose_networks import PoseNetwork

MAX_PEOPLE = 30  # per image, those with the highest scores
THRESHOLD = 0.25  # least score of a person and of a joint
DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
}
WANTED = "; ".join(network.signature for network in onnx_pose_networks.NETWORKS)


class OnnxEstimator:
    """A `PoseEstimator` with a network in an ONNX file; its stages are `pose` and `decode`."""

    layout: str = "coco-17"

    def __init__(
        self, file: str, *, people: int | None = None, threshold: float | None = None
    ) -> None:
        """Loads the network, and recognises it by its input and its outputs.

        Args:
            file: the .onnx file.
            people: most people per image; None is 30.
            threshold: least score, 0..1, of a person and of a joint; None is 0.25.

        Raises:
            UserError: no such file, a file that ONNX Runtime cannot load, a network that is none of
                the known ones, or ONNX Runtime is not installed.
        """
        self._session = _open_session(file)
        self._people, self._threshold = people or MAX_PEOPLE, threshold or THRESHOLD
        self.seconds: dict[str, float] = defaultdict(float)
        self._network, self._size, self._dtype = _recognise(file, self._session)
        self.about: dict[str, Any] = {
            "from": "onnx",
            "network": self._network.name,
            "file": Path(file).name,
            "sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16],
            "people": self._people,
            "threshold": self._threshold,
        }

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n 17 3"]:
        """Returns the poses in an image, highest score first, in pixels of the image."""
        start = time.perf_counter()
        network = self._network
        inputs, zoom, corner = network.prepare(image, self._size)
        outputs = _run(self._session, network, inputs, self._dtype)
        decode_start = time.perf_counter()
        people = network.decode(outputs, inputs.shape[:2])
        selected = onnx_pose_networks.select(
            people, count=self._people, threshold=self._threshold, overlap=network.overlap
        )
        poses = undo_letterbox(people.joints[selected], zoom, corner)
        poses = drop_missing(poses, image.shape, threshold=self._threshold)
        self.seconds["pose"] += decode_start - start
        self.seconds["decode"] += time.perf_counter() - decode_start
        return poses

    def reset(self) -> None:
        """Does nothing: every image is processed alone."""


def _open_session(file: str) -> Any:
    """Returns the ONNX Runtime session of a file."""
    if not Path(file).is_file():
        raise UserError(f"no file {file!r}; wanted a pose network in ONNX: {WANTED}")
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise missing_extra("onnxruntime", "onnx", "--pose onnx:FILE") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        reason = str(error).splitlines()[0].rpartition(" : ")[2]
        raise UserError(
            f"ONNX Runtime cannot load {file!r}, which is no ONNX file, cut off or too new: "
            f"{reason}; wanted one of: {WANTED}"
        ) from error


def _recognise(file: str, session: Any) -> tuple[PoseNetwork, tuple[int, int], Any]:
    """Returns the kind of a network, the height and width of its input, and its dtype.

    The network runs once, because files often leave the shapes of outputs open.
    """
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    dtype = DTYPES.get(inputs[0].type) if inputs else None
    shapes: Sequence[tuple[int, ...]] = []
    if len(shape) == 4 and dtype is not None:
        for network in onnx_pose_networks.NETWORKS:
            height, width, channels = _image_shape(shape, network.channels_last)
            if channels != 3:
                continue
            picture, *_ = network.prepare(np.zeros((64, 64, 3), np.uint8), (height, width))
            try:
                outputs = _run(session, network, picture, dtype)
            except UserError:
                continue
            shapes = [output.shape for output in outputs]
            if network.matches(shapes):
                return network, (height, width), dtype
    raise UserError(
        f"{file!r} is none of the known pose networks: it has the inputs "
        f"{_describe(inputs)} and the outputs {_describe(session.get_outputs())}; "
        f"known are: {WANTED}"
    )


def _image_shape(shape: Sequence[Any], channels_last: bool) -> tuple[int, int, int]:
    """Returns height, width and channels of an input; 0 where the file leaves them open."""
    sides = [side if isinstance(side, int) and side > 0 else 0 for side in shape]
    if channels_last:
        return sides[1], sides[2], sides[3]
    return sides[2], sides[3], sides[1]


def _run(session: Any, network: PoseNetwork, picture: np.ndarray, dtype: Any) -> list[np.ndarray]:
    """Runs the network on its input [h, w, 3]."""
    if not network.channels_last:
        picture = picture.transpose(2, 0, 1)
    values = np.ascontiguousarray(picture[None]).astype(dtype)
    try:
        outputs = session.run(None, {session.get_inputs()[0].name: values})
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise UserError(
            f"ONNX Runtime cannot run the network of --pose: {str(error).splitlines()[0]}"
        ) from error
    return [np.asarray(output, np.float32) for output in outputs]


def _describe(values: Sequence[Any]) -> str:
    """Names, shapes and types of inputs or outputs, for errors."""
    texts = []
    for value in values[:6]:
        shape = ", ".join(map(str, value.shape))
        texts.append(f"{value.name} [{shape}] {value.type}")
    return ", ".join(texts) or "none"
