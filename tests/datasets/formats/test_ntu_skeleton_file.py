"""The `.skeleton` format: exact numbers, and the error of every kind of invalid file."""

from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.formats.ntu_skeleton_file import read_skeleton
from jaxact.errors import UserError

FIRST, SECOND = 72057594037931101, 72057594037931102  # one apart, the same number as floats


def skeleton_text(frames: list[list[tuple[int, np.ndarray]]], newline: str = "\n") -> str:
    """A file of these frames, each a list of (body id, joints [25, 3])."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for body, joints in bodies:
            lines += [f"{body} 0 1 1 1 1 0 0.02 0.05 2", "25"]
            for number, (x, y, z) in enumerate(joints):
                lines.append(
                    f"{x} {y} {z} 277.4 191.8 1036.2 519.1 -0.2 0.05 0.96 -0.12 {number % 3}"
                )
    return newline.join(lines) + newline


def pose(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(25, 3)).astype(np.float32)


def write(folder: Path, text: str | bytes) -> str:
    path = folder / "S001C001P001R001A001.skeleton"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def test_bodies_stay_in_the_slots_of_their_frame(tmp_path):
    frames = [[(FIRST, pose(0))], [(SECOND, pose(1)), (FIRST, pose(2))], []]
    joints, extras = read_skeleton(write(tmp_path, skeleton_text(frames)))
    assert joints.shape == (3, 2, 25, 3) and joints.dtype == np.float32
    np.testing.assert_array_equal(joints[0, 0], pose(0))
    np.testing.assert_array_equal(joints[1], [pose(1), pose(2)])
    assert not joints[0, 1].any() and not joints[2].any()
    assert extras["person_id"].tolist() == [[FIRST, 0], [SECOND, FIRST], [0, 0]]
    assert extras["tracking"][1, 1].tolist() == [joint % 3 for joint in range(25)]


def test_a_clip_without_people_keeps_its_frames(tmp_path):
    joints, _ = read_skeleton(write(tmp_path, skeleton_text([[], []])))
    assert joints.shape == (2, 1, 25, 3) and not joints.any()


def test_windows_line_endings_do_not_matter(tmp_path):
    frames = [[(FIRST, pose(0))], [(FIRST, pose(1))]]
    unix, _ = read_skeleton(write(tmp_path, skeleton_text(frames)))
    windows, _ = read_skeleton(write(tmp_path, skeleton_text(frames, "\r\n")))
    np.testing.assert_array_equal(unix, windows)


@pytest.mark.parametrize("spelling", ["NaN", "-nan", "-1.#IND", "1.#QNAN0"])
def test_every_spelling_of_nan_is_kept_as_nan(tmp_path, spelling):
    lines = skeleton_text([[(FIRST, pose(0))]]).splitlines()
    lines[6] = " ".join([spelling, *lines[6].split()[1:]])
    joints, _ = read_skeleton(write(tmp_path, "\n".join(lines)))
    expected = pose(0)
    expected[2, 0] = np.nan
    np.testing.assert_array_equal(joints[0, 0], expected)


def edited(line: int, text: str) -> str:
    lines = skeleton_text([[(FIRST, pose(0))], [(FIRST, pose(1))]]).splitlines()
    lines[line - 1] = text
    return "\n".join(lines)


SOUND = skeleton_text([[(FIRST, pose(0))], [(FIRST, pose(1))]])
SHORT, LONG = " ".join(["1"] * 11), " ".join(["1.5"] * 13)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("0\n", "line 1 .*the frame count is 0"),
        (b"\x00\x01" * 50, "not a text file: byte 0x00 in line 1"),
        (SOUND.encode()[:-9] + b"\xff", "not a text file: byte 0xff in line 57"),
        (edited(1, "many"), "line 1 .*wanted the frame count, found 'many'"),
        (
            edited(1, "3"),
            r"cut off after line 57 \(in frame 3 of 3\): the body count should follow",
        ),
        (
            "\n".join(SOUND.splitlines()[:40]),
            r"cut off after line 40 \(in frame 2 of 2\): a joint should follow",
        ),
        (
            "\n".join(SOUND.splitlines()[:30]),
            r"cut off after line 30 \(in frame 2 of 2\): a body should follow",
        ),
        (edited(2, "-1"), "line 2 .*wanted the body count, found '-1'"),
        (edited(3, "7 0 1"), "line 3 .*wanted the 10 numbers of a body, found 3"),
        (edited(3, "7.5 0 1 1 1 1 0 0.02 0.05 2"), "line 3 .*wanted a body's id, found '7.5'"),
        (edited(4, "20"), "line 4 .*20 joints, wanted 25"),
        (edited(10, SHORT), "line 10 .*wanted the 12 numbers of a joint, found 11"),
        (edited(10, SHORT).replace(SOUND.splitlines()[10], LONG), "line 10 .*found 11"),
        (edited(12, "a " + SHORT), "line 12 .*wanted a number, found 'a'"),
        (SOUND + "\n1\n", "line 59 .*text after the last frame: '1'"),
    ],
)
def test_the_error_names_an_invalid_file_and_the_line(tmp_path, content, problem):
    with pytest.raises(UserError, match=problem) as caught:
        read_skeleton(write(tmp_path, content))
    assert "S001C001P001R001A001.skeleton" in str(caught.value)
