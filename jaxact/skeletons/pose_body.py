"""The body that the pose network finds: fourteen joints, and the thirteen limbs between them.

The joints are the layout `body-14`, OpenPose's first fourteen. The limbs are the first thirteen
pairs of its COCO model: a tree with the neck as its root, each limb after the one that leads to its
first joint.
"""

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.skeletons.conversion import STEPS, conversion_path
from jaxact.skeletons.layout import Layout, Pair
from jaxact.skeletons.layouts import LAYOUTS

BODY = LAYOUTS["body-14"]
LIMBS: tuple[Pair, ...] = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7)),
    *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0)),
)


def body_matrix(layout: Layout) -> Float[np.ndarray, "14 v"]:
    """How each joint of the body is made of the joints of `layout`: row by row, weights that add up
    to 1.

    A joint is there where all are that have a weight in its row. Named layouts convert as
    `skeletons.convert` does. Of any other one, joints are taken by their names; `head` stands in
    for the nose, and the middle of the shoulders for a neck that it lacks.

    Raises:
        UserError: no way leads from the layout to the body.
    """
    if layout.name in LAYOUTS:
        names, matrix = layout.joints, np.eye(len(layout.joints))
        source = layout.name
        for target in conversion_path(layout.name, BODY.name):
            made = STEPS[source, target]
            step = np.zeros((len(LAYOUTS[target].joints), len(names)))
            for index, joint in enumerate(LAYOUTS[target].joints):
                for part in made.get(joint, (joint,)):
                    step[index, names.index(part)] = 1 / len(made.get(joint, (joint,)))
            source, names, matrix = target, LAYOUTS[target].joints, step @ matrix
        return matrix
    matrix = np.zeros((len(BODY.joints), len(layout.joints)))
    stand_ins = {"nose": ("head",), "neck": ("left_shoulder", "right_shoulder")}
    for index, joint in enumerate(BODY.joints):
        parts = (joint,) if joint in layout.joints else stand_ins.get(joint, (joint,))
        if lacking := [part for part in parts if part not in layout.joints]:
            raise UserError(
                f"layout {layout.name!r} has no joint {lacking[0]!r}, of which the pose network's body is made"
            )
        for part in parts:
            matrix[index, layout.joints.index(part)] = 1 / len(parts)
    return matrix
