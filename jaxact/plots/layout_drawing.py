"""Drawing of a joint layout: the side of every joint, and a standing pose for each layout."""

import numpy as np
from jaxtyping import Float

from jaxact.skeletons import Layout

# Position of a joint in a figure drawn from the front, in body heights from the floor; the body's
# left is on the viewer's right. The key is the joint's name, so every layout that uses these names
# has a pose.
_MIDDLE = {
    "head": (0.0, 0.96), "face": (0.0, 0.95), "nose": (0.0, 0.94), "neck": (0.0, 0.85),
    "spine_shoulder": (0.0, 0.775), "shoulder_centre": (0.0, 0.81), "spine_mid": (0.0, 0.67),
    "spine": (0.0, 0.64), "torso": (0.0, 0.65), "belly": (0.0, 0.60), "spine_base": (0.0, 0.54),
    "hip_centre": (0.0, 0.53), "mid_hip": (0.0, 0.51),
}  # fmt: skip
_SIDE = {
    "eye": (0.035, 0.975), "ear": (0.075, 0.955), "shoulder": (0.13, 0.79),
    "elbow": (0.235, 0.645), "wrist": (0.32, 0.505), "hand": (0.365, 0.445),
    "hand_tip": (0.405, 0.375), "thumb": (0.315, 0.405), "hip": (0.085, 0.50),
    "knee": (0.115, 0.275), "ankle": (0.135, 0.065), "foot": (0.205, 0.01),
    "eye_inner": (0.018, 0.968), "eye_outer": (0.052, 0.972), "mouth": (0.025, 0.915),
    "pinky": (0.37, 0.40), "index": (0.345, 0.375), "heel": (0.12, 0.015),
    "big_toe": (0.185, 0.02), "small_toe": (0.225, 0.025), "foot_index": (0.215, 0.005),
}  # fmt: skip


def joint_sides(layout: Layout) -> list[str]:
    """Returns "left", "right" or "middle" for each joint."""
    sides = ["middle"] * len(layout.joints)
    for left, right in layout.pairs:
        sides[left], sides[right] = "left", "right"
    return sides


def standing_pose(layout: Layout) -> Float[np.ndarray, "v 2"]:
    """Returns a position in the drawing plane, y up, for each joint.

    A layout with unknown joint names is drawn as a tree around its centre.
    """
    points = []
    for name in layout.joints:
        side, _, part = name.partition("_")
        if name in _MIDDLE:
            points.append(_MIDDLE[name])
        elif side in ("left", "right") and part in _SIDE:
            x, y = _SIDE[part]
            points.append((x if side == "left" else -x, y))
        else:
            return tree(layout)
    return np.array(points)


def tree(layout: Layout) -> Float[np.ndarray, "v 2"]:
    """Lays out the graph around its centre, one ring per hop.

    Each subtree fills a sector whose width is proportional to its number of leaves.
    """
    children: dict[int, list[int]] = {joint: [] for joint in range(len(layout.joints))}
    for child, parent in layout.edges:
        children[parent].append(child)

    def leaves(joint: int) -> int:
        return sum(map(leaves, children[joint])) or 1

    points = np.zeros((len(layout.joints), 2))

    def place(joint: int, start: float, width: float, ring: int) -> None:
        angle = start + 0.5 * width
        points[joint] = (0.2 * ring * np.sin(angle), 0.2 * ring * np.cos(angle))
        share = width / leaves(joint)
        for child in children[joint]:
            place(child, start, share * leaves(child), ring + 1)
            start += share * leaves(child)

    place(layout.centre, -np.pi, 2 * np.pi, 0)
    return points
