"""The named layouts, with the joint numbers of their data sets.

Numbers are 0-based. Joints are in the order of the public files, so arrays are never permuted when
they are read. The centre is the joint where head, arms and trunk meet (the nose where a layout has
no such joint); ST-GCN measures "nearer" and "farther" from it. A joint has the same name in every
layout, because conversion matches names.
"""

import json
import os
from pathlib import Path
from typing import Any

from jaxact.errors import UserError, unknown
from jaxact.skeletons.layout import Layout, Pair


def _edges(text: str) -> list[Pair]:
    """Pairs from "child-parent child-parent ..."."""
    pairs = []
    for edge in text.split():
        child, parent = edge.split("-")
        pairs.append((int(child), int(parent)))
    return pairs


def _layout(
    name: str, joints: str, edges: str, centre: int, bones: str = "", **fields: Any
) -> Layout:
    fields |= {"name": name, "joints": joints.split(), "edges": _edges(edges), "centre": centre}
    if bones:
        fields["bones"] = _edges(bones)
    return Layout.from_dict(fields)


_NTU_JOINTS = """spine_base spine_mid neck head left_shoulder left_elbow left_wrist left_hand
  right_shoulder right_elbow right_wrist right_hand left_hip left_knee left_ankle left_foot
  right_hip right_knee right_ankle right_foot spine_shoulder left_hand_tip left_thumb
  right_hand_tip right_thumb"""
_NTU_BODY = """0-1 1-20 2-20 3-2 4-20 5-4 6-5 7-6 8-20 9-8 10-9 11-10 12-0 13-12 14-13 15-14 16-0
  17-16 18-17 19-18"""
_NTU_BONES = f"{_NTU_BODY} 20-20 21-22 22-7 23-24 24-11"

_BODY_14 = """nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow
  left_wrist right_hip right_knee right_ankle left_hip left_knee left_ankle"""
_BODY_14_EDGES = "4-3 3-2 7-6 6-5 13-12 12-11 10-9 9-8 11-5 8-2 5-1 2-1 0-1"
# The public releases root the bone stream at the nose and the graph at the neck.
_BODY_14_BONES = "0-0 1-0 2-1 3-2 4-3 5-1 6-5 7-6 8-2 9-8 10-9 11-5 12-11 13-12"

_LIMBS = """left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow right_wrist
  right_hand left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot"""
_LIMB_EDGES = "5-4 6-5 7-6 9-8 10-9 11-10 13-12 14-13 15-14 17-16 18-17 19-18"

