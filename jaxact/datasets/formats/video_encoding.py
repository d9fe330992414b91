"""Encodes the frames of a video file as JPEG, with the optical flow between them if requested."""

import dataclasses
import fractions
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from jaxact.datasets.formats.optical_flow import FlowEncoder
from jaxact.datasets.formats.video_file import Video, frame_times, need_av
from jaxact.errors import UserError

QUANTISER = 2  # of the JPEG encoder, 1 (fine) to 31; 2 gives 41 dB and 15 kB for a 320x240 frame
MAX_RECORD_BYTES = 128 << 20  # about 8000 frames with a short side of 240 pixels


@dataclasses.dataclass(frozen=True, slots=True)
class EncodedClip:
    """A clip as it is stored.

    Attributes:
        frames: One JPEG file per frame.
        flow: One grey JPEG file per frame, see `jaxact.datasets.formats.optical_flow`; empty
            without optical flow.
        times: Seconds from the first frame.
        fps: Mean rate in frames per second; 0 for a clip of one frame that states no rate.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.
        damaged: Number of frames in which the decoder concealed errors.
    """

    frames: list[bytes]
    flow: list[bytes]
    times: Float32[np.ndarray, " t"]
    fps: float
    height: int
    width: int
    damaged: int


def encode(path: str, *, short_side: int, flow: str | None = None) -> EncodedClip:
    """Encodes the frames of a video file as JPEG.

    Args:
        path: The video file.
        short_side: Pixels of the shorter side to which larger frames are scaled down; smaller
            frames keep their size.
        flow: A method of `jaxact.datasets.formats.optical_flow`, to store the motion from each
            frame to the next as well.

    Raises:
        UserError: The file cannot be used, see `video_file.Video`, or has more frames than a
            record holds.
    """
    video = Video(path)
    jpeg: JpegEncoder | None = None
    flow_encoder: FlowEncoder | None = None
    frames: list[bytes] = []
    height = width = total_bytes = 0
    for frame in video:
        if jpeg is None:
            height, width = scaled_size(frame.height, frame.width, short_side)
            jpeg = JpegEncoder(height, width)
            if flow:
                flow_encoder = FlowEncoder(flow, JpegEncoder(height, 2 * width).encode_grey)
        # A JPEG is BT.601 in full range, whatever the colour space of the video.
        picture = frame.reformat(
            width, height, "yuvj420p", dst_colorspace="ITU601", interpolation="AREA"
        )
        frames.append(jpeg(picture))
        total_bytes += len(frames[-1])
        if flow_encoder:
            total_bytes += flow_encoder.add(picture.to_ndarray(format="gray"))
        if total_bytes > MAX_RECORD_BYTES:
            raise UserError(
                f"{path!r} is too long for one record: its first {len(frames)} frames take "
                f"{MAX_RECORD_BYTES >> 20} MiB at a short side of {short_side} pixels; "
                "cut it into clips, or give a smaller --short-side"
            )
    times, fps = frame_times(video.times, video.rate)
    return EncodedClip(
        frames=frames,
        flow=flow_encoder.finish() if flow_encoder else [],
        times=times,
        fps=fps,
        height=height,
        width=width,
        damaged=video.damaged,
    )


def scaled_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Height and width after scaling the shorter side down to `short_side`.

    Smaller frames keep their size.
    """
    shorter = min(height, width)
    if shorter <= short_side:
        return height, width
    return round(height * short_side / shorter), round(width * short_side / shorter)


class JpegEncoder:
    """Encodes frames of one size; every call returns a complete JPEG file."""

    def __init__(self, height: int, width: int) -> None:
        codec = need_av().CodecContext.create("mjpeg", "w")
        codec.height = height
        codec.width = width
        codec.pix_fmt = "yuvj420p"
        codec.time_base = fractions.Fraction(1, 25)
        codec.thread_count = 1
        codec.options = {"qmin": str(QUANTISER), "qmax": str(QUANTISER), "flags": "+bitexact"}
        self._codec = codec
        self._count = 0

    def __call__(self, frame: Any) -> bytes:
        """The JPEG file of a yuvj420p frame."""
        frame.pts = self._count
        frame.time_base = self._codec.time_base
        self._count += 1
        (packet,) = self._codec.encode(frame)
        return bytes(packet)

    def encode_grey(self, picture: UInt8[np.ndarray, "h w"]) -> bytes:
        """The JPEG file of a grey picture."""
        frame = need_av().VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
        return self(frame.reformat(format="yuvj420p"))
