"""The body that the pose network predicts: 14 joints, and the 13 limbs between them.

The joints are the layout `body-14`, the first fourteen of OpenPose. The limbs are the first
thirteen pairs of its COCO model. They form a tree with the neck as its root, and each limb comes
after the one that leads to its first joint.
"""

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.skeletons.conversion import SHOULDERS, STEPS, conversion_path
from jaxact.skeletons.layout import Layout, Pair
from jaxact.skeletons.layouts import LAYOUTS

BODY = LAYOUTS["body-14"]
LIMBS: tuple[Pair, ...] = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7)),
    *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0)),
)


def body_matrix(layout: Layout) -> Float[np.ndarray, "14 v"]:
    """The matrix that converts the joints of `layout` to the body.

    Each row holds weights that sum to 1. A joint of the body is present where every joint with a
    weight in its row is. Named layouts convert as in `skeletons.convert`. In any other layout,
    joints are found by their names; `head` stands in for a missing nose, and the middle of the
    shoulders for a missing neck.

    Raises:
        UserError: the layout does not convert to the body.
    """
    if layout.name in LAYOUTS:
        return _named_layout_matrix(layout)
    matrix = np.zeros((len(BODY.joints), len(layout.joints)))
    substitutes = {"nose": ("head",), "neck": SHOULDERS}
    for index, joint in enumerate(BODY.joints):
        source_joints = (joint,)
        if joint not in layout.joints:
            source_joints = substitutes.get(joint, (joint,))
        for name in source_joints:
            if name not in layout.joints:
                raise UserError(
                    f"layout {layout.name!r} has no joint {name!r}, of which the pose network's "
                    "body is made"
                )
            matrix[index, layout.joints.index(name)] = 1 / len(source_joints)
    return matrix


def _named_layout_matrix(layout: Layout) -> Float[np.ndarray, "14 v"]:
    """The product of the matrices of each direct conversion."""
    names, matrix = layout.joints, np.eye(len(layout.joints))
    source = layout.name
    for target in conversion_path(layout.name, BODY.name):
        target_names = LAYOUTS[target].joints
        step = np.zeros((len(target_names), len(names)))
        for index, joint in enumerate(target_names):
            source_joints = STEPS[source, target].get(joint, (joint,))
            for name in source_joints:
                step[index, names.index(name)] = 1 / len(source_joints)
        source, names, matrix = target, target_names, step @ matrix
    return matrix
