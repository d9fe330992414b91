"""Dense optical flow from each frame to the next, in 8 bits, as two-stream networks read it.

A displacement (x to the right, y down, pixels of the stored frame) is cut off at 20 pixels either
way and its range laid over the 256 levels, as is usual in the field; x and y lie side by side in
one grey picture [h, 2 w].
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from jaxact.errors import missing_extra, unknown

BOUND = 20.0  # pixels
METHODS = ("dis", "farneback")

Grey = UInt8[np.ndarray, "h w"]
Flow = Float32[np.ndarray, "h w 2"]


def estimator(method: str) -> Callable[[Grey, Grey], Flow]:
    """The function from two grey frames to the displacement of each pixel of the first, (x, y).

    Args:
      method: "farneback", polynomial expansion (Farneback, SCIA 2003; three levels, windows of 15
        pixels, three iterations, polynomials over 5 pixels), or "dis", dense inverse search
        (Kroeger et al., ECCV 2016; OpenCV's medium preset), half again as fast.

    Raises:
      UserError: another name, or OpenCV is not installed.
    """
    if method not in METHODS:
        raise unknown("flow", method, METHODS)
    cv2 = need_opencv()
    cv2.setNumThreads(1)  # the cores have clips of their own
    if method == "dis":
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        return lambda first, second: search.calc(first, second, None)
    return lambda first, second: cv2.calcOpticalFlowFarneback(
        first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0
    )


def need_opencv() -> Any:
    """OpenCV.

    Raises:
      UserError: it is not installed; names the extra.
    """
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("opencv-python-headless", "flow", "optical flow") from error
    return cv2


def levels(flow: Flow) -> UInt8[np.ndarray, "h two_w"]:
    """255 (clip(d, -20, 20) + 20) / 40, rounded; x on the left, y on the right. No motion is 128,
    0.08 pixels off.
    """
    shares = (np.clip(flow, -BOUND, BOUND) + BOUND) / (2 * BOUND)
    return np.concatenate(np.moveaxis(np.rint(255 * shares).astype(np.uint8), 2, 0), axis=1)


class Recorder:
    """Flow between frames as they come.

    Args:
      method: see `estimator`.
      jpeg: from the levels of a flow to a JPEG file.
    """

    def __init__(self, method: str, jpeg: Callable[[UInt8[np.ndarray, "h two_w"]], bytes]) -> None:
        self._estimate, self._jpeg = estimator(method), jpeg
        self._last: Grey | None = None
        self._pictures: list[bytes] = []

    def add(self, grey: Grey) -> int:
        """Takes the next frame; returns the bytes that its flow takes."""
        before, self._last = self._last, np.ascontiguousarray(grey)
        if before is None:
            return 0
        self._pictures.append(self._jpeg(levels(self._estimate(before, self._last))))
        return len(self._pictures[-1])

    def end(self) -> list[bytes]:
        """A picture for each frame; the last frame, which has no next one, repeats the one before,
        or does not move.
        """
        if not self._pictures and self._last is not None:
            still = np.zeros((*self._last.shape, 2), np.float32)
            return [self._jpeg(levels(still))]
        return [*self._pictures, *self._pictures[-1:]]
