"""The options of the networks over skeletons, one section per network.

The fields that a section passes on are described in full at the network, for example
`jaxact.models.stagcn.STAGCN`.
"""

import dataclasses
from typing import Any, Literal

Dtype = Literal["float32", "bfloat16"]
Init = Literal["v2", "he_fan_out"]
Strategy = Literal["uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2"]
PartitionNorm = Literal["subset", "eq10", "joint"]


@dataclasses.dataclass(kw_only=True, slots=True)
class GraphNetworkConfig:
    """The options of all networks of ST-GCN's units."""

    width: int = 64  # channels of the first units; 64 in the papers
    dropout: float = 0.5
    init: Init = "v2"  # initial weights: as in the released code, or in its first version
    dtype: Dtype = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNConfig(GraphNetworkConfig):
    """ST-GCN (Yan, Xiong and Lin, AAAI 2018)."""

    name: Literal["stgcn"] = "stgcn"
    network: Literal["stem9", "literal9", "release1", "skeletonclr", "stem3"] = "stem9"
    strategy: Strategy = "spatial"
    norm: PartitionNorm = "subset"
    metric: Literal["hop", "gravity"] = "hop"
    edge_importance: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class CausalSTGCNConfig(GraphNetworkConfig):
    """ST-GCN whose temporal convolution reads past frames only."""

    name: Literal["causal_stgcn"] = "causal_stgcn"
    network: Literal["stem9", "literal9"] = "stem9"
    strategy: Strategy = "spatial"
    norm: PartitionNorm = "subset"
    edge_importance: bool = True
    window: int = 0  # outputs averaged, one for every four frames; 0: all so far


@dataclasses.dataclass(kw_only=True, slots=True)
class LocalConfig(GraphNetworkConfig):
    """Local convolution: ST-GCN without shared weights (Yan, Xiong and Lin, AAAI 2018, Table 1)."""

    name: Literal["local"] = "local"
    network: Literal["stem9", "literal9"] = "stem9"
    unshare_temporal: bool = False  # a temporal kernel per joint: 53 to 74 million parameters


@dataclasses.dataclass(kw_only=True, slots=True)
class STAGCNConfig(GraphNetworkConfig):
    """STA-GCN, spatio-temporal attention, for clips of one length: a multiple of its segments."""

    name: Literal["stagcn"] = "stagcn"
    network: Literal["stem9", "literal9"] = "stem9"
    operator: Literal["cheb", "partition"] = "cheb"  # Chebyshev polynomials, or ST-GCN's partition
    edge_importance: bool = True  # only with the partition
    attention: Literal["none", "spatial", "temporal", "both"] = "both"
    gate: Literal["none", "own", "shared"] = "own"  # the paper's SN has "own", its TN "shared"
    segments: int = 5  # parts of a clip
    kept: int = 3  # most confident segments at test time (DCW); 0: the mean of all (AFM)
    confidence: Literal["max", "entropy", "margin"] = "max"
    axis: Literal["j", "i"] = "j"  # of the attention's softmax: as printed, or as in ASTGCN's code
    attended: Literal["graph", "scores"] = "graph"  # as printed, or as in ASTGCN's code
    relu_logits: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class ASGCNConfig(GraphNetworkConfig):
    """AS-GCN (Li, Chen, Chen, Zhang, Wang and Tian, CVPR 2019)."""

    name: Literal["asgcn"] = "asgcn"
    structure: Literal["powers", "hops"] = "powers"  # as in the paper, or as in the released code
    order: int = 4  # longest structural link, in bones
    edge_importance: bool = True
    actional: float = 0.5  # weight of the actional convolution; 0.05 in the released code
    link_types: int = 2  # types of actional links besides the empty type
    link_frames: int = 50  # frames that they are inferred from
    link_width: int = 128  # features of the inference module
    temperature: float = 0.5  # of the softmax whose gradient replaces that of sampled links
    empty: float = 0.95  # prior probability of an empty link
    variance: float = 5e-4  # of the predicted positions, in squared units of the input
    link_weight: float = 1e-3  # of the inference module's loss
    detached: bool = False  # train the inference module by its own loss alone
    horizon: int = 10  # last frames of a clip, which are predicted and not read; 0: no prediction
    pose_weight: float = 0.01  # of the predicted poses' squared error


