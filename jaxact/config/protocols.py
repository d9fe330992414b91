"""Published preprocessing by name: which values of the clip and augment options a paper's or a
code's numbers rest on.

A protocol is values and nothing else: `follow` writes them into a run's options, each of which can
be set anew afterwards, and `describe` compares what a run really has with what its protocol says.
The values of a version never change; other values are another version.

Names ending in "-2d" are for detected poses (x, y, score), the others for joints in space (x, y,
z). Which stream is fed (joint, bone, motion) is the model's affair, and no protocol's.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from jaxact.errors import UserError, unknown

XYZ = ("x", "y", "z")
XY_SCORE = ("x", "y", "score")
FREE = ("clip.stream",)  # options that no protocol has a say in


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way of preparing clips.

    Attributes:
      version: counts up when a value changes.
      source: where the values come from.
      channels: of the records it is for.
      clip: options of the clip section that are not at their default.
      augment: options of the augment section that are not at their default.
      needs: what the joint layout must have, "spine" or "shoulders".
    """

    version: int
    source: str
    channels: tuple[str, ...]
    clip: Mapping[str, Any]
    augment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    needs: tuple[str, ...] = ()


PROTOCOLS: dict[str, Protocol] = {
    # The paper pads Kinetics clips only; it says nothing of NTU's, which are padded as in the
    # released code.
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
        source="the released code of 2s-AGCN (Shi et al., CVPR 2019), also MS-G3D's, Kinetics-Skeleton",
        channels=XY_SCORE,
        clip={"frames": 300, "persons": 2, "pad": "zero", "person": "frame_score", "flip_y": True},
        augment={"window": 150, "window_from": "padded", "move": True, "move_missing": True},
    ),
    "ctr": Protocol(
        version=1,
        source="the released code of CTR-GCN (Chen et al., ICCV 2021), its data as SGN prepares them, NTU RGB+D",
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
    # Records hold shares of the picture, so that its size is not asked for: 2 (x / w - 1/2) = (x -
    # w/2) / (w/2).
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
      UserError: there is none; lists those there are.
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def values(name: str, run: Any) -> dict[str, Any]:
    """What a protocol says of every clip and augment option of a run but the free ones, by dotted
    name.
    """
    found = {}
    for section in ("clip", "augment"):
        defaults, given = (
            dataclasses.asdict(type(getattr(run, section))()),
            getattr(get(name), section),
        )
        found |= {
            f"{section}.{option}": given.get(option, default)
            for option, default in defaults.items()
        }
    return {option: value for option, value in found.items() if option not in FREE}


def follow(run: Any, name: str) -> None:
    """Gives a run the options of a protocol; those set afterwards, one by one, win.

    Args:
      run: a TrainConfig, or anything else with `protocol`, `clip` and `augment`.
      name: one of `PROTOCOLS`; "" ends the run's adherence and leaves its options as they are.

    Raises:
      UserError: there is no such protocol.
    """
    if name:
        for dotted, value in values(name, run).items():
            section, option = dotted.split(".")
            setattr(getattr(run, section), option, value)
    run.protocol = name


def describe(run: Any) -> str:
    """What a run followed, by comparison: "ctr v1", "ctr v1 with clip.frames 64 -> 48", or "none".

    Raises:
      UserError: the protocol that the run names is unknown.
    """
    if not run.protocol:
        return "none"
    changes = []
    for dotted, wanted in values(run.protocol, run).items():
        section, option = dotted.split(".")
        given = getattr(getattr(run, section), option)
        if given != wanted:
            changes.append(f"{dotted} {wanted} -> {given}")
    text = f"{run.protocol} v{get(run.protocol).version}"
    return f"{text} with {', '.join(changes)}" if changes else text


def check(name: str, *, layout: Any, channels: Sequence[str]) -> None:
    """Raises UserError where a protocol is not for records with this layout and these channels;
    names those that are.

    Args:
      name: of a protocol, or "" for none.
      layout: a `skeletons.Layout`.
    """
    if name and (wanted := _unfit(get(name), layout, channels)):
        fit = [
            other for other, protocol in PROTOCOLS.items() if not _unfit(protocol, layout, channels)
        ]
        raise UserError(
            f"the protocol {name!r} is for {wanted}, but these records hold {', '.join(channels)} in the layout "
            f"{layout.name!r}; for them there are: {', '.join(fit) or 'none'}"
        )


def _unfit(protocol: Protocol, layout: Any, channels: Sequence[str]) -> str:
    """What records a protocol is for, where these are not; "" where they are."""
    if tuple(channels) != protocol.channels:
        return f"records of {', '.join(protocol.channels)}"
    lacking = [part for part in protocol.needs if getattr(layout, part) is None]
    return f"layouts with {' and '.join(lacking)}" if lacking else ""
