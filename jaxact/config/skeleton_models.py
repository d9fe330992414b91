"""The networks over skeletons: every option once."""

import dataclasses
from typing import Any, Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNConfig:
    """ST-GCN (Yan, Xiong and Lin, AAAI 2018)."""

    name: Literal["stgcn"] = "stgcn"
    # An input layer and nine units, or nine units; the first release's; with SkeletonCLR's wide
    # last unit; three units.
    network: Literal["stem9", "literal9", "release1", "skeletonclr", "stem3"] = "stem9"
    strategy: Literal["uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2"] = (
        "spatial"
    )
    norm: Literal["subset", "eq10", "joint"] = "subset"
    metric: Literal["hop", "gravity"] = "hop"
    edge_importance: bool = True
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class LocalConfig:
    """Local convolution: ST-GCN without shared weights (Yan, Xiong and Lin, AAAI 2018, Table 1)."""

    name: Literal["local"] = "local"
    network: Literal["stem9", "literal9"] = "stem9"  # input layer and nine units, or nine units
    unshare_temporal: bool = (
        False  # kernels along time that are a joint's own too: 53 to 74 million parameters
    )
    width: int = 64
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class TCNConfig:
    """Temporal convolution: ST-GCN's baseline, and Res-TCN (Kim and Reiter, 2017), 9 or 18
    units.
    """

    name: Literal["tcn"] = "tcn"
    network: Literal["stgcn_v1", "res_tcn", "res_tcn18"] = "stgcn_v1"
    width: int = 64
    dropout: float = 0.5
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class LSTMConfig:
    """Deep LSTM (Shahroudy et al., CVPR 2016); reads few frames, see clip.sampling "segments"."""

    name: Literal["deep_lstm"] = "deep_lstm"
    width: int = 256  # units of a layer
    layers: int = 2
    dropout: float = 0.5
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNPPConfig:
    """ST-GCN++ (Duan, Wang, Chen and Lin, ACM MM 2022)."""

    name: Literal["stgcnpp"] = "stgcnpp"
    network: Literal["ten", "six"] = "ten"  # the paper's ten units, or six for small graphs
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class CTRGCNConfig:
    """CTR-GCN (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021)."""

    name: Literal["ctrgcn"] = "ctrgcn"
    network: Literal["ten", "six"] = "ten"  # the paper's ten units, or six for small graphs
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass
    persons_apart: bool = (
        False  # normalise each person's input by statistics of its own, as the authors' code
    )


