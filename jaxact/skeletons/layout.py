"""What a joint layout is: names, a tree of edges, bones, centre, left/right pairs; and how one is
read from JSON.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jaxact.errors import UserError, unknown

Pair = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Layout:
    """The joints of a skeleton and how they hang together.

    Attributes:
      name: what a dataset and a checkpoint call it.
      joints: joint names in array order.
      edges: the graph, (child, parent) with the parent one step nearer the centre; a tree.
      bones: (joint, parent) for every joint in order, the root paired with itself: what the bone
        stream subtracts. Published bone streams do not always follow the graph (COCO-17 hangs the
        hips on the nose).
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
            raise UserError(
                f"{where}: joint names must be given and differ, got {list(self.joints)}"
            )
        links = (
            *self.edges,
            *self.bones,
            *self.pairs,
            *filter(None, (self.spine, self.shoulders)),
            (self.centre,),
        )
        for joint in (joint for link in links for joint in link):
            if not 0 <= joint < count:
                raise UserError(
                    f"{where}: no joint {joint}; its {count} joints are numbered 0 to {count - 1}"
                )
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
        _parents(
            f"{where}, bones", count, [bone for bone in self.bones if bone[0] != bone[1]], roots[0]
        )
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
          content: a mapping; `name`, `joints`, `edges` (neighbours, in either direction) and
            `centre` are needed. Without `bones` each joint's bone ends at its neighbour nearer the
            centre; without `pairs`, names that differ in left/right pair up.

        Raises:
          UserError: a field is missing, unknown or malformed, or the edges are not a tree.
        """
        if not isinstance(content, Mapping):
            raise UserError(
                f"a layout is a JSON object with name, joints, edges and centre, not {content!r:.60}"
            )
        fields = [field.name for field in dataclasses.fields(cls)]
        for given in content:
            if given not in fields:
                raise unknown("layout field", given, fields)
        name = str(content.get("name", "without a name"))
        if lacking := [
            field for field in ("name", "joints", "edges", "centre") if field not in content
        ]:
            raise UserError(
                f"layout {name!r}: lacks {', '.join(lacking)}; a layout needs name, joints, edges and centre"
            )
        joints = content["joints"]
        if (
            not isinstance(joints, Sequence)
            or isinstance(joints, str)
            or not all(isinstance(j, str) for j in joints)
        ):
            raise UserError(f"layout {name!r}: joints must be a list of names, got {joints!r:.60}")

        def pairs(field: str) -> tuple[Pair, ...]:
            return tuple(
                _pair(name, joints, field, pair) for pair in _sequence(name, field, content[field])
            )

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
            spine=None
            if content.get("spine") is None
            else _pair(name, joints, "spine", content["spine"]),
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
    return tuple(
        (joints.index(left), joints.index(right))
        for left, right in other.items()
        if right in joints
    )


def _parents(where: str, count: int, edges: Iterable[Pair], root: int) -> list[int]:
    """Each joint's neighbour on the way to the root, the root's own number for itself.

    Raises:
      UserError: an edge joins a joint to itself, is given twice or closes a cycle, or a joint
          cannot be reached.
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
