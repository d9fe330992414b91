"""Published preprocessing by name: the clip and augment options behind a paper's or code's numbers.

A protocol is a set of option values: `follow` writes them into a run's config, where each can be
overridden afterwards, and `describe` compares a run's options with those of its protocol. The
values of a version never change; other values are another version.

Names ending in "-2d" are for detected poses (x, y, score), the others for 3-D joints (x, y, z). No
protocol sets the stream (joint, bone, motion), which belongs to the model.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from jaxact.errors import UserError, unknown

XYZ = ("x", "y", "z")
XY_SCORE = ("x", "y", "score")
# Options that no protocol sets: the stream belongs to the model, the others to the records.
FREE = ("clip.stream", "clip.fps", "clip.seconds")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way of preparing clips.

    Attributes:
        version: counts up when a value changes.
        source: where the values come from.
        channels: channels of the records that it is for.
        clip: options of the clip section that are not at their default.
        augment: options of the augment section that are not at their default.
        needs: parts that the joint layout must have, "spine" or "shoulders".
    """

    version: int
    source: str
    channels: tuple[str, ...]
    clip: Mapping[str, Any]
    augment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    needs: tuple[str, ...] = ()


PROTOCOLS: dict[str, Protocol] = {
    # The paper specifies padding for Kinetics only; NTU's clips are padded as in the released code.
    "stgcn-aaai18": Protocol(
        version=1,
        source="Yan, Xiong and Lin, AAAI 2018, section 4.1",
        channels=XYZ,
        clip={"frames": 300, "persons": 2, "pad": "zero", "person": "file"},
    ),
    "stgcn-aaai18-2d": Protocol(
        version=1,
        source="Yan, Xiong and Lin, AAAI 2018, section 4.1",
        channels=XY_SCORE,
        clip={"frames": 300, "persons": 2, "pad": "replay", "person": "clip_mean"},
        augment={"window": 150, "window_from": "padded", "move": True},
    ),
    "stgcn-released": Protocol(
        version=1,
        source="the released code of ST-GCN, NTU RGB+D",
        channels=XYZ,
        clip={"frames": 300, "persons": 2, "pad": "zero", "person": "file"},
    ),
    "stgcn-released-2d": Protocol(
        version=1,
        source="the released code of ST-GCN, Kinetics-Skeleton",
        channels=XY_SCORE,
        clip={"frames": 300, "persons": 2, "pad": "zero", "person": "frame_score"},
        augment={"window": 150, "window_from": "padded", "move": True, "move_missing": True},
    ),
    "agcn": Protocol(
        version=1,
        source="the released code of 2s-AGCN (Shi et al., CVPR 2019), also MS-G3D's, NTU RGB+D",
        channels=XYZ,
        clip={
            **{"frames": 300, "persons": 2, "person": "energy", "empty": "loop"},
            **{"center": "frame", "origin": "spine", "align": True},
        },
        needs=("spine", "shoulders"),
    ),
    "agcn-2d": Protocol(
        version=1,
        source=(
            "the released code of 2s-AGCN (Shi et al., CVPR 2019), also MS-G3D's, Kinetics-Skeleton"
        ),
        channels=XY_SCORE,
        clip={"frames": 300, "persons": 2, "pad": "zero", "person": "frame_score", "flip_y": True},
        augment={"window": 150, "window_from": "padded", "move": True, "move_missing": True},
    ),
    "ctr": Protocol(
        version=1,
        source=(
            "the released code of CTR-GCN (Chen et al., ICCV 2021), its data as SGN prepares them, "
            "NTU RGB+D"
        ),
        channels=XYZ,
        clip={
            **{"frames": 64, "persons": 2, "person": "denoised", "empty": "drop"},
            **{"center": "first", "origin": "spine", "sampling": "crop_resize", "share": 0.95},
        },
        augment={"crop": 0.5, "crop_frames": 64, "rotate": 0.3},
        needs=("spine",),
    ),
    "pyskl-u100": Protocol(
        version=1,
        source="pyskl (Duan et al., 2022), 3-D joints",
        channels=XYZ,
        clip={
            **{"frames": 100, "persons": 2, "person": "denoised", "empty": "drop_main"},
            **{"center": "first", "origin": "spine", "align": True},
            **{"sampling": "uniform", "motion": "recorded", "views": 10},
        },
        needs=("spine", "shoulders"),
    ),
    # Records hold shares of the picture, so its size is not needed:
    # 2 (x / w - 1/2) = (x - w/2) / (w/2).
    "pyskl-u100-2d": Protocol(
        version=1,
        source="pyskl (Duan et al., 2022), 2-D poses",
        channels=XY_SCORE,
        clip={
            **{"frames": 100, "persons": 2, "person": "file", "min_score": 0.01, "scale": "frame"},
            **{"sampling": "uniform", "motion": "recorded", "views": 10},
        },
    ),
}


