"""One file or folder as clips, whatever wrote it: what a trained network is shown outside its data
set.

An array file holds joints [t, v, c], or with an axis of people, [m, t, v, c] or [t, m, v, c]:
people are the shorter of the two. An NTU `.skeleton` is one clip, a folder of OpenPose's JSON
frames too; a pickle of pyskl's holds many.
"""

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from jaxact.datasets import openpose, pyskl
from jaxact.datasets.formats import joint_arrays, label_table, ntu_skeleton_file
from jaxact.datasets.kinetics import load_json
from jaxact.datasets.preparation.builder import XY, XY_SCORE, XYZ
from jaxact.errors import UserError

KINDS = ".npy, .npz, .json, .skeleton, .pkl, or a folder of OpenPose's JSON frames"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A clip of joints.

    Attributes:
      name: of the file or of the clip in it.
      joints: of every frame and person; missing ones zero.
      layout: name of their layout where the file tells; None where it does not.
      channels: what the last axis holds; None where the file does not tell.
      person_id: who is in which slot, where the file tells.
    """

    name: str
    joints: Float[np.ndarray, "t m v c"]
    layout: str | None = None
    channels: tuple[str, ...] | None = None
    person_id: Int[np.ndarray, "t m"] | None = None


def read(path: str | Path, *, image_size: tuple[int, int] | None = None) -> list[Recording]:
    """The clips of a file or folder.

    Args:
      path: what to read.
      image_size: (width, height) in pixels, for poses of pictures whose files do not tell.

    Raises:
      UserError: it is absent, of another kind, or broken.
    """
    place, kind = Path(path), Path(path).suffix.lower()
    try:
        if place.is_dir():
            found = [_openpose(place)]
        elif kind == ".skeleton":
            joints, more = ntu_skeleton_file.read_skeleton(str(place))
            about = {"layout": "ntu-25", "channels": XYZ, "person_id": more["person_id"]}
            found = [Recording(name=place.stem, joints=joints, **about)]
        elif kind in (".npy", ".npz", ".json"):
            found = [
                Recording(
                    name=place.stem,
                    joints=people_second(joint_arrays.load_clip(str(place)), repr(str(place))),
                )
            ]
        elif kind in (".pkl", ".pickle"):
            found = [
                _annotation(str(place), index)
                for index in range(len(pyskl.annotations(str(place))))
            ]
        else:
            raise UserError(f"{str(place)!r} is no clip of joints; wanted {KINDS}")
    except OSError as error:
        raise UserError(f"cannot read {str(place)!r}: {error.strerror}") from error
    return [_shares(clip, image_size, str(place)) for clip in found]


def people_second(joints: np.ndarray, where: str) -> Float[np.ndarray, "t m v c"]:
    """Joints [t, v, c], [m, t, v, c] or [t, m, v, c] as the last.

    Raises:
      UserError: another shape, or people cannot be told from frames.
    """
    if joints.ndim == 4 and joints.shape[0] == joints.shape[1] != 1:
        raise UserError(
            f"{where}: joints of the shape {joints.shape} do not tell people from frames; cut the clip"
        )
    if joints.ndim == 4 and joints.shape[0] < joints.shape[1]:
        joints = joints.swapaxes(0, 1)
    return joint_arrays.clip_array(joints, where)


def _openpose(folder: Path) -> Recording:
    files = openpose.frame_files(folder.parent, folder.name, f"{str(folder)!r} is a folder")
    contents = {number: load_json(file) for number, file in files.items()}
    poses = [
        next((person[key] for key in openpose.POSES if key in person), ())
        for content in contents.values()
        if isinstance(content, dict) and isinstance(content.get("people"), list)
        for person in content["people"]
        if isinstance(person, dict)
    ]
    count = len(poses[0]) // 3 if poses else 0
    if count not in openpose.LAYOUTS:
        raise UserError(
            f"{str(folder)!r}: {'nobody is' if not poses else f'{count} joints are'} in its frames"
        )
    people = {
        number: openpose.read_people(content, str(files[number]), count)
        for number, content in contents.items()
    }
    first, most = min(people), max(map(len, people.values()))
    joints = np.zeros((max(people) - first + 1, most, count, 3), np.float32)
    for number, found in people.items():
        joints[number - first, : len(found)] = found
    return Recording(
        name=folder.name, joints=joints, layout=openpose.LAYOUTS[count], channels=XY_SCORE
    )


def _annotation(path: str, index: int) -> Recording:
    note = pyskl.annotations(path)[index]
    name = pyskl.identity(note, path, index)
    scored, flat = "keypoint_score" in note, pyskl.shape_of(note, f"{path!r}, {name!r}")[3] == 2
    shares = flat and bool(note.get("img_shape"))
    joints = pyskl.read_joints(note, f"{path!r}, {name!r}", scored=scored, shares=shares)
    channels = (XY if flat else XYZ) + ("score",) * scored
    layout = label_table.USUAL_LAYOUTS.get(joints.shape[2])
    return Recording(name=name, joints=joints, layout=layout, channels=channels)


def _shares(clip: Recording, size: tuple[int, int] | None, where: str) -> Recording:
    """Pixels of scored poses as shares of the picture, as prepared sets hold them."""
    if clip.channels != XY_SCORE or np.nanmax(np.abs(clip.joints[..., :2]), initial=0.0) <= 4.0:
        return clip
    if size is None:
        raise UserError(
            f"{where!r} holds joints in pixels; wanted the picture's size too (--image-size WIDTH,HEIGHT)"
        )
    return dataclasses.replace(clip, joints=clip.joints / np.array([*size, 1.0], np.float32))
