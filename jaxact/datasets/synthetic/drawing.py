"""Draws pictures of stick figures: a coloured background, bodies of thick limbs, and PNG files.

    joints in pixels, distances -> background -> bodies from far to near -> noise -> u8 [h w 3] ->
    PNG

The edge of a limb is antialiased over one pixel. NumPy only.
"""

import struct
import zlib

import numpy as np
from jaxtyping import Float, UInt8

Picture = Float[np.ndarray, "h w 3"]  # 0 to 255

TROUSERS, SHOES, SHIRT, SKIN = range(4)  # rows of the colours of a body
# Limbs between joints of ntu-25, far ones first: (joint, joint, thickness as a share of the trunk's
# length, colour).
LIMBS = (
    *((16, 17, 0.20, TROUSERS), (17, 18, 0.15, TROUSERS), (18, 19, 0.12, SHOES)),
    *((12, 13, 0.20, TROUSERS), (13, 14, 0.15, TROUSERS), (14, 15, 0.12, SHOES)),
    *((0, 20, 0.42, SHIRT), (8, 16, 0.20, SHIRT), (4, 12, 0.20, SHIRT), (4, 8, 0.24, SHIRT)),
    (20, 2, 0.16, SKIN),
    *((8, 9, 0.16, SHIRT), (9, 10, 0.12, SKIN), (10, 11, 0.11, SKIN)),
    *((4, 5, 0.16, SHIRT), (5, 6, 0.12, SKIN), (6, 7, 0.11, SKIN)),
)
HEAD, NECK, BASE, TOP = 3, 2, 0, 20
LEFT, RIGHT = (4, 5, 6, 12, 13, 14), (8, 9, 10, 16, 17, 18)


def draw_background(height: int, width: int, rng: np.random.Generator) -> Picture:
    """A background of slowly changing colours with a few bars of other colours."""
    v, u = np.mgrid[:height, :width, :1][:2] / np.array([height, width]).reshape(2, 1, 1, 1)
    corners = rng.uniform(20, 235, (2, 2, 3))
    upper = (1 - u) * corners[0, 0] + u * corners[0, 1]
    lower = (1 - u) * corners[1, 0] + u * corners[1, 1]
    picture = (1 - v) * upper + v * lower
    for _ in range(rng.integers(2, 7)):
        start, end = rng.uniform(-0.2, 1.2, (2, 2)) * (width, height)
        draw_limb(picture, start, end, rng.uniform(0.01, 0.09) * width, rng.uniform(0, 255, 3))
    return picture


def draw_person(
    picture: Picture, joints: Float[np.ndarray, "25 2"], rng: np.random.Generator
) -> None:
    """Draws one body into `picture`, with random colours and light from one side."""
    colours = rng.uniform(0, 255, (4, 3))
    colours[SKIN] = np.array([235, 190, 160]) * rng.uniform(0.35, 1.05)
    trunk = max(float(np.hypot(*(joints[TOP] - joints[BASE]))), 2.0)
    dark_side = LEFT if rng.random() < 0.5 else RIGHT
    for start, end, thickness, part in LIMBS:
        shade = 0.8 if start in dark_side else 1.0
        radius = thickness * trunk / 2
        draw_limb(picture, joints[start], joints[end], radius, colours[part] * shade)
    crown = joints[HEAD] + 0.15 * (joints[HEAD] - joints[NECK])
    draw_limb(picture, crown, joints[HEAD], 0.19 * trunk, colours[SKIN])


def draw_limb(
    picture: Picture, start: np.ndarray, end: np.ndarray, radius: float, colour: np.ndarray
) -> None:
    """Colours the pixels of `picture` within `radius` of a segment; the edge is antialiased."""
    size = picture.shape[1::-1]
    left, top = np.clip(np.floor(np.minimum(start, end) - radius - 1), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(np.maximum(start, end) + radius + 1), 0, size).astype(int)
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    step = end - start
    # Position along the segment of the point nearest to each pixel, 0 to 1.
    along = ((x - start[0]) * step[0] + (y - start[1]) * step[1]) / max(step @ step, 1e-9)
    along = along.clip(0, 1)
    distance = np.hypot(x - start[0] - along * step[0], y - start[1] - along * step[1])
    window = picture[top:bottom, left:right]
    window += (radius - distance + 0.5).clip(0, 1)[..., None] * (colour - window)


def encode_png(picture: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """The PNG file of a picture. Each row is stored as its differences to the row above."""
    height, width, _ = picture.shape
    above = np.concatenate([np.zeros_like(picture[:1]), picture[:-1]])
    up_filter = 2  # each row begins with the number of its filter
    rows = np.full((height, 1 + 3 * width), up_filter, np.uint8)
    rows[:, 1:] = (picture - above).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, content in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    ):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        png += struct.pack(">I", len(content)) + name + content + checksum
    return png
