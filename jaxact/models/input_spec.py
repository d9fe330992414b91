"""What a network's builder needs to know about its data."""

import dataclasses

from jaxact import skeletons


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class InputSpec:
    """The data that a network is built for; every `build_*` takes one.

    A builder reads the fields that its network depends on. The number of frames and of persons are
    not among them: networks read those from their input.

    Attributes:
        layout: joints and bones of the skeletons.
        num_classes: logits out.
        channels: what the numbers of a joint are, e.g. ("x", "y", "score").
        radii: mean distance of each joint from the centre of gravity over the training set, in
            input units; for the gravity metric of ST-GCN's partition.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    layout: skeletons.Layout
    num_classes: int
    channels: tuple[str, ...]
    radii: tuple[float, ...] | None = None
    axis_name: str | None = None
