"""Checks of uploaded files before they are opened: name, kind and unpacked size."""

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from jaxact.errors import UserError

JOINT_SUFFIXES = (".npy", ".npz", ".json", ".skeleton", ".pkl", ".pickle", ".zip")
UNZIPPED = "unzipped-"  # prefix of the folders that an archive is unpacked to
MAX_FILES = 20_000  # frames of a zip
MAX_RATIO = 8  # largest unpacked size of an archive, in limits of an upload

# First bytes of video containers, (offset, bytes). A playlist, which would make ffmpeg open other
# files, starts like none of them.
_VIDEO_SIGNATURES = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (0, b"\x1a\x45\xdf\xa3"),
    (8, b"AVI "), (0, b"OggS"), (0, b"FLV\x01"), (0, b"\x00\x00\x01\xba"),
    (0, b"\x00\x00\x01\xb3"), (0, b"\x30\x26\xb2\x75"),
)  # fmt: skip


def unpack(path: Path, *, kind: str, limit: int) -> list[Path]:
    """Returns the clips of an upload as files and folders that are safe to read.

    Args:
        path: the upload, in a folder of its own.
        kind: what is wanted, "skeleton" or "video".
        limit: largest size of an upload in bytes; archives may unpack to `MAX_RATIO` times as much.

    Raises:
        UserError: the upload is of another kind, or unpacks to too much.
    """
    if kind == "video":
        if not is_video(path):
            raise UserError(
                f"{path.name!r} is no video; wanted MP4, MOV, WebM, MKV, AVI, MPEG or Ogg"
            )
        return [path]
    suffix = path.suffix.lower()
    if suffix not in JOINT_SUFFIXES and is_video(path):
        raise UserError(
            f"{path.name!r} is a video, and the network reads joints; "
            "a server with a pose estimator reads videos: start it with --pose SPEC"
        )
    if suffix not in JOINT_SUFFIXES:
        raise UserError(
            f"{path.name!r} is no clip of joints; wanted {', '.join(JOINT_SUFFIXES)}, "
            "a zip of OpenPose's JSON"
        )
    if suffix not in (".npz", ".zip"):
        return [path]
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, path.name, MAX_RATIO * limit)
            if suffix == ".npz":
                return [path]
            return _unpack_openpose(archive, path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UserError(f"{path.name!r} is not a readable archive: {error}") from error


def is_video(path: Path) -> bool:
    """Whether a file begins as a video container does."""
    with path.open("rb") as file:
        head = file.read(16)
    return any(
        head[offset : offset + len(signature)] == signature
        for offset, signature in _VIDEO_SIGNATURES
    )


def _check_size(archive: zipfile.ZipFile, name: str, limit: int) -> None:
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > limit:
        raise UserError(
            f"{name!r} unpacks to {size / 1e6:.0f} MB; at most {limit / 1e6:.0f} MB are read"
        )
    if len(entries) > MAX_FILES:
        raise UserError(f"{name!r} holds {len(entries)} files; at most {MAX_FILES} are read")


def _unpack_openpose(archive: zipfile.ZipFile, path: Path) -> list[Path]:
    """Unpacks each folder of an archive that holds frames of OpenPose.

    Paths of the archive are never used as paths of this machine.
    """
    clips: dict[PurePosixPath, list[zipfile.ZipInfo]] = {}
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.name.endswith("_keypoints.json") and "__MACOSX" not in name.parts:
            clips.setdefault(name.parent, []).append(entry)
    if not clips:
        raise UserError(f"{path.name!r} holds no frames of OpenPose's, NAME_NUMBER_keypoints.json")
    folders = []
    for number, (parent, entries) in enumerate(clips.items()):
        clip_name = parent.name or path.stem
        if parent.name in ("..", "."):
            clip_name = path.stem
        folder = path.parent / f"{UNZIPPED}{number}" / clip_name
        folder.mkdir(parents=True)
        for entry in entries:
            name = PurePosixPath(entry.filename.replace("\\", "/")).name
            with archive.open(entry) as source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target)
        folders.append(folder)
    return folders
