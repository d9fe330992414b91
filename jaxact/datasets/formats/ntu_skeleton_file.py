"""The `.skeleton` text format of NTU RGB+D, as Kinect v2 wrote it.

frame count
per frame: body count
  per body: id, six hand and clipping fields, lean x, lean y, tracking state
            joint count (25)
    per joint: x y z, depth x y, colour x y, orientation w x y z, tracking state
"""

import re
from typing import NoReturn

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError

JOINTS = 25
BODY_FIELDS = 10
JOINT_FIELDS = 12

# What C runtimes print for a number that is none, e.g. "-1.#IND" and "1.#QNAN".
_NOT_A_NUMBER = re.compile(
    rb"[-+]?(nan(\(.*\))?|inf(inity)?|1\.#(ind|qnan|snan|inf)0*)", re.IGNORECASE
)


def read_skeleton(path: str) -> tuple[Float[np.ndarray, "t m 25 3"], dict[str, np.ndarray]]:
    """Reads one file.

    A body keeps the slot in which its frame lists it: slot 0 need not be the same person in every
    frame, and `person_id` tells who it is. Coordinates that are not numbers stay NaN.

    Returns:
      Joints in metres, zero where a slot is empty, and {person_id: i64 [t, m], tracking: u8 [t, m,
      v]}. There is one slot at least, also where the sensor saw nobody.

    Raises:
      UserError: the file is empty, binary, cut off, or not in this format; names the line.
    """
    with open(path, "rb") as file:
        content = file.read()
    text = _Lines(path, content)
    bodies: list[tuple[int, int, int]] = []  # frame, slot, id
    rows: list[int] = []  # line of each body's first joint
    frames = text.count("the frame count")
    if not frames:
        text.fail("the frame count is 0")
    for frame in range(frames):
        text.where = f"in frame {frame + 1} of {frames}"
        for slot in range(text.count("the body count")):
            bodies.append((frame, slot, text.body()))
            joints = text.count("the joint count")
            if joints != JOINTS:
                text.fail(f"{joints} joints, wanted {JOINTS}")
            rows.append(text.skip(JOINTS))
    text.end()
    values = text.table(rows)
    persons = 1 + max((slot for _, slot, _ in bodies), default=0)
    joints = np.zeros((frames, persons, JOINTS, 3), np.float32)
    person_id = np.zeros((frames, persons), np.int64)
    tracking = np.zeros((frames, persons, JOINTS), np.uint8)
    if bodies:
        frame, slot = np.array([(frame, slot) for frame, slot, _ in bodies]).T
        joints[frame, slot] = values[..., :3]
        person_id[frame, slot] = np.array([body for _, _, body in bodies], np.int64)
        tracking[frame, slot] = np.nan_to_num(values[..., 11]).clip(0, 255)
    return joints, {"person_id": person_id, "tracking": tracking}


class _Lines:
    """The lines of a file with a position in them; every complaint names the file and the line."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.lines = content.splitlines()
        self.next = 0
        self.where = "before the first frame"
        if not content.strip():
            raise UserError(f"{path!r} is empty; a skeleton file begins with its frame count")
        odd = re.search(rb"[^\t\r\n -~]", content)
        if odd:
            line = content.count(b"\n", 0, odd.start()) + 1
            raise UserError(
                f"{path!r} is not a text file: byte 0x{odd.group()[0]:02x} in line {line}"
            )

    def fail(self, problem: str, line: int | None = None) -> NoReturn:
        """Complains about a line, by default the one read last."""
        raise UserError(
            f"{self.path!r}, line {self.next if line is None else line + 1} ({self.where}): {problem}"
        )

    def read(self, wanted: str) -> bytes:
        """The next line."""
        if self.next >= len(self.lines):
            raise UserError(
                f"{self.path!r} is cut off after line {len(self.lines)} ({self.where}): {wanted} should follow"
            )
        self.next += 1
        return self.lines[self.next - 1]

    def count(self, wanted: str) -> int:
        """The next line as a count."""
        line = self.read(wanted).strip()
        if not line.isdigit():
            self.fail(f"wanted {wanted}, found {_shown(line)}")
        return int(line)

    def body(self) -> int:
        """The id in the next line, which describes a body. It needs all 64 bits and is never read
        as a float.
        """
        fields = self.read("a body").split()
        if len(fields) != BODY_FIELDS:
            self.fail(f"wanted the {BODY_FIELDS} numbers of a body, found {len(fields)}")
        try:
            return int(np.int64(int(fields[0])))
        except (ValueError, OverflowError):
            self.fail(f"wanted a body's id, found {_shown(fields[0])}")

    def skip(self, lines: int) -> int:
        """Steps over lines that are read later, all at once; returns the first."""
        first = self.next
        if first + lines > len(self.lines):
            self.next = len(self.lines)
            self.read("a joint")
        self.next += lines
        return first

    def end(self) -> None:
        """Nothing may follow."""
        for line in range(self.next, len(self.lines)):
            if self.lines[line].strip():
                self.fail(f"text after the last frame: {_shown(self.lines[line])}", line)

    def table(self, rows: list[int]) -> Float[np.ndarray, "bodies 25 12"]:
        """The numbers of all joints; `rows` are the first lines of the bodies."""
        joined = b" ".join(b" ".join(self.lines[row : row + JOINTS]) for row in rows)
        fields = joined.split()
        wanted = len(rows) * JOINTS * JOINT_FIELDS
        try:
            values = np.array(fields, np.float64)
        except ValueError:
            values = np.empty(0)
        # A line too long after one too short would shift what lies between them.
        if (
            len(values) != wanted
            or not np.isin(values[JOINT_FIELDS - 1 :: JOINT_FIELDS], (0, 1, 2)).all()
        ):
            values = np.array([self._joint(row + joint) for row in rows for joint in range(JOINTS)])
        return values.reshape(len(rows), JOINTS, JOINT_FIELDS)

    def _joint(self, line: int) -> list[float]:
        """One line with care: finds the one that is wrong, and takes every spelling of NaN."""
        fields = self.lines[line].split()
        if len(fields) != JOINT_FIELDS:
            self.fail(f"wanted the {JOINT_FIELDS} numbers of a joint, found {len(fields)}", line)
        values = []
        for field in fields:
            try:
                values.append(float("nan") if _NOT_A_NUMBER.fullmatch(field) else float(field))
            except ValueError:
                self.fail(f"wanted a number, found {_shown(field)}", line)
        return values


def _shown(text: bytes) -> str:
    return repr(text[:40].decode("latin-1"))
