"""Bone lengths of a 25-joint body, and the order of its joints (layout ``ntu-25``)."""

import dataclasses

import numpy as np
from jaxtyping import Float

LEFT, RIGHT = 0, 1
JOINTS = 25
# The joint that takes each joint's place in a mirror.
# fmt: off
MIRRORED = (
    0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 20, 23, 24, 21, 22,
)
# fmt: on

Vector = Float[np.ndarray, "t 3"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Body:
    """Bone lengths in metres.

    Attributes:
        spine: base to middle, middle to shoulder level, shoulder level to neck, neck to head.
        shoulder: half width, drop below the shoulder level of the spine.
        arm: upper arm, forearm, wrist to hand.
        hip: half width, drop below the base of the spine.
        leg: thigh, shank.
        foot: height of the ankle, ankle to toe.
    """

    spine: tuple[float, float, float, float]
    shoulder: tuple[float, float]
    arm: tuple[float, float, float]
    hip: tuple[float, float]
    leg: tuple[float, float]
    foot: tuple[float, float]

    @classmethod
    def of(
        cls, height: float, *, legs: float = 1.0, arms: float = 1.0, width: float = 1.0
    ) -> "Body":
        """A body with the proportions of an average adult.

        Args:
            height: metres.
            legs, arms, width: factors near 1 on the average proportions.
        """
        trunk = height * (1.0 - 0.5 * legs) / 0.5
        return cls(
            spine=(0.165 * trunk, 0.135 * trunk, 0.036 * trunk, 0.085 * trunk),
            shoulder=(0.104 * height * width, 0.026 * height),
            arm=(0.162 * height * arms, 0.142 * height * arms, 0.045 * height * arms),
            hip=(0.047 * height * width, 0.022 * height),
            leg=(0.238 * height * legs, 0.226 * height * legs),
            foot=(0.044 * height, 0.075 * height),
        )

    @property
    def arm_length(self) -> float:
        """Shoulder to wrist of a straight arm."""
        return self.arm[0] + self.arm[1]

    @property
    def leg_length(self) -> float:
        """Hip to ankle of a straight leg."""
        return self.leg[0] + self.leg[1]

    @property
    def standing(self) -> float:
        """Height of the base of the spine over the floor on almost straight legs."""
        return 0.99 * self.leg_length + self.foot[0] + self.hip[1]
