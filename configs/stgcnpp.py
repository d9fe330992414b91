"""ST-GCN++ (Duan, Wang, Chen and Lin, ACM MM 2022).

    configs/stgcnpp.py:DATASET[,SPLIT][,quick]

ntu60 (default), ntu120: NTU RGB+D joints, close to pyskl's recipe
    Splits: xsub (default), xview; of ntu120 xsub (default), xset.
    Paper: 89.3 % X-Sub, 95.6 % X-View top-1 on NTU RGB+D 60 from joints (the authors' model zoo).
    Ours: not run yet: needs the data set. Clips are resampled to 100 frames where pyskl draws one
    frame of each hundredth, and centred and turned upright by their first frame.
    Command:
        jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
        jaxact train --config configs/stgcnpp.py:ntu60,xview --data-dir data
            --workdir runs/stgcnpp_ntu60_xview

utd_mhad: UTD-MHAD, odd subjects train, even subjects test
    Paper: none.
    Ours: 91.40 % top-1 from joints after the last of 60 epochs, one seed; joint, bone and their
    motions (91.40, 92.33, 90.47, 86.74) fused 94.42 %.
    Command:
        jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
        jaxact train --config configs/stgcnpp.py:utd_mhad --data-dir data
            --workdir runs/stgcnpp_utd_mhad

sbu: SBU Kinect Interaction, two persons, five folds: fold1 (default) to fold5
    Paper: none.
    Ours: mean of the folds 95.10 % top-1 (90.91, 98.08, 98.21, 94.44, 93.85), last checkpoint, one
    seed. Four streams, each beside `partner` (94.22, 95.37, 91.26, 94.32), fused 95.69 %; all five
    networks, 3 : 2 : 2 : 1 : 1, 96.44 %.
    Command:
        jaxact prepare sbu --raw SBU --data-dir data
        python scripts/cross_validate.py --config configs/stgcnpp.py:sbu --data-dir data
            --out results/sbu_stgcnpp --arguments fold1,fold2,fold3,fold4,fold5

jhmdb14: 2-D poses of 14 JHMDB classes, three splits: split1 (default) to split3
    Paper: none.
    Ours: mean of the splits 80.45 % top-1 from joints (80.68, 81.25, 79.43), last checkpoint, one
    seed; joint, bone and their motions (80.45, 78.37, 76.84, 70.97) fused 84.25 %.
    Command:
        jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz
            --data-dir data
        python scripts/cross_validate.py --config configs/stgcnpp.py:jhmdb14 --data-dir data
            --out results/jhmdb_stgcnpp --arguments split1,split2,split3
"""

from jaxact.config import STGCNPPConfig, TrainConfig, choose, recipes

ROWS = recipes.NTU_AND_SMALL_ROWS


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set and split; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS)
    return recipes.ntu_or_small_dataset(selection, STGCNPPConfig)
