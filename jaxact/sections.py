"""The sections of a config: every option once, with its type, unit and default."""

import dataclasses
from typing import Any, Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class DataConfig:
    """Which records are read."""

    name: str = "synthetic_actions"  # a prepared dataset; `custom/NAME` for one of your own
    data_dir: str = ""  # folder that `jaxact prepare` wrote to; "" = $TFDS_DATA_DIR or ~/tensorflow_datasets
    train_split: str = "train"  # a split or protocol split of the dataset, e.g. "xsub_train"
    eval_split: str = "test"  # the split evaluated during and after training
    shuffle_buffer: int = 8192  # records held for shuffling


@dataclasses.dataclass(kw_only=True, slots=True)
class ClipConfig:
    """How a clip becomes model input, in training and in evaluation alike. A published number depends on all of it."""

    frames: int = 300  # T
    persons: int = 2  # M
    # First T frames and padding; the clip resampled to T; a crop of whole frames resampled; a frame of each of T equal
    # segments, as recurrent models read a clip (drawn in training, the middle one else), or as pyskl draws them.
    sampling: Literal["window", "resize", "crop_resize", "segments", "uniform"] = "window"
    share: float = 1.0  # crop_resize: share of the clip, its middle, that evaluation sees
    # Frames without anybody, or without the main person, are dropped; or each person is looped to T frames.
    empty: Literal["keep", "drop", "drop_main", "loop"] = "keep"
    pad: Literal["zero", "replay"] = "zero"  # what fills a clip shorter than T (window only)
    person: Literal["file", "frame_score", "clip_mean", "energy", "denoised"] = "file"  # which M people are kept
    min_score: float = 0.0  # records with scores: a joint scored at or below it is missing
    flip_y: bool = False  # y changes its sign
    # joint, bone, joint_motion, bone_motion, joint_second_diff, partner; several, joined by "+", lie side by side.
    stream: str = "joint"
    motion: Literal["sampled", "recorded"] = "sampled"  # motion streams: between sampled, or between recorded frames
    center: Literal["none", "frame", "first"] = "none"  # subtract a joint of person 0: per frame, or of the first frame
    origin: Literal["centre", "spine"] = "centre"  # which joint: the layout's centre, or the upper joint of its spine
    align: bool = False  # 3-D: rotate so that the spine of the first frame is z and the shoulders x
    # Divide by the clip's mean bone length times the number of bones, or by half the picture (records with scores).
    scale: Literal["none", "skeleton", "frame"] = "none"
    views: int = 1  # evaluation clips per record, their probabilities averaged


@dataclasses.dataclass(kw_only=True, slots=True)
class AugmentConfig:
    """Random changes made in training only."""

    window: int = 0  # frames of a random window placed in T frames (ST-GCN's random_choose); 0 = off
    window_from: Literal["clip", "padded"] = "clip"  # the window lies in the clip, or in the clip padded to T frames
    move: bool = False  # ST-GCN's random moving: rotation, scale and shift of x and y, interpolated over the clip
    move_missing: bool = False  # random moving also moves missing joints and padding, as ST-GCN's released code does
    crop: float = 1.0  # resize and crop_resize: shortest random share of the clip that is kept, in (0, 1]
    crop_frames: int = 0  # crop_resize: fewest frames kept
    rotate: float = 0.0  # largest random rotation in radians: about each axis (3-D) or in the plane (2-D)
    rescale: float = 0.0  # random scale in [1 - a, 1 + a], one draw per spatial axis
    jitter: float = 0.0  # standard deviation of noise on present joints, in units of the input
    mirror: bool = False  # left/right mirror with probability 1/2; only where labels have no side
    swap: bool = False  # exchange the first two persons with probability 1/2
    drop_joints: float = 0.0  # probability that a joint is missing for the whole clip


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNConfig:
    """ST-GCN (Yan, Xiong and Lin, AAAI 2018)."""

    name: Literal["stgcn"] = "stgcn"
    network: Literal["stem9", "literal9"] = "stem9"  # input layer and nine units, or nine units
    strategy: Literal["uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2"] = "spatial"
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
    unshare_temporal: bool = False  # kernels along time that are a joint's own too: 53 to 74 million parameters
    width: int = 64
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class TCNConfig:
    """Temporal convolution: ST-GCN's baseline, and Res-TCN (Kim and Reiter, 2017), 9 or 18 units."""

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


