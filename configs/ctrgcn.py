"""CTR-GCN (Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021).

    configs/ctrgcn.py:DATASET[,SPLIT][,quick]

ntu60 (default), ntu120: NTU RGB+D joints, close to pyskl's recipe
    Splits: xsub (default), xview; of ntu120 xsub (default), xset.
    Paper: 89.6 % X-Sub, 95.6 % X-View top-1 on NTU RGB+D 60 from joints (pyskl's model zoo).
    Ours: not run yet: needs the data set. Clips are resampled to 100 frames where pyskl draws one
    frame of each hundredth, and centred and turned upright by their first frame.
    Command:
        jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
        jaxact train --config configs/ctrgcn.py:ntu60,xview --data-dir data
            --workdir runs/ctrgcn_ntu60_xview

utd_mhad: UTD-MHAD, odd subjects train, even subjects test; the recipe of `stgcn.py:utd_mhad`
    Paper: none.
    Ours: joints 84.88 % after 35 of the 60 epochs; four streams of width 16 fused 84.88 % (71.86
    joint, 70.47 bone, 78.84 joint_motion, 68.60 bone_motion; at this width two channels tell joints
    apart). One seed, last checkpoint.
    Command:
        jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
        jaxact train --config configs/ctrgcn.py:utd_mhad --data-dir data
            --workdir runs/ctrgcn_utd_mhad
        python scripts/cross_validate.py --config configs/ctrgcn.py:utd_mhad --data-dir data
            --out results/utd_ctr4 --streams joint,bone,joint_motion,bone_motion
            --config.model.width=16

sbu: SBU Kinect Interaction, two persons, five folds: fold1 (default) to fold5
    Paper: none.
    Ours: mean of the folds 89.79 % top-1 (81.82, 94.23, 91.07, 92.59, 89.23), last checkpoint, one
    seed, with --config.clip.stream=joint+partner
    Command:
        jaxact prepare sbu --raw SBU --data-dir data
        python scripts/cross_validate.py --config configs/ctrgcn.py:sbu --data-dir data
            --out results/sbu_ctrgcn --arguments fold1,fold2,fold3,fold4,fold5

jhmdb14: 2-D poses of 14 JHMDB classes, three splits: split1 (default) to split3
    Paper: none.
    Ours: mean of the splits 74.57 % top-1 from joints (73.30, 76.70, 73.71), last checkpoint, one
    seed, with --config.epochs=50. Split 1, joint (so), bone 78.41, joint_motion 71.59 and
    bone_motion 79.55 % (60 epochs) fused 2 : 2 : 1 : 1: 85.23 %.
    Command:
        jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz
            --data-dir data
        python scripts/cross_validate.py --config configs/ctrgcn.py:jhmdb14 --data-dir data
            --out results/jhmdb_ctrgcn --arguments split1,split2,split3
"""

from jaxact.config import CTRGCNConfig, TrainConfig, choose, recipes

ROWS = recipes.NTU_AND_SMALL_ROWS


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set and split; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS)
    return recipes.ntu_or_small_dataset(selection, CTRGCNConfig)
