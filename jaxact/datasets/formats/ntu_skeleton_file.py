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

# How C runtimes print NaN and infinity, e.g. "-1.#IND" and "1.#QNAN".
_NOT_A_NUMBER = re.compile(
    rb"[-+]?(nan(\(.*\))?|inf(inity)?|1\.#(ind|qnan|snan|inf)0*)", re.IGNORECASE
)


def read_skeleton(path: str) -> tuple[Float[np.ndarray, "t m 25 3"], dict[str, np.ndarray]]:
    """Reads one file.

    A body has the slot in which its frame lists it. Slot 0 may hold different people in different
    frames; `person_id` identifies them. Coordinates that are not numbers stay NaN.

    Returns:
        Joints in metres, zero where a slot is empty, and {person_id: i64 [t, m], tracking: u8
        [t, m, v]}. There is at least one slot, even if the sensor detected nobody.

    Raises:
        UserError: The file is empty, binary, cut off, or not in this format; names the line.
    """
    with open(path, "rb") as file:
        content = file.read()
    reader = _LineReader(path, content)
    body_frames: list[int] = []
    body_slots: list[int] = []
    body_ids: list[int] = []
    joint_rows: list[int] = []  # line of each body's first joint
    frames = reader.count("the frame count")
    if not frames:
        reader.fail("the frame count is 0")
    for frame in range(frames):
        reader.where = f"in frame {frame + 1} of {frames}"
        for slot in range(reader.count("the body count")):
            body_frames.append(frame)
            body_slots.append(slot)
            body_ids.append(reader.body_id())
            joints = reader.count("the joint count")
            if joints != JOINTS:
                reader.fail(f"{joints} joints, wanted {JOINTS}")
            joint_rows.append(reader.skip(JOINTS))
    reader.end()
    values = reader.joint_table(joint_rows)
    persons = 1 + max(body_slots, default=0)
    joints = np.zeros((frames, persons, JOINTS, 3), np.float32)
    person_id = np.zeros((frames, persons), np.int64)
    tracking = np.zeros((frames, persons, JOINTS), np.uint8)
    if body_ids:
        joints[body_frames, body_slots] = values[..., :3]
        person_id[body_frames, body_slots] = np.array(body_ids, np.int64)
        tracking[body_frames, body_slots] = np.nan_to_num(values[..., 11]).clip(0, 255)
    return joints, {"person_id": person_id, "tracking": tracking}


class _LineReader:
    """Reads a file line by line; every error names the file and the line."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.lines = content.splitlines()
        self.next = 0
        self.where = "before the first frame"
        if not content.strip():
            raise UserError(f"{path!r} is empty; a skeleton file begins with its frame count")
        binary = re.search(rb"[^\t\r\n -~]", content)
        if binary:
            line = content.count(b"\n", 0, binary.start()) + 1
            byte = binary.group()[0]
            raise UserError(f"{path!r} is not a text file: byte 0x{byte:02x} in line {line}")

    def fail(self, problem: str, line: int | None = None) -> NoReturn:
        """Raises an error about a line (0-based), by default the last one read."""
        number = self.next if line is None else line + 1
        raise UserError(f"{self.path!r}, line {number} ({self.where}): {problem}")

    def read(self, content: str) -> bytes:
        """The next line, which should hold `content`."""
        if self.next >= len(self.lines):
            raise UserError(
                f"{self.path!r} is cut off after line {len(self.lines)} ({self.where}): "
                f"{content} should follow"
            )
        self.next += 1
        return self.lines[self.next - 1]

    def count(self, content: str) -> int:
        """The next line as a count."""
        line = self.read(content).strip()
        if not line.isdigit():
            self.fail(f"wanted {content}, found {_quoted(line)}")
        return int(line)

    def body_id(self) -> int:
        """The id of the body that the next line describes.

        An id needs all 64 bits, so it is not parsed as a float.
        """
        fields = self.read("a body").split()
        if len(fields) != BODY_FIELDS:
            self.fail(f"wanted the {BODY_FIELDS} numbers of a body, found {len(fields)}")
        try:
            return int(np.int64(int(fields[0])))
        except (ValueError, OverflowError):
            self.fail(f"wanted a body's id, found {_quoted(fields[0])}")

    def skip(self, lines: int) -> int:
        """Skips lines that `joint_table` parses later; returns the first."""
        first = self.next
        if first + lines > len(self.lines):
            self.next = len(self.lines)
            self.read("a joint")
        self.next += lines
        return first

    def end(self) -> None:
        """Raises an error if text follows."""
        for line in range(self.next, len(self.lines)):
            if self.lines[line].strip():
                self.fail(f"text after the last frame: {_quoted(self.lines[line])}", line)

    def joint_table(self, rows: list[int]) -> Float[np.ndarray, "bodies 25 12"]:
        """The numbers of all joints.

        Args:
            rows: Line of each body's first joint.
        """
        fields: list[bytes] = []
        for row in rows:
            fields += b" ".join(self.lines[row : row + JOINTS]).split()
        try:
            values = np.array(fields, np.float64)
        except ValueError:
            values = np.empty(0)
        complete = len(values) == len(rows) * JOINTS * JOINT_FIELDS
        # A short line before a long one would shift the numbers between them. The last number of
        # a joint, its tracking state, reveals that.
        states = values[JOINT_FIELDS - 1 :: JOINT_FIELDS]
        if not complete or not np.isin(states, (0, 1, 2)).all():
            values = np.array([self._joint(row + joint) for row in rows for joint in range(JOINTS)])
        return values.reshape(len(rows), JOINTS, JOINT_FIELDS)

    def _joint(self, line: int) -> list[float]:
        """The numbers of one line, with every spelling of NaN; reports a line that is wrong."""
        fields = self.lines[line].split()
        if len(fields) != JOINT_FIELDS:
            self.fail(f"wanted the {JOINT_FIELDS} numbers of a joint, found {len(fields)}", line)
        values = []
        for field in fields:
            if _NOT_A_NUMBER.fullmatch(field):
                values.append(float("nan"))
                continue
            try:
                values.append(float(field))
            except ValueError:
                self.fail(f"wanted a number, found {_quoted(field)}", line)
        return values


def _quoted(text: bytes) -> str:
    return repr(text[:40].decode("latin-1"))
