"""Joint layouts and the graphs drawn on them: bones, centre, left/right pairs, adjacency with every partition strategy.

A layout is a tree of joints. Numbers are 0-based; a public file's order of joints is kept, so an array is never
permuted on the way in. The centre is the joint where head, arms and trunk meet (the nose where a layout has no such
joint): ST-GCN measures "nearer" and "farther" from it.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int

from jaxact.errors import UserError, unknown

STRATEGIES = ("uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2")
NORMS = ("subset", "eq10", "joint")
METRICS = ("hop", "gravity")

Pair = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Layout:
    """The joints of a skeleton and how they hang together.

    Attributes:
      name: what a dataset and a checkpoint call it.
      joints: joint names in array order.
      edges: the graph, (child, parent) with the parent one step nearer the centre; a tree.
      bones: (joint, parent) for every joint in order, the root paired with itself: what the bone stream subtracts.
        Published bone streams do not always follow the graph (COCO-17 hangs the hips on the nose).
      centre: joint the partition strategies measure from.
      pairs: (left, right) joints that a mirror exchanges.
      spine: (lower, upper) joints of the trunk, made vertical by view alignment, or None.
      shoulders: (right, left) joints, made horizontal by view alignment, or None.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[Pair, ...]
    bones: tuple[Pair, ...]
    centre: int
    pairs: tuple[Pair, ...] = ()
    spine: Pair | None = None
    shoulders: Pair | None = None

    def __post_init__(self) -> None:
        where, count = f"layout {self.name!r}", len(self.joints)
        if len(set(self.joints)) != count or not count:
            raise UserError(f"{where}: joint names must be given and differ, got {list(self.joints)}")
        links = (*self.edges, *self.bones, *self.pairs, *filter(None, (self.spine, self.shoulders)), (self.centre,))
        for joint in (joint for link in links for joint in link):
            if not 0 <= joint < count:
                raise UserError(f"{where}: no joint {joint}; its {count} joints are numbered 0 to {count - 1}")
        parents = _parents(where, count, self.edges, self.centre)
        for child, parent in self.edges:
            if parents[child] != parent:
                raise UserError(
                    f"{where}: edge {(child, parent)} must be (child, parent), the parent nearer the centre"
                )
        roots = [joint for joint, parent in self.bones if joint == parent]
        if [joint for joint, _ in self.bones] != list(range(count)) or len(roots) != 1:
            raise UserError(
                f"{where}: bones must be one (joint, parent) per joint in order, one of them paired with itself"
            )
        _parents(f"{where}, bones", count, [bone for bone in self.bones if bone[0] != bone[1]], roots[0])
        sides = [joint for pair in self.pairs for joint in pair]
        if len(set(sides)) != len(sides):
            raise UserError(f"{where}: a joint stands in two left/right pairs: {list(self.pairs)}")

    def mirrored(self) -> tuple[int, ...]:
        """The joint that takes each joint's place in a mirror: ``x[..., layout.mirrored(), :]``."""
        order = list(range(len(self.joints)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, content: Any) -> "Layout":
        """A layout from JSON values, joints by number or by name.

        Args:
          content: a mapping; `name`, `joints`, `edges` (neighbours, in either direction) and `centre` are needed.
            Without `bones` each joint's bone ends at its neighbour nearer the centre; without `pairs`, names that
            differ in left/right pair up.

        Raises:
          UserError: a field is missing, unknown or malformed, or the edges are not a tree.
        """
        if not isinstance(content, Mapping):
            raise UserError(f"a layout is a JSON object with name, joints, edges and centre, not {content!r:.60}")
        fields = [field.name for field in dataclasses.fields(cls)]
        for given in content:
            if given not in fields:
                raise unknown("layout field", given, fields)
        name = str(content.get("name", "without a name"))
        if lacking := [field for field in ("name", "joints", "edges", "centre") if field not in content]:
            raise UserError(
                f"layout {name!r}: lacks {', '.join(lacking)}; a layout needs name, joints, edges and centre"
            )
        joints = content["joints"]
        if not isinstance(joints, Sequence) or isinstance(joints, str) or not all(isinstance(j, str) for j in joints):
            raise UserError(f"layout {name!r}: joints must be a list of names, got {joints!r:.60}")

        def pairs(field: str) -> tuple[Pair, ...]:
            return tuple(_pair(name, joints, field, pair) for pair in _sequence(name, field, content[field]))

        centre = _joint(name, joints, "centre", content["centre"])
        parents = _parents(f"layout {name!r}", len(joints), pairs("edges"), centre)
        edges = tuple((a, b) if parents[a] == b else (b, a) for a, b in pairs("edges"))
        return cls(
            name=name,
            joints=tuple(joints),
            edges=edges,
            bones=pairs("bones") if "bones" in content else tuple(enumerate(parents)),
            centre=centre,
            pairs=pairs("pairs") if "pairs" in content else _sides(joints),
            spine=None if content.get("spine") is None else _pair(name, joints, "spine", content["spine"]),
            shoulders=None
            if content.get("shoulders") is None
            else _pair(name, joints, "shoulders", content["shoulders"]),
        )


def _sequence(name: str, field: str, value: Any) -> Sequence:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise UserError(f"layout {name!r}: {field} must be a list, got {value!r:.60}")
    return value


def _joint(name: str, joints: Sequence[str], field: str, value: Any) -> int:
    """A joint's number from its number or its name."""
    if isinstance(value, str):
        if value not in joints:
            raise unknown(f"joint in {field} of layout {name!r}", value, joints)
        return list(joints).index(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(joints):
        raise UserError(
            f"layout {name!r}: {field} names joint {value!r}; give a name or a number, 0 to {len(joints) - 1}"
        )
    return value


def _pair(name: str, joints: Sequence[str], field: str, value: Any) -> Pair:
    if len(_sequence(name, field, value)) != 2:
        raise UserError(f"layout {name!r}: {field} wants two joints, got {value!r:.60}")
    return _joint(name, joints, field, value[0]), _joint(name, joints, field, value[1])


def _sides(joints: Sequence[str]) -> tuple[Pair, ...]:
    """(left, right) of the names that differ in nothing but the side."""
    other = {joint: joint.replace("left", "right") for joint in joints if "left" in joint}
    return tuple((joints.index(left), joints.index(right)) for left, right in other.items() if right in joints)


def _parents(where: str, count: int, edges: Iterable[Pair], root: int) -> list[int]:
    """Each joint's neighbour on the way to the root, the root's own number for itself.

    Raises:
      UserError: an edge joins a joint to itself, is given twice or closes a cycle, or a joint cannot be reached.
    """
    neighbours: list[set[int]] = [set() for _ in range(count)]
    group = list(range(count))
    for a, b in edges:
        if a == b:
            raise UserError(f"{where}: edge {(a, b)} joins a joint to itself")
        if b in neighbours[a]:
            raise UserError(f"{where}: edge {(a, b)} is given twice")
        if group[a] == group[b]:
            raise UserError(f"{where}: edge {(a, b)} closes a cycle; the joints must form a tree")
        merged = group[b]
        group = [group[a] if member == merged else member for member in group]
        neighbours[a].add(b)
        neighbours[b].add(a)
    if apart := [joint for joint in range(count) if group[joint] != group[root]]:
        raise UserError(f"{where}: no chain of edges leads from joint {apart[0]} to joint {root}")
    parents, queue = {root: root}, [root]
    for joint in queue:
        for child in sorted(neighbours[joint] - parents.keys()):
            parents[child] = joint
            queue.append(child)
    return [parents[joint] for joint in range(count)]


def get_layout(name: str | os.PathLike[str]) -> Layout:
    """A layout by its name, or from a JSON file of one's own (`Layout.from_dict` says what stands in it).

    Raises:
      UserError: no such layout, no such file, or a file that is no layout.
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


# --- graphs


def hop_distances(layout: Layout) -> Int[np.ndarray, " v"]:
    """Edges between each joint and the centre."""
    parents = dict(layout.edges)
    hops = []
    for joint in range(len(layout.joints)):
        steps = 0
        while joint != layout.centre:
            joint, steps = parents[joint], steps + 1
        hops.append(steps)
    return np.array(hops)


def gravity_radii(
    clips: Iterable[Float[np.ndarray, "_ _ v _"]], *, channels: Sequence[str] = ("x", "y", "z")
) -> Float[np.ndarray, " v"]:
    """Mean distance of each joint to the body's centre of gravity: r_i of ST-GCN, Eq. 8.

    The centre of gravity is the mean of the joints present, per frame and person; a joint is averaged where it is
    present.

    Args:
      clips: records' joints [t, m, v, c]; a joint that is all zero, or whose score is zero, is missing.
      channels: their channel names; the score is no coordinate.

    Raises:
      UserError: a joint is missing from every frame, so that it has no radius.
    """
    axes = [index for index, channel in enumerate(channels) if channel != "score"]
    total: np.ndarray = np.zeros(())
    count: np.ndarray = np.zeros(())
    for clip in clips:
        places = clip[..., axes].astype(np.float64)
        present = np.any(places != 0, axis=-1)
        if "score" in channels:
            present &= clip[..., list(channels).index("score")] > 0
        weight = present[..., None]
        centre = (places * weight).sum(2, keepdims=True) / np.maximum(weight.sum(2, keepdims=True), 1)
        radius = np.linalg.norm(places - centre, axis=-1) * present
        total = total + radius.sum((0, 1))
        count = count + present.sum((0, 1))
    if not np.ndim(count) or not np.all(count):
        missing = np.flatnonzero(count == 0).tolist() if np.ndim(count) else "all"
        raise UserError(f"metric 'gravity' needs every joint at least once in the clips; never present: {missing}")
    return total / count


def adjacency(
    layout: Layout,
    strategy: str = "spatial",
    norm: str = "subset",
    metric: str = "hop",
    radii: Float[np.ndarray, " v"] | None = None,
    alpha: float = 1e-3,
) -> Float32[np.ndarray, "k v v"]:
    """The normalised adjacency parts A_k of ST-GCN (Yan, Xiong and Lin, AAAI 2018), indexed [k, source, target].

    With A the edges in both directions, the parts before normalisation are (section "Partition strategies"):

    - `uniform`: {A + I}; uni-labelling.
    - `distance`: {I, A}, Eq. 7.
    - `distance_star`: I - A after normalisation: `distance` with w_0 = -w_1.
    - `spatial`: {I, source nearer the centre than the target, source farther}, Eq. 8; at equal distance the first.
    - `dad`: D^-1/2 (A + I) D^-1/2, Eq. 9; `norm` has no say in it.
    - `spatial_v2`: what the second public release computes: distances are known up to one hop, so edges whose ends are
      both farther fall in with {source farther or equal}; {I, that, source nearer}. With `norm="joint"` it is that
      release.

    Args:
      layout: the skeleton.
      strategy: one of `STRATEGIES`.
      norm: `subset` divides each column of each A_k by its sum (Eqs. 4 and 5: 1/Z, Z the size of the subset). `joint`
        divides each column of every A_k by the sum over all of them. `eq10` is Lambda^-1/2 A_k Lambda^-1/2 with Lambda
        the row sums plus alpha, to the letter; a directed part has empty rows, whose edges weigh up to 1 / sqrt(alpha).
      metric: for `spatial`, what "nearer" means: `hop` counts edges to the centre, `gravity` compares `radii`.
      radii: mean distance of each joint to the centre of gravity (`gravity_radii`), for `gravity`.
      alpha: added to the degrees of `eq10`.

    Raises:
      UserError: an unknown strategy, norm or metric, or `gravity` without usable radii.
    """
    for kind, given, available in (
        ("strategy", strategy, STRATEGIES),
        ("norm", norm, NORMS),
        ("metric", metric, METRICS),
    ):
        if given not in available:
            raise unknown(kind, given, available)
    distance = hop_distances(layout) if metric == "hop" else _checked_radii(layout, radii)
    edges = np.zeros((len(layout.joints), len(layout.joints)))
    for child, parent in layout.edges:
        edges[child, parent] = edges[parent, child] = 1
    itself = np.eye(len(edges))
    if strategy == "dad":
        degree = (edges + itself).sum(0)
        return ((edges + itself) / np.sqrt(np.outer(degree, degree)))[None].astype(np.float32)
    if strategy == "uniform":
        parts = [edges + itself]
    elif strategy in ("distance", "distance_star"):
        parts = [itself, edges]
    elif strategy == "spatial":
        nearer = distance[:, None] < distance[None, :]
        parts = [itself + edges * ~(nearer | nearer.T), edges * nearer, edges * nearer.T]
    else:
        known = np.minimum(hop_distances(layout), 2)
        nearer = known[:, None] < known[None, :]
        parts = [itself, edges * ~nearer, edges * nearer]
    normalised = _normalised(np.stack(parts), norm, alpha)
    if strategy == "distance_star":
        normalised = normalised[:1] - normalised[1:]
    return normalised.astype(np.float32)


def _checked_radii(layout: Layout, radii: np.ndarray | None) -> np.ndarray:
    count = len(layout.joints)
    if radii is None or np.shape(radii) != (count,) or not np.all(np.isfinite(radii)):
        given = "none" if radii is None else f"an array of shape {np.shape(radii)}"
        raise UserError(f"metric 'gravity' needs one finite radius for each of the {count} joints, got {given}")
    return np.asarray(radii)


def _normalised(parts: np.ndarray, norm: str, alpha: float) -> np.ndarray:
    """The parts [k, source, target] with their weights; an empty column stays empty."""
    if norm == "eq10":
        degree = parts.sum(2) + alpha
        return parts / np.sqrt(degree[:, :, None] * degree[:, None, :])
    sums = parts.sum(1, keepdims=True)
    if norm == "joint":
        sums = sums.sum(0, keepdims=True)
    return parts / np.where(sums > 0, sums, 1)


# --- layouts


def _edges(text: str) -> list[Pair]:
    """Pairs from "child-parent child-parent ...", as the papers print them."""
    return [(int(child), int(parent)) for child, _, parent in (edge.partition("-") for edge in text.split())]


def _layout(name: str, joints: str, edges: str, centre: int, bones: str = "", **fields: Any) -> Layout:
    fields |= {"bones": _edges(bones)} if bones else {}
    return Layout.from_dict(
        {"name": name, "joints": joints.split(), "edges": _edges(edges), "centre": centre, **fields}
    )


_NTU_JOINTS = """spine_base spine_mid neck head
  left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow right_wrist right_hand
  left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot
  spine_shoulder left_hand_tip left_thumb right_hand_tip right_thumb"""
_NTU_BODY = """0-1 1-20 2-20 3-2 4-20 5-4 6-5 7-6 8-20 9-8 10-9 11-10
  12-0 13-12 14-13 15-14 16-0 17-16 18-17 19-18"""
_NTU_BONES = f"{_NTU_BODY} 20-20 21-22 22-7 23-24 24-11"

_BODY_14 = """nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist
  right_hip right_knee right_ankle left_hip left_knee left_ankle"""
_BODY_14_EDGES = "4-3 3-2 7-6 6-5 13-12 12-11 10-9 9-8 11-5 8-2 5-1 2-1 0-1"
# The bone stream of the public releases is rooted at the nose, the graph at the neck.
_BODY_14_BONES = "0-0 1-0 2-1 3-2 4-3 5-1 6-5 7-6 8-2 9-8 10-9 11-5 12-11 13-12"

_LIMBS = """left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow right_wrist right_hand
  left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot"""
_LIMB_EDGES = "5-4 6-5 7-6 9-8 10-9 11-10 13-12 14-13 15-14 17-16 18-17 19-18"

_ALL = (
    # Kinect v2 (NTU RGB+D): finger tips hang on the thumbs, as in the graphs of ST-GCN, 2s-AGCN, CTR-GCN and MS-G3D.
    _layout(
        "ntu-25",
        _NTU_JOINTS,
        f"{_NTU_BODY} 21-22 22-7 23-24 24-11",
        20,
        bones=_NTU_BONES,
        spine=(0, 1),
        shoulders=(8, 4),
    ),
    # The same with tips and thumbs both on the hand, as in the graphs of pyskl and mmaction2; their bones are ntu-25's.
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
    # OpenPose-18 without eyes and ears, its joints 0 to 13: the body that most pose networks and sets have in common.
    _layout("body-14", _BODY_14, _BODY_14_EDGES, 1, bones=_BODY_14_BONES, shoulders=(2, 5)),
    # Its public bone stream measures the hips from the nose, not from the shoulders they hang on in the graph.
    _layout(
        "coco-17",
        """nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow
        left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle""",
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
    # SBU Kinect Interaction.
    _layout(
        "kinect-15",
        """head neck torso left_shoulder left_elbow left_hand right_shoulder right_elbow right_hand
        left_hip left_knee left_foot right_hip right_knee right_foot""",
        "0-1 2-1 3-1 4-3 5-4 6-1 7-6 8-7 9-2 10-9 11-10 12-2 13-12 14-13",
        1,
        spine=(2, 1),
        shoulders=(6, 3),
    ),
)
LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in _ALL}