@dataclasses.dataclass(kw_only=True, slots=True)
class STAGCNConfig:
    """STA-GCN, spatio-temporal attention; reads clips of one length, a multiple of its segments."""

    name: Literal["stagcn"] = "stagcn"
    network: Literal["stem9", "literal9"] = "stem9"
    operator: Literal["cheb", "partition"] = "cheb"  # Chebyshev polynomials of the graph, or ST-GCN's partition
    edge_importance: bool = True  # partition only
    attention: Literal["none", "spatial", "temporal", "both"] = "both"  # matrices of every unit
    gate: Literal["none", "own", "shared"] = "own"  # a network of its own (SN), the first units (TN), or no gate
    segments: int = 5  # parts of a clip
    kept: int = 3  # most confident segments at test time (DCW); 0: all of them, averaged (AFM)
    confidence: Literal["max", "entropy", "margin"] = "max"
    axis: Literal["j", "i"] = "j"  # index that the softmax sums over: as printed, or as ASTGCN's code
    attended: Literal["graph", "scores"] = "graph"  # what sees X E': the graph convolution, or S alone (ASTGCN's code)
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
    joint_penalty: float = 1e-3  # of joints that the joint gate turns away from: the paper's lambda_1
    frame_penalty: float = 1e-4  # of the frame gate's size: lambda_2
    weight_penalty: float = 5e-4  # of the absolute sum of all connections: lambda_3
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclasses.dataclass(kw_only=True, slots=True)
class ASGCNConfig:
    """AS-GCN (Li, Chen, Chen, Zhang, Wang and Tian, CVPR 2019)."""

    name: Literal["asgcn"] = "asgcn"
    structure: Literal["powers", "hops"] = "powers"  # structural links: powers of the graph, or as the released code
    order: int = 4  # bones that a structural link spans at most
    edge_importance: bool = True
    actional: float = 0.5  # weight of the actional convolution beside the structural one; 0.05 in the released code
    link_types: int = 2  # types of actional links beside the empty one
    link_frames: int = 50  # frames that they are inferred from, evenly out of the clip
    link_width: int = 128  # features of the inference module
    temperature: float = 0.5  # of the softmax through which drawn links have a gradient
    empty: float = 0.95  # prior probability of an empty link
    variance: float = 5e-4  # of the foretold places, in squared units of the input
    link_weight: float = 1e-3  # of the inference module's loss; 2 * variance makes its first term the squared error
    detached: bool = False  # the inference module learns from its own loss alone
    horizon: int = 10  # last frames of a clip, which are predicted and not seen; 0 = no prediction
    pose_weight: float = 0.01  # of the predicted poses' squared error
    width: int = 64
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class DisplacementConfig:
    """STA-GCN's spatial attention network alone, which learns to predict the joints' displacements."""

    name: Literal["displacement"] = "displacement"
    width: int = 64  # that of the classifier which it is for, as is `init`
    init: Literal["v2", "he_fan_out"] = "v2"


# The systems of the STA-GCN paper's Tables 1 to 4 that are this network; `stgcn`, its baseline, is another one.
STAGCN_SYSTEMS: dict[str, dict[str, Any]] = {
    "sa": {"attention": "spatial", "operator": "partition", "gate": "own", "segments": 1, "kept": 0},  # SA + ST-GCN
    "ta": {"attention": "temporal", "operator": "partition", "gate": "none"},  # TA + ST-GCN; AFM and DCW are test time
    "sn": {"attention": "both", "operator": "cheb", "gate": "own"},  # STA-GCN on joint coordinates
    "tn": {"attention": "both", "operator": "cheb", "gate": "shared"},  # STA-GCN on displacements
    "sta_partition": {"attention": "both", "operator": "partition", "gate": "own"},  # SN on ST-GCN's own graph operator
}


# A model's section is chosen by its class in the config file; `name` in it says which network it is.
ModelConfig = (
    STGCNConfig
    | LocalConfig
    | TCNConfig
    | LSTMConfig
    | STGCNPPConfig
    | CTRGCNConfig
    | STAGCNConfig
    | STALSTMConfig
    | ASGCNConfig
    | DisplacementConfig
)
MODELS = {  # the section that `model.name` stands for
    "stgcn": STGCNConfig,
    "local": LocalConfig,
    "tcn": TCNConfig,
    "deep_lstm": LSTMConfig,
    "stgcnpp": STGCNPPConfig,
    "ctrgcn": CTRGCNConfig,
    "stagcn": STAGCNConfig,
    "sta_lstm": STALSTMConfig,
    "asgcn": ASGCNConfig,
    "displacement": DisplacementConfig,
}


@dataclasses.dataclass(kw_only=True, slots=True)
class OptimConfig:
    """Optimiser and schedule. Epochs may be fractions."""

    name: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9  # SGD
    nesterov: bool = True  # SGD
    weight_decay: float = 1e-4
    decay: Literal["all", "kernels"] = "all"  # which parameters decay: all, or arrays of two and more axes
    schedule: Literal["constant", "step", "cosine"] = "step"
    milestones: tuple[float, ...] = (10.0, 50.0)  # epochs at which the step schedule multiplies by `factor`
    factor: float = 0.1
    warmup: float = 0.0  # epochs of linear warm-up from zero
    clip_norm: float = 0.0  # largest global gradient norm; 0 = off
    ema: float = 0.0  # decay of the parameters' moving average that evaluation then uses; 0 = off
    accumulate: int = 1  # micro-batches per step


@dataclasses.dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One run."""

    model: ModelConfig = dataclasses.field(default_factory=STGCNConfig)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    clip: ClipConfig = dataclasses.field(default_factory=ClipConfig)
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)
    optim: OptimConfig = dataclasses.field(default_factory=OptimConfig)
    protocol: str = ""  # published preprocessing that clip and augment follow; set it by `follow(config, name)`
    seed: int = 0
    init_from: str = ""  # --workdir of a run: modules that both networks have begin with its weights
    batch_size: int = 64  # examples per step, over all devices and processes
    epochs: int = 80
    label_smoothing: float = 0.0
    auxiliary: float = 0.5  # weight of the auxiliary classifier's loss, in networks that have one
    segments_kept: int = 0  # networks of segments train on as many most reliable ones of each clip; 0 = all
    segments_warmup: float = 5.0  # epochs in which all of them train
    parallel: Literal["jit", "pmap"] = "jit"
    batch_norm: Literal["global", "per_device"] = "global"
    devices: int = 0  # devices used; 0 = all
    log_every: int = 50  # steps
    eval_every: float = 5.0  # epochs; 0 = only at the end
    checkpoint_every: int = 500  # steps
    select: Literal["last", "best"] = (
        "last"  # which checkpoint evaluate and export take: the last, or best top-1 on eval_split
    )
