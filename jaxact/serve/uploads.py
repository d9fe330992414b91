"""Files from strangers, looked at before anything opens them: their name, their kind, what they
unpack to.
"""

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from jaxact.errors import UserError

JOINTS = (".npy", ".npz", ".json", ".skeleton", ".pkl", ".pickle", ".zip")
UNZIPPED = "unzipped-"  # folders beside an archive, for what is in it
MOST_FILES = 20_000  # frames of a zip
UNPACKED = 8  # times the limit of an upload, that an archive may unpack to

# How containers begin, (offset, bytes): a playlist, which would have ffmpeg open other files,
# begins like none of them.
_VIDEOS = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "), (0, b"OggS"),
    (0, b"FLV\x01"), (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"), (0, b"\x30\x26\xb2\x75"),
)  # fmt: skip


def opened(path: Path, *, kind: str, limit: int) -> list[Path]:
    """The clips of an upload as files and folders that may be read.

    Args:
      path: the upload, in a folder of its own.
      kind: what the network reads, "skeleton" or "video".
      limit: bytes of an upload; archives may unpack to `UNPACKED` times as much.

    Raises:
      UserError: it is of another kind, or unpacks to too much.
    """
    suffix = path.suffix.lower()
    if kind == "video":
        if not _is_video(path):
            raise UserError(
                f"{path.name!r} is no video; wanted MP4, MOV, WebM, MKV, AVI, MPEG or Ogg"
            )
        return [path]
    if suffix not in JOINTS:
        raise UserError(
            f"{path.name!r} is no clip of joints; wanted {', '.join(JOINTS)}, a zip of OpenPose's JSON"
        )
    if suffix in (".npz", ".zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                _measure(archive, path.name, UNPACKED * limit)
                return [path] if suffix == ".npz" else _unpack(archive, path)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise UserError(f"{path.name!r} is not a readable archive: {error}") from error
    return [path]


def _is_video(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    return any(head[offset : offset + len(magic)] == magic for offset, magic in _VIDEOS)


def _measure(archive: zipfile.ZipFile, name: str, most: int) -> None:
    found = archive.infolist()
    size = sum(item.file_size for item in found)
    if size > most:
        raise UserError(
            f"{name!r} unpacks to {size / 1e6:.0f} MB; at most {most / 1e6:.0f} MB are read"
        )
    if len(found) > MOST_FILES:
        raise UserError(f"{name!r} holds {len(found)} files; at most {MOST_FILES} are read")


def _unpack(archive: zipfile.ZipFile, path: Path) -> list[Path]:
    """A folder of frames for each folder of the archive; names of the archive are no places of this
    machine.
    """
    clips: dict[PurePosixPath, list[zipfile.ZipInfo]] = {}
    for item in archive.infolist():
        place = PurePosixPath(item.filename.replace("\\", "/"))
        if place.name.endswith("_keypoints.json") and "__MACOSX" not in place.parts:
            clips.setdefault(place.parent, []).append(item)
    if not clips:
        raise UserError(f"{path.name!r} holds no frames of OpenPose's, NAME_NUMBER_keypoints.json")
    folders = []
    for number, (parent, items) in enumerate(clips.items()):
        folder = path.parent / f"{UNZIPPED}{number}" / (parent.name or path.stem)
        if parent.name in ("..", "."):
            folder = folder.with_name(path.stem)
        folder.mkdir(parents=True)
        for item in items:
            name = PurePosixPath(item.filename.replace("\\", "/")).name
            with archive.open(item) as source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target)
        folders.append(folder)
    return folders