@dataclasses.dataclass(kw_only=True, slots=True)
class STAGCNConfig:
    """STA-GCN, spatio-temporal attention; reads clips of one length, a multiple of its segments."""

    name: Literal["stagcn"] = "stagcn"
    network: Literal["stem9", "literal9"] = "stem9"
    operator: Literal["cheb", "partition"] = (
        "cheb"  # Chebyshev polynomials of the graph, or ST-GCN's partition
    )
    edge_importance: bool = True  # partition only
    attention: Literal["none", "spatial", "temporal", "both"] = "both"  # matrices of every unit
    gate: Literal["none", "own", "shared"] = (
        "own"  # a network of its own (SN), the first units (TN), or no gate
    )
    segments: int = 5  # parts of a clip
    kept: int = 3  # most confident segments at test time (DCW); 0: all of them, averaged (AFM)
    confidence: Literal["max", "entropy", "margin"] = "max"
    axis: Literal["j", "i"] = (
        "j"  # index that the softmax sums over: as printed, or as ASTGCN's code
    )
    attended: Literal["graph", "scores"] = (
        "graph"  # what sees X E': the graph convolution, or S alone (ASTGCN's code)
    )
    relu_logits: bool = False
    width: int = 64
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class STALSTMConfig:
    """STA-LSTM (Song, Lan, Xing, Zeng and Liu, AAAI 2017)."""

    name: Literal["sta_lstm"] = "sta_lstm"
    width: int = 100  # units of a layer, and of each gate's memory
    layers: int = 3
    dropout: float = 0.5
    joint_penalty: float = (
        1e-3  # of joints that the joint gate turns away from: the paper's lambda_1
    )
    frame_penalty: float = 1e-4  # of the frame gate's size: lambda_2
    weight_penalty: float = 5e-4  # of the absolute sum of all connections: lambda_3
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class ASGCNConfig:
    """AS-GCN (Li, Chen, Chen, Zhang, Wang and Tian, CVPR 2019)."""

    name: Literal["asgcn"] = "asgcn"
    structure: Literal["powers", "hops"] = (
        "powers"  # structural links: powers of the graph, or as the released code
    )
    order: int = 4  # bones that a structural link spans at most
    edge_importance: bool = True
    actional: float = 0.5  # weight of the actional convolution beside the structural one; 0.05 in the released code
    link_types: int = 2  # types of actional links beside the empty one
    link_frames: int = 50  # frames that they are inferred from, evenly out of the clip
    link_width: int = 128  # features of the inference module
    temperature: float = 0.5  # of the softmax through which drawn links have a gradient
    empty: float = 0.95  # prior probability of an empty link
    variance: float = 5e-4  # of the foretold places, in squared units of the input
    link_weight: float = (
        1e-3  # of the inference module's loss; 2 * variance makes its first term the squared error
    )
    detached: bool = False  # the inference module learns from its own loss alone
    horizon: int = 10  # last frames of a clip, which are predicted and not seen; 0 = no prediction
    pose_weight: float = 0.01  # of the predicted poses' squared error
    width: int = 64
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class RecogniserConfig:
    """Online recogniser of one person (Li, CSA 14(1), 2024); reads clips of one length."""

    name: Literal["recogniser"] = "recogniser"
    network: Literal["full", "table2", "no_attention"] = "full"
    features: Literal["parts", "coco17"] = (
        "parts"  # 14 joints and 6 directions, or COCO's 17 joints
    )
    width: int = 128
    activation: Literal["relu", "tanh"] = "relu"  # of the LSTMs
    shared: float = 0.5  # p, share of the numbers that take the shared attention
    norm: Literal["renorm", "batch"] = "renorm"
    schedule: Literal["smooth", "linear"] = "smooth"
    dropout: float = 0.3
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class CausalSTGCNConfig:
    """ST-GCN that looks back only."""

    name: Literal["causal_stgcn"] = "causal_stgcn"
    network: Literal["stem9", "literal9"] = "stem9"
    strategy: Literal["uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2"] = (
        "spatial"
    )
    norm: Literal["subset", "eq10", "joint"] = "subset"
    edge_importance: bool = True
    width: int = 64
    window: int = 0  # outputs averaged, one for every four frames; 0 = all so far
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class DisplacementConfig:
    """STA-GCN's spatial attention network alone, which learns to predict the joints'
    displacements.
    """

    name: Literal["displacement"] = "displacement"
    width: int = 64  # that of the classifier which it is for, as is `init`
    init: Literal["v2", "he_fan_out"] = "v2"


# The systems of the STA-GCN paper's Tables 1 to 4 that are this network; `stgcn`, its baseline, is
# another one.
STAGCN_SYSTEMS: dict[str, dict[str, Any]] = {
    "sa": {
        "attention": "spatial",
        "operator": "partition",
        "gate": "own",
        "segments": 1,
        "kept": 0,
    },  # SA + ST-GCN
    "ta": {
        "attention": "temporal",
        "operator": "partition",
        "gate": "none",
    },  # TA + ST-GCN; AFM and DCW are test time
    "sn": {"attention": "both", "operator": "cheb", "gate": "own"},  # STA-GCN on joint coordinates
    "tn": {"attention": "both", "operator": "cheb", "gate": "shared"},  # STA-GCN on displacements
    "sta_partition": {
        "attention": "both",
        "operator": "partition",
        "gate": "own",
    },  # SN on ST-GCN's own graph operator
}
