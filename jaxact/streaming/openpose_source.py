"""Poses of OpenPose as a source: its files one by one, or what a pipe brings, which may have no
end.

A frame that cannot be read says so in its note.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxact.datasets import openpose as files_of
from jaxact.datasets.kinetics import load_json
from jaxact.errors import UserError
from jaxact.streaming.frame import Shot

LAYOUTS = files_of.LAYOUTS | {14: "body-14", 17: "coco-17"}  # by the number of joints
LONGEST = 1 << 20  # characters of a frame; what is longer is none


def from_files(paths: list[Path], fps: float) -> Iterator[Shot]:
    """A shot of each file."""
    for number, path in enumerate(paths):
        try:
            yield _shot(load_json(path), path.name, number, fps)
        except UserError as error:
            yield Shot(number, number / fps, note=str(error))


def from_pipe(stream: Any, fps: float) -> Iterator[Shot]:
    """A shot of each JSON object, as soon as it is there: one to a line, or one behind the other.

    Args:
      stream: buffered bytes.
      fps: frames a second.
    """
    for number, found in enumerate(_objects(stream)):
        try:
            if isinstance(found, json.JSONDecodeError):
                raise UserError(f"frame {number} is not JSON: {found.msg}")
            yield _shot(found, f"frame {number}", number, fps)
        except UserError as error:
            yield Shot(number, number / fps, note=str(error))


def _shot(content: Any, where: str, number: int, fps: float) -> Shot:
    people = content.get("people") if isinstance(content, dict) else None
    first = people[0] if isinstance(people, list) and people else {}
    found = [first.get(key) for key in files_of.POSES] if isinstance(first, dict) else []
    joints = next((len(pose) // 3 for pose in found if isinstance(pose, list)), min(LAYOUTS))
    return Shot(number, number / fps, people=files_of.read_people(content, where, joints))


def _objects(stream: Any) -> Iterator[Any]:
    """The values in a stream, or the error of a line that holds none."""
    text, decode, read = (
        "",
        codecs.getincrementaldecoder("utf-8")("replace").decode,
        json.JSONDecoder().raw_decode,
    )
    ended = False
    while not ended:
        chunk = stream.read1(1 << 16)
        ended = not chunk
        text = (text + decode(chunk, ended)).lstrip()
        while text:
            try:
                value, end = read(text)
            except json.JSONDecodeError as error:
                line, newline, rest = text.partition("\n")
                if not (newline or ended or len(line) > LONGEST):
                    break  # the rest of it is still to come
                value, end = error, len(text) - len(rest)
            yield value
            text = text[end:].lstrip()
