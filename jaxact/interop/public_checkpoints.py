"""Public checkpoints that `jaxact import` reads, with the accuracy that their authors print.

The figures are those of the model zoos of pyskl and of st-gcn. A checkpoint is listed where its
network, its joints and its preprocessing exist here. So pyskl's "vanilla" ST-GCN, which pads clips
to 300 frames, is not listed, nor are AAGCN, MS-G3D, DG-STGCN and PoseConv3D.
"""

import dataclasses
from collections.abc import Sequence

from jaxact.errors import unknown

PYSKL_URL = "http://download.openmmlab.com/mmaction/pyskl/ckpt"
STGCN_URL = "https://open-mmlab.s3.ap-northeast-2.amazonaws.com/mmskeleton/models/st-gcn"
# File names of pyskl, and the stream that each network reads.
STREAMS = {"j": "joint", "b": "bone", "jm": "joint_motion", "bm": "bone_motion"}
NOTE = (
    "top-1 in %, as printed by the authors, of the networks on joints, bones and the motion of "
    "each.\nFiles and commands of a row: jaxact models --public NAME. Nothing is downloaded.\n"
    "Terms: the code of pyskl is under Apache-2.0 and that of st-gcn under BSD-2-Clause. Neither "
    "states terms for its\nweights. They were trained on NTU RGB+D, which is for academic research "
    "only, or on Kinetics."
)
_NTU_TERMS = "NTU RGB+D is for academic research only"
_PYSKL_TERMS = f"code Apache-2.0; no terms stated for the weights; {_NTU_TERMS}"
_STGCN_TERMS = "code BSD-2-Clause; no terms stated for the weights"

# For each network its folder in pyskl's zoo, and for each data set, split and annotation the top-1
# accuracy of joint, bone, joint motion and bone motion.
_PYSKL = {
    ("ST-GCN", "stgcn", "stgcn_pyskl_"): {
        "ntu60_xsub_3dkp": (87.8, 88.6, 85.8, 86.2),
        "ntu60_xsub_hrnet": (89.0, 91.2, 86.7, 87.8),
        "ntu60_xview_3dkp": (95.5, 95.0, 93.7, 92.8),
        "ntu60_xview_hrnet": (98.0, 96.5, 95.6, 95.4),
        "ntu120_xsub_3dkp": (82.1, 83.7, 80.3, 80.6),
        "ntu120_xsub_hrnet": (80.1, 83.4, 78.6, 79.8),
        "ntu120_xset_3dkp": (84.5, 85.8, 82.7, 83.0),
        "ntu120_xset_hrnet": (84.2, 87.7, 82.5, 83.5),
    },
    ("ST-GCN++", "stgcnpp", "stgcnpp_"): {
        "ntu60_xsub_3dkp": (89.3, 90.1, 87.5, 87.3),
        "ntu60_xsub_hrnet": (89.3, 92.3, 84.0, 88.8),
        "ntu60_xview_3dkp": (95.6, 95.5, 94.3, 93.8),
        "ntu60_xview_hrnet": (97.4, 97.2, 93.4, 95.4),
        "ntu120_xsub_3dkp": (83.2, 85.6, 80.4, 81.5),
        "ntu120_xsub_hrnet": (84.4, 84.8, 76.4, 81.1),
        "ntu120_xset_3dkp": (85.6, 87.5, 84.3, 83.0),
        "ntu120_xset_hrnet": (88.1, 88.5, 82.6, 84.1),
    },
    ("ST-GCN++, strong augmentation", "strong_aug", ""): {
        "ntu60_xsub_3dkp": (90.3, 90.8, 88.3, 87.8),
        "ntu60_xview_3dkp": (96.6, 95.9, 95.1, 93.7),
        "ntu120_xsub_3dkp": (84.3, 87.0, 82.2, 81.9),
        "ntu120_xset_3dkp": (86.7, 88.3, 85.1, 84.4),
    },
    ("CTR-GCN", "ctrgcn", "ctrgcn_pyskl_"): {
        "ntu60_xsub_3dkp": (89.6, 90.0, 88.0, 87.5),
        "ntu60_xsub_hrnet": (90.6, 92.7, 89.4, 90.3),
        "ntu60_xview_3dkp": (95.6, 95.4, 94.4, 93.6),
        "ntu60_xview_hrnet": (96.9, 97.6, 94.8, 95.6),
        "ntu120_xsub_3dkp": (84.0, 85.9, 81.1, 82.2),
        "ntu120_xsub_hrnet": (82.2, 84.6, 82.3, 82.1),
        "ntu120_xset_3dkp": (85.9, 87.4, 84.1, 83.9),
        "ntu120_xset_hrnet": (84.5, 88.6, 85.6, 85.6),
    },
}
# For each file of st-gcn its data set, split, joints and top-1 accuracy.
_STGCN = {
    "st_gcn.ntu-xsub.pt": ("NTU RGB+D 60", "xsub", "3-D, Kinect", 81.6),
    "st_gcn.ntu-xview.pt": ("NTU RGB+D 60", "xview", "3-D, Kinect", 88.8),
    "st_gcn.kinetics.pt": ("Kinetics-skeleton", "", "2-D, OpenPose", 31.6),
}
_DATA_SETS = {"ntu60": "NTU RGB+D 60", "ntu120": "NTU RGB+D 120"}
_JOINTS = {"3dkp": "3-D, Kinect", "hrnet": "2-D, HRNet"}