def get(name: str) -> Protocol:
    """The protocol of this name.

    Raises:
        UserError: there is none; lists the protocols.
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def values(name: str, run: Any) -> dict[str, Any]:
    """The protocol's value of every clip and augment option but the free ones, by dotted name."""
    protocol = get(name)
    result = {}
    for section in ("clip", "augment"):
        defaults = dataclasses.asdict(type(getattr(run, section))())
        options = getattr(protocol, section)
        for option, default in defaults.items():
            dotted_name = f"{section}.{option}"
            if dotted_name not in FREE:
                result[dotted_name] = options.get(option, default)
    return result


def follow(run: Any, name: str) -> None:
    """Sets the options of a run to those of a protocol; options set afterwards override it.

    Args:
        run: a TrainConfig, or anything else with `protocol`, `clip` and `augment`.
        name: one of `PROTOCOLS`; "" removes the protocol and leaves the options as they are.

    Raises:
        UserError: there is no such protocol.
    """
    if name:
        for dotted_name, value in values(name, run).items():
            section, option = dotted_name.split(".")
            setattr(getattr(run, section), option, value)
    run.protocol = name


def describe(run: Any) -> str:
    """The protocol of a run and what differs: "ctr v1 with clip.frames 64 -> 48", or "none".

    Raises:
        UserError: the protocol that the run names is unknown.
    """
    if not run.protocol:
        return "none"
    changes = []
    for dotted_name, expected in values(run.protocol, run).items():
        section, option = dotted_name.split(".")
        value = getattr(getattr(run, section), option)
        if value != expected:
            changes.append(f"{dotted_name} {expected} -> {value}")
    text = f"{run.protocol} v{get(run.protocol).version}"
    return f"{text} with {', '.join(changes)}" if changes else text


def check(name: str, *, layout: Any, channels: Sequence[str]) -> None:
    """Checks that a protocol is for records with this layout and these channels.

    Args:
        name: a protocol, or "" for none.
        layout: a `skeletons.Layout`.
        channels: channels of the records.

    Raises:
        UserError: it is not; lists the protocols that are.
    """
    if not name:
        return
    requirement = _unmet_requirement(get(name), layout, channels)
    if requirement:
        suitable = [
            other
            for other, protocol in PROTOCOLS.items()
            if not _unmet_requirement(protocol, layout, channels)
        ]
        raise UserError(
            f"the protocol {name!r} is for {requirement}, but these records hold "
            f"{', '.join(channels)} in the layout {layout.name!r}; available for them: "
            f"{', '.join(suitable) or 'none'}"
        )


def _unmet_requirement(protocol: Protocol, layout: Any, channels: Sequence[str]) -> str:
    """The records that a protocol is for, where these are others; "" where these are suitable."""
    if tuple(channels) != protocol.channels:
        return f"records of {', '.join(protocol.channels)}"
    missing_parts = [part for part in protocol.needs if getattr(layout, part) is None]
    return f"layouts with {' and '.join(missing_parts)}" if missing_parts else ""
