"""Pictures of stick people: a coloured scene, bodies as thick limbs one before the other, and files
of them.

    joints in pixels, distances -> background -> bodies from far to near -> noise -> u8 [h w 3] ->
    PNG

A pixel's cover by a limb is smooth at its edge, over one pixel. Numpy only.
"""

import struct
import zlib

import numpy as np
from jaxtyping import Float, UInt8

Picture = Float[np.ndarray, "h w 3"]  # 0 to 255

# Joints of ntu-25 that a body is drawn between, and how thick, in shares of the trunk's length; far
# ones first.
STROKES = (
    *(
        (16, 17, 0.20),
        (17, 18, 0.15),
        (18, 19, 0.12),
        (12, 13, 0.20),
        (13, 14, 0.15),
        (14, 15, 0.12),
    ),
    *((0, 20, 0.42), (8, 16, 0.20), (4, 12, 0.20), (4, 8, 0.24), (20, 2, 0.16)),
    *((8, 9, 0.16), (9, 10, 0.12), (10, 11, 0.11), (4, 5, 0.16), (5, 6, 0.12), (6, 7, 0.11)),
)
CLOTHES = (
    *(0,) * 2,
    1,
    *(0,) * 2,
    1,
    *(2,) * 4,
    3,
    *((2, 3, 3) * 2),
)  # of each stroke: trousers, shoes, shirt, skin
HEAD, NECK, BASE, TOP = 3, 2, 0, 20
LEFT, RIGHT = (4, 5, 6, 12, 13, 14), (8, 9, 10, 16, 17, 18)


def draw_background(height: int, width: int, rng: np.random.Generator) -> Picture:
    """A background: colours that change slowly, a few upright and slanted bars of other colours."""
    v, u = np.mgrid[:height, :width, :1][:2] / np.array([height, width]).reshape(2, 1, 1, 1)
    corners = rng.uniform(20, 235, (2, 2, 3))
    found = (1 - v) * ((1 - u) * corners[0, 0] + u * corners[0, 1]) + v * (
        (1 - u) * corners[1, 0] + u * corners[1, 1]
    )
    for _ in range(rng.integers(2, 7)):
        start, end = rng.uniform(-0.2, 1.2, (2, 2)) * (width, height)
        draw_limb(found, start, end, rng.uniform(0.01, 0.09) * width, rng.uniform(0, 255, 3))
    return found


def draw_person(picture: Picture, joints: Float[np.ndarray, "25 2"], rng: np.random.Generator) -> None:
    """Draws one body into `picture`: clothes and skin in colours of its own, light from one
    side.
    """
    colours = rng.uniform(0, 255, (4, 3))
    colours[3] = np.array([235, 190, 160]) * rng.uniform(0.35, 1.05)
    trunk = max(float(np.hypot(*(joints[TOP] - joints[BASE]))), 2.0)
    dark = LEFT if rng.random() < 0.5 else RIGHT
    for (first, second, thick), cloth in zip(STROKES, CLOTHES, strict=True):
        shade = 0.8 if first in dark else 1.0
        draw_limb(picture, joints[first], joints[second], thick * trunk / 2, colours[cloth] * shade)
    crown = joints[HEAD] + 0.15 * (joints[HEAD] - joints[NECK])
    draw_limb(picture, crown, joints[HEAD], 0.19 * trunk, colours[3])


def draw_limb(
    picture: Picture, start: np.ndarray, end: np.ndarray, radius: float, colour: np.ndarray
) -> None:
    """Colours the pixels of `picture` whose middle is within `radius` of the segment; others near
    it in part.
    """
    size = picture.shape[1::-1]
    left, top = np.clip(np.floor(np.minimum(start, end) - radius - 1), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(np.maximum(start, end) + radius + 1), 0, size).astype(int)
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    step = end - start
    share = ((x - start[0]) * step[0] + (y - start[1]) * step[1]) / max(step @ step, 1e-9)
    share = share.clip(0, 1)
    distance = np.hypot(x - start[0] - share * step[0], y - start[1] - share * step[1])
    part = picture[top:bottom, left:right]
    part += (radius - distance + 0.5).clip(0, 1)[..., None] * (colour - part)


def encode_png(picture: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """The PNG file of a picture; each row is stored as its differences to the row above."""
    height, width, _ = picture.shape
    above = np.concatenate([np.zeros_like(picture[:1]), picture[:-1]])
    rows = np.full(
        (height, 1 + 3 * width), 2, np.uint8
    )  # a row begins with the number of this filter
    rows[:, 1:] = (picture - above).reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
