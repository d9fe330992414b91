"""Dense optical flow from each frame to the next, in 8 bits, as two-stream networks read it.

A displacement (x to the right, y down, pixels of the stored frame) is clipped to 20 pixels in both
directions and quantised to 256 levels, as is usual in the field. x and y are stored side by side in
one grey picture [h, 2 w].
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from jaxact.errors import UserError, missing_extra, unknown

BOUND = 20.0  # pixels
METHODS = ("dis", "farneback")

Grey = UInt8[np.ndarray, "h w"]
Flow = Float32[np.ndarray, "h w 2"]


def flow_estimator(method: str) -> Callable[[Grey, Grey], Flow]:
    """A function from two grey frames to the displacement (x, y) of each pixel of the first.

    Args:
        method: "farneback", polynomial expansion (Farneback, SCIA 2003; three levels, windows of
            15 pixels, three iterations, polynomials over 5 pixels), or "dis", dense inverse search
            (Kroeger et al., ECCV 2016; OpenCV's medium preset), which is 1.5 times as fast.

    Raises:
        UserError: The method does not exist, or OpenCV is not installed.
    """
    if method not in METHODS:
        raise unknown("flow", method, METHODS)
    cv2 = need_opencv()
    cv2.setNumThreads(1)  # clips are processed in parallel, one per core
    if method == "dis":
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        return lambda first, second: search.calc(first, second, None)
    return lambda first, second: cv2.calcOpticalFlowFarneback(
        first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0
    )


def need_opencv(purpose: str = "optical flow") -> Any:
    """The OpenCV module.

    Raises:
        UserError: OpenCV is not installed, which names the extra; or a library that it needs.
    """
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise missing_extra("opencv-contrib-python", "flow", purpose) from error
    except ImportError as error:
        raise UserError(
            f"{purpose} needs OpenCV, which cannot be loaded: {error}; "
            "on Debian and Ubuntu, apt install libgl1 libglib2.0-0"
        ) from error
    return cv2


def quantise(flow: Flow) -> UInt8[np.ndarray, "h two_w"]:
    """round(255 (clip(d, -20, 20) + 20) / 40), with x on the left and y on the right.

    No motion is 128, which stands for 0.08 pixels.
    """
    fractions = (np.clip(flow, -BOUND, BOUND) + BOUND) / (2 * BOUND)
    levels = np.rint(255 * fractions).astype(np.uint8)
    return np.concatenate(np.moveaxis(levels, 2, 0), axis=1)


class FlowEncoder:
    """Encodes the optical flow of a video, frame by frame.

    Args:
        method: See `flow_estimator`.
        jpeg: Encodes the levels of a flow as a JPEG file.
    """

    def __init__(self, method: str, jpeg: Callable[[UInt8[np.ndarray, "h two_w"]], bytes]) -> None:
        self._estimate = flow_estimator(method)
        self._jpeg = jpeg
        self._last: Grey | None = None
        self._pictures: list[bytes] = []

    def add(self, grey: Grey) -> int:
        """Adds the next frame; returns the size of its encoded flow in bytes."""
        previous = self._last
        self._last = np.ascontiguousarray(grey)
        if previous is None:
            return 0
        flow = self._estimate(previous, self._last)
        self._pictures.append(self._jpeg(quantise(flow)))
        return len(self._pictures[-1])

    def finish(self) -> list[bytes]:
        """One picture per frame.

        The last frame has no next one and repeats the flow before it. A video of one frame has no
        motion.
        """
        if not self._pictures and self._last is not None:
            still = np.zeros((*self._last.shape, 2), np.float32)
            return [self._jpeg(quantise(still))]
        return [*self._pictures, *self._pictures[-1:]]