@dataclasses.dataclass(kw_only=True, slots=True)
class DisplacementConfig:
    """STA-GCN's spatial attention network alone, which learns to predict displacements."""

    name: Literal["displacement"] = "displacement"
    width: int = 64  # as of the classifier that it is trained for, like `init`
    init: Init = "v2"


@dataclasses.dataclass(kw_only=True, slots=True)
class MultiBranchConfig:
    """The options of ST-GCN++ and CTR-GCN."""

    network: Literal["ten", "six"] = "ten"  # the papers' ten units, or six for small graphs
    width: int = 64  # channels of the first units; 64 in the papers
    dropout: float = 0.0
    dtype: Dtype = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNPPConfig(MultiBranchConfig):
    """ST-GCN++ (Duan, Wang, Chen and Lin, ACM MM 2022)."""

    name: Literal["stgcnpp"] = "stgcnpp"


@dataclasses.dataclass(kw_only=True, slots=True)
class CTRGCNConfig(MultiBranchConfig):
    """CTR-GCN (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021)."""

    name: Literal["ctrgcn"] = "ctrgcn"
    persons_apart: bool = False  # each person's input has its own statistics, as in authors' code


@dataclasses.dataclass(kw_only=True, slots=True)
class TCNConfig:
    """Temporal convolution: ST-GCN's baseline, and Res-TCN (Kim and Reiter, 2017), 9 or 18
    units.
    """

    name: Literal["tcn"] = "tcn"
    network: Literal["stgcn_v1", "res_tcn", "res_tcn18"] = "stgcn_v1"
    width: int = 64
    dropout: float = 0.5
    dtype: Dtype = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class LSTMConfig:
    """Deep LSTM (Shahroudy et al., CVPR 2016); reads few frames, see clip.sampling "segments"."""

    name: Literal["deep_lstm"] = "deep_lstm"
    width: int = 256  # units of a layer
    layers: int = 2
    dropout: float = 0.5
    dtype: Dtype = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class STALSTMConfig:
    """STA-LSTM (Song, Lan, Xing, Zeng and Liu, AAAI 2017)."""

    name: Literal["sta_lstm"] = "sta_lstm"
    width: int = 100  # units of a layer, and of each gate's memory
    layers: int = 3
    dropout: float = 0.5
    joint_penalty: float = 1e-3  # for joints that the joint gate ignores: lambda_1 in the paper
    frame_penalty: float = 1e-4  # on the size of the frame gate: lambda_2
    weight_penalty: float = 5e-4  # on the absolute sum of all weight matrices: lambda_3
    dtype: Dtype = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class RecogniserConfig:
    """Online recogniser of one person (Li, CSA 14(1), 2024); reads clips of one length."""

    name: Literal["recogniser"] = "recogniser"
    network: Literal["full", "table2", "no_attention"] = "full"
    features: Literal["parts", "coco17"] = "parts"  # 14 joints and 6 directions, or 17 joints
    width: int = 128
    activation: Literal["relu", "tanh"] = "relu"  # of the LSTMs
    shared: float = 0.5  # p, the share of the features that have shared attention
    norm: Literal["renorm", "batch"] = "renorm"
    schedule: Literal["smooth", "linear"] = "smooth"
    dropout: float = 0.3
    dtype: Dtype = "float32"


# The systems in Tables 1 to 4 of the STA-GCN paper that are this network. Its baseline, ST-GCN, is
# another one.
STAGCN_SYSTEMS: dict[str, dict[str, Any]] = {
    # SA + ST-GCN
    "sa": {
        "attention": "spatial",
        "operator": "partition",
        "gate": "own",
        "segments": 1,
        "kept": 0,
    },
    # TA + ST-GCN; AFM and DCW are options at test time
    "ta": {"attention": "temporal", "operator": "partition", "gate": "none"},
    # STA-GCN on joint coordinates
    "sn": {"attention": "both", "operator": "cheb", "gate": "own"},
    # STA-GCN on displacements
    "tn": {"attention": "both", "operator": "cheb", "gate": "shared"},
    # SN with ST-GCN's graph operator
    "sta_partition": {"attention": "both", "operator": "partition", "gate": "own"},
}