_ALL = (
    # Kinect v2 (NTU RGB+D): finger tips connect to the thumbs, as in the graphs of ST-GCN, 2s-AGCN,
    # CTR-GCN and MS-G3D.
    _layout(
        "ntu-25",
        _NTU_JOINTS,
        f"{_NTU_BODY} 21-22 22-7 23-24 24-11",
        20,
        bones=_NTU_BONES,
        spine=(0, 1),
        shoulders=(8, 4),
    ),
    # The same with tips and thumbs both connected to the hand, as in the graphs of pyskl and
    # mmaction2. Their bones are those of ntu-25.
    _layout(
        "ntu-25-star",
        _NTU_JOINTS,
        f"{_NTU_BODY} 21-7 22-7 23-11 24-11",
        20,
        bones=_NTU_BONES,
        spine=(0, 1),
        shoulders=(8, 4),
    ),
    # OpenPose's COCO model (Kinetics-skeleton).
    _layout(
        "openpose-18",
        f"{_BODY_14} right_eye left_eye right_ear left_ear",
        f"{_BODY_14_EDGES} 15-0 14-0 17-15 16-14",
        1,
        bones=f"{_BODY_14_BONES} 14-0 15-0 16-14 17-15",
        shoulders=(2, 5),
    ),
    # Joints 0 to 13 of openpose-18, without eyes and ears: the joints that most pose networks and
    # data sets share.
    _layout("body-14", _BODY_14, _BODY_14_EDGES, 1, bones=_BODY_14_BONES, shoulders=(2, 5)),
    # OpenPose's BODY_25 model.
    _layout(
        "body-25",
        """nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist
        mid_hip right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye
        right_ear left_ear left_big_toe left_small_toe left_heel right_big_toe right_small_toe
        right_heel""",
        """0-1 2-1 3-2 4-3 5-1 6-5 7-6 8-1 9-8 10-9 11-10 12-8 13-12 14-13 15-0 16-0 17-15 18-16
        19-14 20-19 21-14 22-11 23-22 24-11""",
        1,
        spine=(8, 1),
        shoulders=(2, 5),
    ),
    # MediaPipe Pose (BlazePose). Its connections at hands and feet contain cycles; the edges at
    # wrist and ankle are used.
    _layout(
        "mediapipe-33",
        """nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer
        left_ear right_ear left_mouth right_mouth left_shoulder right_shoulder left_elbow
        right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index
        left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle
        left_heel right_heel left_foot_index right_foot_index""",
        """1-0 2-1 3-2 7-3 4-0 5-4 6-5 8-6 9-0 10-0 11-0 12-0 13-11 15-13 14-12 16-14 17-15 19-15
        21-15 18-16 20-16 22-16 23-11 24-12 25-23 27-25 26-24 28-26 29-27 31-27 30-28 32-28""",
        0,
        shoulders=(12, 11),
    ),
    # COCO. Its public bone stream subtracts the nose from the hips, which the graph connects to the
    # shoulders.
    _layout(
        "coco-17",
        """nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow
        right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle
        right_ankle""",
        "15-13 13-11 16-14 14-12 11-5 12-6 9-7 7-5 10-8 8-6 5-0 6-0 1-0 3-1 2-0 4-2",
        0,
        bones="0-0 1-0 2-0 3-1 4-2 5-0 6-0 7-5 8-6 9-7 10-8 11-0 12-0 13-11 14-12 15-13 16-14",
        shoulders=(6, 5),
    ),
    _layout(
        "jhmdb-15",
        """neck belly face right_shoulder left_shoulder right_hip left_hip right_elbow left_elbow
        right_knee left_knee right_wrist left_wrist right_ankle left_ankle""",
        "1-0 2-0 3-0 4-0 5-1 6-1 7-3 8-4 9-5 10-6 11-7 12-8 13-9 14-10",
        0,
        spine=(1, 0),
        shoulders=(3, 4),
    ),
    # Kinect v1 as UTD-MHAD stores it, the head first.
    _layout(
        "kinect-20",
        f"head shoulder_centre spine hip_centre {_LIMBS}",
        f"0-1 2-1 3-2 4-1 8-1 12-3 16-3 {_LIMB_EDGES}",
        1,
        spine=(3, 1),
        shoulders=(8, 4),
    ),
    # Kinect v1 as NW-UCLA and UTKinect store it, the hip centre first.
    _layout(
        "kinect-20-hip",
        f"hip_centre spine shoulder_centre head {_LIMBS}",
        f"3-2 1-2 0-1 4-2 8-2 12-0 16-0 {_LIMB_EDGES}",
        2,
        spine=(0, 2),
        shoulders=(8, 4),
    ),
    # Kinect v1 as MSR-Action3D stores it: right before left, limb by limb.
    _layout(
        "kinect-20-msr",
        """right_shoulder left_shoulder shoulder_centre spine right_hip left_hip hip_centre
        right_elbow left_elbow right_wrist left_wrist right_hand left_hand right_knee left_knee
        right_ankle left_ankle right_foot left_foot head""",
        """19-2 0-2 1-2 7-0 9-7 11-9 8-1 10-8 12-10 3-2 6-3 4-6 5-6 13-4 15-13 17-15 14-5 16-14
        18-16""",
        2,
        spine=(6, 2),
        shoulders=(0, 1),
    ),
    # SBU Kinect Interaction.
    _layout(
        "kinect-15",
        """head neck torso left_shoulder left_elbow left_hand right_shoulder right_elbow
        right_hand left_hip left_knee left_foot right_hip right_knee right_foot""",
        "0-1 2-1 3-1 4-3 5-4 6-1 7-6 8-7 9-2 10-9 11-10 12-2 13-12 14-13",
        1,
        spine=(2, 1),
        shoulders=(6, 3),
    ),
)
LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in _ALL}


def get_layout(name: str | os.PathLike[str]) -> Layout:
    """A layout by its name, or from a JSON file (see `Layout.from_dict`).

    Raises:
        UserError: no such layout, no such file, or a file that is not a layout.
    """
    if str(name) in LAYOUTS:
        return LAYOUTS[str(name)]
    path = Path(name)
    if path.suffix != ".json":
        raise unknown("layout", str(name), [*LAYOUTS, "FILE.json"])
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the layout file {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"the layout file {str(path)!r} is not JSON: {error}") from error
    return Layout.from_dict(content)