@dataclasses.dataclass(frozen=True, slots=True)
class PublicFile:
    """One file of a checkpoint.

    Attributes:
        url: address of the file.
        stream: what the network reads.
        top1: accuracy in % that the authors print.
        command: how it is imported.
    """

    url: str
    stream: str
    top1: float
    command: str


@dataclasses.dataclass(frozen=True, slots=True)
class PublicCheckpoint:
    """The networks of one architecture that were trained on one split, each on one stream.

    Attributes:
        name: of the folder or file that it was published as.
        network: the architecture.
        data: data set.
        split: "xsub", "xview", "xset", or "" where the data set has one only.
        joints: dimensions and source of the joints.
        terms: of code, weights and data.
        files: one for each stream.
    """

    name: str
    network: str
    data: str
    split: str
    joints: str
    terms: str
    files: tuple[PublicFile, ...]

    @property
    def about(self) -> str:
        """One paragraph: network, data, joints, terms."""
        split = f", {self.split}" if self.split else ""
        return f"{self.network}, {self.data}{split}, {self.joints}. Terms: {self.terms}."


def checkpoints() -> list[PublicCheckpoint]:
    """All checkpoints: those of pyskl, then those of st-gcn."""
    all_checkpoints = []
    for (network, folder, prefix), figures in _PYSKL.items():
        for key, top1 in figures.items():
            all_checkpoints.append(_pyskl(network, folder, f"{prefix}{key}", key, top1))
    for file, (data, split, joints, top1) in _STGCN.items():
        all_checkpoints.append(_stgcn(file, data, split, joints, top1))
    return all_checkpoints


def find(name: str) -> PublicCheckpoint:
    """The checkpoint of this name.

    Raises:
        UserError: there is none.
    """
    available = {checkpoint.name: checkpoint for checkpoint in checkpoints()}
    if name not in available:
        raise unknown("public checkpoint", name, available)
    return available[name]


def table() -> list[tuple[str, ...]]:
    """The rows of `jaxact models --public`, the first one being the head."""
    rows = [("name", "network", "data", "joints", "top-1 (joint / bone / their motions)")]
    for checkpoint in checkpoints():
        data = " ".join(part for part in (checkpoint.data, checkpoint.split) if part)
        top1 = " / ".join(f"{file.top1:.1f}" for file in checkpoint.files)
        rows.append((checkpoint.name, checkpoint.network, data, checkpoint.joints, top1))
    return rows


def _pyskl(
    network: str, folder: str, name: str, key: str, figures: Sequence[float]
) -> PublicCheckpoint:
    data, split, annotation = key.split("_")
    files = []
    for (file, stream), top1 in zip(STREAMS.items(), figures, strict=True):
        command = _command("pyskl", f"{name}/{file}.pth", split, stream, f"{name}_{file}")
        files.append(PublicFile(f"{PYSKL_URL}/{folder}/{name}/{file}.pth", stream, top1, command))
    if not name.startswith(folder):  # the zoo has one name for several networks
        name = f"{folder}_{name}"
    return PublicCheckpoint(
        name=name,
        network=network,
        data=_DATA_SETS[data],
        split=split,
        joints=_JOINTS[annotation],
        terms=_PYSKL_TERMS,
        files=tuple(files),
    )


def _stgcn(file: str, data: str, split: str, joints: str, top1: float) -> PublicCheckpoint:
    name = file.removesuffix(".pt")
    command = _command("torch-stgcn", file, split, "joint", name)
    terms = _STGCN_TERMS
    if data.startswith("NTU"):
        terms = f"{terms}; {_NTU_TERMS}"
    files = (PublicFile(f"{STGCN_URL}/{file}", "joint", top1, command),)
    return PublicCheckpoint(name, "ST-GCN", data, split, joints, terms, files)


def _command(kind: str, file: str, split: str, stream: str, run: str) -> str:
    words = ["jaxact import", kind, file]
    if split not in ("", "xsub"):
        words.append(f"--split {split}")
    if stream != "joint":
        words.append(f"--stream {stream}")
    return " ".join([*words, f"--out runs/{run}"])
