"""Poses of OpenPose as a source of frames: one file per frame, or a stream of JSON objects.

A frame that cannot be read has a note.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxact.datasets.formats import openpose_files
from jaxact.datasets.formats.json_file import load_json
from jaxact.errors import UserError
from jaxact.streaming.frame import Frame

LAYOUTS = openpose_files.LAYOUTS | {14: "body-14", 17: "coco-17"}  # by the number of joints
MAX_LENGTH = 1 << 20  # characters of a frame


def from_files(paths: list[Path], fps: float) -> Iterator[Frame]:
    """Yields a frame per file."""
    for number, path in enumerate(paths):
        try:
            yield _parse_frame(load_json(path), path.name, number, fps)
        except UserError as error:
            yield Frame(number, number / fps, note=str(error))


def from_pipe(stream: Any, fps: float) -> Iterator[Frame]:
    """Yields a frame per JSON object, as soon as it is complete.

    Objects may be on lines of their own or follow each other directly.

    Args:
        stream: buffered bytes; it may be endless.
        fps: frames per second.
    """
    for number, content in enumerate(_json_values(stream)):
        try:
            if isinstance(content, json.JSONDecodeError):
                raise UserError(f"frame {number} is not JSON: {content.msg}")
            yield _parse_frame(content, f"frame {number}", number, fps)
        except UserError as error:
            yield Frame(number, number / fps, note=str(error))


def _parse_frame(content: Any, where: str, number: int, fps: float) -> Frame:
    joints = _count_joints(content)
    poses = openpose_files.read_people(content, where, joints)
    return Frame(number, number / fps, poses=poses)


def _count_joints(content: Any) -> int:
    """Counts the joints of the first person, or returns the least number of all layouts."""
    people = content.get("people") if isinstance(content, dict) else None
    if isinstance(people, list) and people and isinstance(people[0], dict):
        for key in openpose_files.POSES:
            pose = people[0].get(key)
            if isinstance(pose, list):
                return len(pose) // 3
    return min(LAYOUTS)


def _json_values(stream: Any) -> Iterator[Any]:
    """Yields the values in a stream; the error of a line that holds none."""
    decode_text = codecs.getincrementaldecoder("utf-8")("replace").decode
    decode_json = json.JSONDecoder().raw_decode
    text, ended = "", False
    while not ended:
        chunk = stream.read1(1 << 16)
        ended = not chunk
        text = (text + decode_text(chunk, ended)).lstrip()
        while text:
            try:
                value, end = decode_json(text)
            except json.JSONDecodeError as error:
                line, newline, rest = text.partition("\n")
                if not (newline or ended or len(line) > MAX_LENGTH):
                    break  # the line is not complete
                value, end = error, len(text) - len(rest)
            yield value
            text = text[end:].lstrip()
