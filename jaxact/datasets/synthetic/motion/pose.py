"""The pose of an actor in each frame, as targets for hands and feet and angles of the trunk."""

import dataclasses

import numpy as np
from jaxtyping import Float

from jaxact.datasets.synthetic.motion.body import Vector


@dataclasses.dataclass
class Pose:
    """The pose of an actor in each frame. Motions start from `standing_pose` and edit the arrays.

    Sides are indexed `LEFT`, `RIGHT`. "Outward" axes are (away from the body, up, forward) in the
    actor's heading.

    Attributes:
        pelvis: base of the spine on the stage, metres; lowered where a leg would not reach its
            foot.
        turn: rotation of the pelvis, radians: pitch forward, yaw to the left, roll to the right.
        chest: rotation of the chest relative to the pelvis: flexion forward, twist to the left,
          bend to the right.
        head: rotation of the head relative to the chest: nod, turn to the left, tilt to the right.
        hands: wrist relative to the shoulder, outward axes, in arm lengths.
        elbows: direction in which the elbow points, outward axes.
        grasp: weight of `grasp_at`; at 1 the wrist is there instead.
        grasp_at: position of the wrist on the stage, metres.
        feet: toe on the stage, metres; y is the height over its position on the floor.
        foot_yaw: radians to the left.
        foot_pitch: radians; positive raises the heel, negative the toe.
        swing: weight of `swing_at`; at 1 the ankle is there instead.
        swing_at: ankle relative to the hip, outward axes, in leg lengths.
    """

    pelvis: Vector
    turn: Vector
    chest: Vector
    head: Vector
    hands: Float[np.ndarray, "t 2 3"]
    elbows: Float[np.ndarray, "t 2 3"]
    grasp: Float[np.ndarray, "t 2"]
    grasp_at: Float[np.ndarray, "t 2 3"]
    feet: Float[np.ndarray, "t 2 3"]
    foot_yaw: Float[np.ndarray, "t 2"]
    foot_pitch: Float[np.ndarray, "t 2"]
    swing: Float[np.ndarray, "t 2"]
    swing_at: Float[np.ndarray, "t 2 3"]

    def smoothed(self, frames: float = 1.0) -> "Pose":
        """Every array convolved with a Gaussian, so that no joint changes its speed abruptly.

        Args:
            frames: standard deviation of the Gaussian.
        """
        radius = int(np.ceil(3 * frames))
        kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / frames) ** 2)
        kernel /= kernel.sum()
        arrays = [getattr(self, field.name) for field in dataclasses.fields(self)]
        flat = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
        padded = np.pad(flat, ((radius, radius), (0, 0)), mode="edge")
        smooth = sum(weight * padded[i : i + len(flat)] for i, weight in enumerate(kernel))
        ends = np.cumsum([array[0].size for array in arrays])
        columns = np.split(smooth, ends[:-1], axis=1)
        return Pose(
            *(part.reshape(array.shape) for part, array in zip(columns, arrays, strict=True))
        )
