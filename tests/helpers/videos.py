"""Tiny videos, made where a test needs them."""

import fractions
import struct
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

CORNERS = np.array([[[230, 30, 40], [40, 200, 60]], [[50, 60, 220], [240, 230, 200]]], np.uint8)


def frames(count: int, height: int = 24, width: int = 32, seed: int = 0) -> np.ndarray:
    """`count` pictures, u8 [t, h, w, 3]: a quarter each of four colours, darker from frame to
    frame, and soft noise.
    """
    picture = (
        CORNERS.repeat(-(-height // 2), 0)[:height]
        .repeat(-(-width // 2), 1)[:, :width]
        .astype(np.float32)
    )
    fade = (
        np.linspace(1.0, 0.3, count, dtype=np.float32)[:, None, None, None]
        if count > 1
        else np.float32(1.0)
    )
    noise = np.random.default_rng(seed).uniform(-6, 6, (count, *picture.shape))
    return (picture * fade + noise).clip(0, 255).astype(np.uint8)


def write(
    path: Path,
    pictures: np.ndarray,
    *,
    codec: str = "mpeg4",
    rate: int = 25,
    times: Sequence[float] | None = None,
    matrix: tuple[int, int, int, int] | None = None,
    options: dict[str, str] | None = None,
    colorspace: int | None = None,
    last: float = 0.0,
) -> Path:
    """Writes `pictures` u8 [t, h, w, 3] in the container of the path's suffix; returns the path.

    Args:
        times: in seconds, where they are not even.
        matrix: (a, b, c, d) of the display matrix, into an .mp4 or .mov.
        options: of the container.
        colorspace: 1 writes and states BT.709.
        last: seconds for which the last frame is shown, where it is not one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = pictures.shape[2], pictures.shape[1]
        stream.pix_fmt = {"mjpeg": "yuvj444p", "ffv1": "yuv444p"}.get(codec, "yuv420p")
        if codec == "mpeg4":
            stream.codec_context.options = {"qmin": "1", "qmax": "2"}
        if times is not None:
            stream.codec_context.time_base = fractions.Fraction(1, 1000)
        if colorspace is not None:
            stream.codec_context.colorspace = colorspace
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(
                format=stream.pix_fmt, dst_colorspace="ITU709" if colorspace == 1 else None
            )
            if times is not None:
                frame.pts, frame.time_base = (
                    round(1000 * times[number]),
                    fractions.Fraction(1, 1000),
                )
            for packet in stream.encode(frame):
                if last and number == len(pictures) - 1:
                    packet.duration = round(last / packet.time_base)
                container.mux(packet)
        container.mux(stream.encode(None))
    if matrix is not None:
        _turn(path, matrix)
    return path


def _turn(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Writes the display matrix into the track header, 40 bytes behind its version."""
    content, (a, b, c, d) = bytearray(path.read_bytes()), matrix
    start = content.index(b"tkhd") + 4
    assert content[start] == 0
    struct.pack_into(
        ">9i", content, start + 40, a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30
    )
    path.write_bytes(content)
