"""A joint layout: joints, edges, bones, centre and left/right pairs; read from JSON."""

import dataclasses
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jaxact.errors import UserError, unknown

Pair = tuple[int, int]
REQUIRED = ("name", "joints", "edges", "centre")


@dataclasses.dataclass(frozen=True)
class Layout:
    """The joints of a skeleton and their connections.

    Attributes:
        name: name in data sets and checkpoints.
        joints: joint names in array order.
        edges: the graph, a tree: (child, parent) with the parent one step nearer the centre.
        bones: (joint, parent) for every joint in order, the root paired with itself: what the bone
          stream subtracts. Published bone streams do not always follow the graph (COCO-17 connects
          the hips to the nose).
        centre: joint from which the partition strategies measure distances.
        pairs: (left, right) joints that are swapped in a mirror image.
        spine: (lower, upper) joints of the trunk, which view alignment makes vertical, or None.
        shoulders: (right, left) joints, which view alignment makes horizontal, or None.
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
        self._check_joint_numbers(where)
        parents = _parents(where, count, self.edges, self.centre)
        for child, parent in self.edges:
            if parents[child] != parent:
                raise UserError(
                    f"{where}: edge {(child, parent)} must be (child, parent), "
                    "the parent nearer the centre"
                )
        self._check_bones(where)
        paired = list(itertools.chain.from_iterable(self.pairs))
        if len(set(paired)) != len(paired):
            raise UserError(f"{where}: a joint stands in two left/right pairs: {list(self.pairs)}")

    def _check_joint_numbers(self, where: str) -> None:
        count = len(self.joints)
        links = [*self.edges, *self.bones, *self.pairs, (self.centre,)]
        for pair in (self.spine, self.shoulders):
            if pair is not None:
                links.append(pair)
        for joint in itertools.chain.from_iterable(links):
            if not 0 <= joint < count:
                raise UserError(
                    f"{where}: no joint {joint}; its {count} joints are numbered 0 to {count - 1}"
                )

    def _check_bones(self, where: str) -> None:
        count = len(self.joints)
        roots = [joint for joint, parent in self.bones if joint == parent]
        if [joint for joint, _ in self.bones] != list(range(count)) or len(roots) != 1:
            raise UserError(
                f"{where}: bones must be one (joint, parent) per joint in order, "
                "one of them paired with itself"
            )
        edges = [(joint, parent) for joint, parent in self.bones if joint != parent]
        _parents(f"{where}, bones", count, edges, roots[0])

    def mirrored(self) -> tuple[int, ...]:
        """The joint that replaces each joint in a mirror image.

        The mirror image of ``x`` is ``x[..., layout.mirrored(), :]``.
        """
        order = list(range(len(self.joints)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, content: Any) -> "Layout":
        """Reads a layout from JSON values, with joints by number or by name.

        Args:
            content: a mapping with `name`, `joints`, `edges` (neighbours, in either direction) and
              `centre`. Without `bones`, the bone of each joint ends at its neighbour nearer the
              centre. Without `pairs`, names that differ only in left/right are pairs.

        Raises:
            UserError: a field is missing, unknown or malformed, or the edges are not a tree.
        """
        if not isinstance(content, Mapping):
            raise UserError(
                "a layout is a JSON object with name, joints, edges and centre, "
                f"not {content!r:.60}"
            )
        fields = [field.name for field in dataclasses.fields(cls)]
        for field in content:
            if field not in fields:
                raise unknown("layout field", field, fields)
        name = str(content.get("name", "without a name"))
        missing = [field for field in REQUIRED if field not in content]
        if missing:
            raise UserError(
                f"layout {name!r}: lacks {', '.join(missing)}; "
                "a layout needs name, joints, edges and centre"
            )
        joints = content["joints"]
        if not _is_list(joints) or not all(isinstance(joint, str) for joint in joints):
            raise UserError(f"layout {name!r}: joints must be a list of names, got {joints!r:.60}")
        return _Reader(name, joints, content).layout()


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Reads the fields of a layout.

    Attributes:
        name: name of the layout.
        joints: its joint names.
        content: the JSON object.
    """

    name: str
    joints: Sequence[str]
    content: Mapping[str, Any]

    def layout(self) -> Layout:
        centre = self.joint("centre", self.content["centre"])
        links = self.pairs("edges")
        parents = _parents(f"layout {self.name!r}", len(self.joints), links, centre)
        edges = []
        for a, b in links:
            edges.append((a, b) if parents[a] == b else (b, a))
        bones = tuple(enumerate(parents))
        if "bones" in self.content:
            bones = self.pairs("bones")
        left_right = _left_right_pairs(self.joints)
        if "pairs" in self.content:
            left_right = self.pairs("pairs")
        return Layout(
            name=self.name,
            joints=tuple(self.joints),
            edges=tuple(edges),
            bones=bones,
            centre=centre,
            pairs=left_right,
            spine=self.optional_pair("spine"),
            shoulders=self.optional_pair("shoulders"),
        )

    def pairs(self, field: str) -> tuple[Pair, ...]:
        values = self.content[field]
        self.check_list(field, values)
        return tuple(self.pair(field, value) for value in values)

    def optional_pair(self, field: str) -> Pair | None:
        value = self.content.get(field)
        return None if value is None else self.pair(field, value)

    def pair(self, field: str, value: Any) -> Pair:
        self.check_list(field, value)
        if len(value) != 2:
            raise UserError(f"layout {self.name!r}: {field} wants two joints, got {value!r:.60}")
        return self.joint(field, value[0]), self.joint(field, value[1])

    def joint(self, field: str, value: Any) -> int:
        """The number of a joint from its number or its name."""
        count = len(self.joints)
        if isinstance(value, str):
            if value not in self.joints:
                raise unknown(f"joint in {field} of layout {self.name!r}", value, self.joints)
            return list(self.joints).index(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
            raise UserError(
                f"layout {self.name!r}: {field} names joint {value!r}; give a name or a number, "
                f"0 to {count - 1}"
            )
        return value

    def check_list(self, field: str, value: Any) -> None:
        if not _is_list(value):
            raise UserError(f"layout {self.name!r}: {field} must be a list, got {value!r:.60}")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _left_right_pairs(joints: Sequence[str]) -> tuple[Pair, ...]:
    """(left, right) of the names that differ only in the side."""
    pairs = []
    for left, joint in enumerate(joints):
        mirrored = joint.replace("left", "right")
        if mirrored != joint and mirrored in joints:
            pairs.append((left, joints.index(mirrored)))
    return tuple(pairs)


def _parents(where: str, count: int, edges: Iterable[Pair], root: int) -> list[int]:
    """Each joint's neighbour on the way to the root; the root is its own parent.

    Raises:
        UserError: an edge joins a joint to itself, is given twice or closes a cycle, or a joint
          cannot be reached.
    """
    neighbours: list[set[int]] = [set() for _ in range(count)]
    component = list(range(count))  # connected component of each joint
    for a, b in edges:
        if a == b:
            raise UserError(f"{where}: edge {(a, b)} joins a joint to itself")
        if b in neighbours[a]:
            raise UserError(f"{where}: edge {(a, b)} is given twice")
        if component[a] == component[b]:
            raise UserError(f"{where}: edge {(a, b)} closes a cycle; the joints must form a tree")
        merged = component[b]
        for joint in range(count):
            if component[joint] == merged:
                component[joint] = component[a]
        neighbours[a].add(b)
        neighbours[b].add(a)
    for joint in range(count):
        if component[joint] != component[root]:
            raise UserError(f"{where}: no chain of edges leads from joint {joint} to joint {root}")
    parents, queue = {root: root}, [root]
    for joint in queue:  # breadth first; the queue grows in the loop
        for child in sorted(neighbours[joint] - parents.keys()):
            parents[child] = joint
            queue.append(child)
    return [parents[joint] for joint in range(count)]
