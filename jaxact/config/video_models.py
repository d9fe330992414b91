"""The `model` sections of the networks over video frames."""

import dataclasses
from typing import Any, Literal

Backbone = Literal["xception", "inception_v3", "inception_resnet_v2"]


@dataclasses.dataclass(kw_only=True, slots=True)
class SCXceptionConfig:
    """SC-Xception, ConvGRU and MCAM-AFF (Cheng, Zhang, Liu, Liu, Liu and Yang)."""

    name: Literal["sc_xception"] = "sc_xception"
    backbone: Backbone = "xception"
    # How spatio-temporal and channel excitation are combined; Xception only.
    excitation: Literal["none", "sum", "mean", "sequential"] = "sum"
    ce_relu: bool = False  # a ReLU inside channel excitation, as in ACTION-Net's code
    recurrent: Literal["convgru", "lstm"] = "convgru"
    filters: int = 40  # channels of the ConvGRU's state
    reset_after: bool = True  # the reset gate acts after the recurrent convolution
    swap_z: bool = False  # the update gate weights the candidate, not the previous state
    head: Literal["mlp", "aff", "mcam_aff"] = "mcam_aff"
    hidden: int = 256  # channels of the head's two layers
    dropout: float = 0.5
    global_branch: Literal["shared", "separate"] = "shared"  # of the head "mcam_aff"
    scale2: bool = False  # double the fused maps, as AFF's released code does
    # The backbone's first block that trains, "all", "none", or "last": those on the coarsest grid.
    train_from: str = "last"
    width: float = 1.0  # factor on the backbone's channels; 1 is the paper's
    depth: float = 1.0  # factor on the number of its repeated blocks
    skip: tuple[str, ...] = ()  # names of its blocks to leave out
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each trained block's activations in the backward pass
    chunk: int = 0  # frames that the frozen blocks process at once; 0 = all


@dataclasses.dataclass(kw_only=True, slots=True)
class TSNConfig:
    """Temporal segment network (Wang et al., ECCV 2016), on colour or on flow.

    Options of the backbone are those of `SCXceptionConfig`.
    """

    name: Literal["tsn"] = "tsn"
    backbone: Backbone = "inception_v3"
    consensus: Literal["mean", "max", "top"] = "mean"
    top: int = 3  # highest-scoring segments that "top" averages
    dropout: float = 0.8
    train_from: str = "all"
    width: float = 1.0
    depth: float = 1.0
    skip: tuple[str, ...] = ()
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False
    chunk: int = 0


# The systems of Tables 1 to 4 of the SC-Xception paper, as options of `SCXceptionConfig`; their
# published top-1 on UCF101 is in `configs/convgru.py`.
SCXCEPTION_SYSTEMS: dict[str, dict[str, Any]] = {
    "full": {},  # SC-Xception + ConvGRU + MCAM-AFF
    "f20": {"filters": 20},
    "f30": {"filters": 30},
    "f50": {"filters": 50},
    "sc_convgru_aff": {"head": "aff"},
    "sc_convgru": {"head": "mlp"},
    "xc_convgru": {"excitation": "none", "head": "mlp"},
    "xc_lstm": {"excitation": "none", "recurrent": "lstm", "head": "mlp"},  # LRCN
    "inception_v3": {"backbone": "inception_v3", "excitation": "none", "head": "mlp"},
    "inception_resnet_v2": {"backbone": "inception_resnet_v2", "excitation": "none", "head": "mlp"},
}
