"""Sample files: the readers find in them the people they were written from."""

import numpy as np

from jaxact.datasets import samples, synthetic
from jaxact.datasets.kinetics import KineticsSkeleton
from jaxact.datasets.ntu import Ntu60
from jaxact.skeletons import get_layout


def test_ntu_samples_read_back_to_the_generated_joints_and_fill_every_half(tmp_path):
    found = Ntu60.find(samples.ntu(tmp_path))
    assert len(found.sources) == 36
    cells = {source.cell for source in found.sources}
    for split in ("xsub_train", "xsub_test", "xview_train", "xview_test"):
        assert cells & set(found.unions[split]), split
    source = next(s for s in found.sources if s.id == "S001C002P006R001A002")
    (record,) = Ntu60.parse(source)
    wanted = synthetic.clip(6, "wave", 2)[::3]
    assert record["label"] == 1
    np.testing.assert_allclose(record["joints"][:, 0], wanted[:, 0], atol=1e-6)


def test_kinetics_samples_are_upright_people_whose_left_and_right_are_told_apart(tmp_path):
    found = KineticsSkeleton.find(samples.kinetics(tmp_path))
    assert [sum(s.cell == half for s in found.sources) for half in ("train", "val")] == [9, 6]
    layout = get_layout("openpose-18")
    at = {name: index for index, name in enumerate(layout.joints)}
    for source in found.sources:
        (record,) = KineticsSkeleton.parse(source)
        pose = record["joints"][:, 0]
        seen = pose[:, [at["nose"], at["right_ankle"]], 2].all(axis=1)
        assert (pose[seen, at["nose"], 1] < pose[seen, at["right_ankle"], 1]).all(), "y points down"
        wanted = synthetic.clip(int(source.id[-1]), samples.KINETICS_CLASSES[source.id[:-2]], 0)[::3]
        metres = wanted[:, 0, 8, 0] - wanted[:, 0, 4, 0]  # the sensor's x points to its left
        pixels = pose[:, at["right_shoulder"], 0] - pose[:, at["left_shoulder"], 0]
        clear = (abs(metres) > 0.1) & wanted[:, 0, [4, 8]].any(axis=2).all(axis=1)
        assert clear.any() and (np.sign(metres) == -np.sign(pixels))[clear].all()
    assert set(found.subsets["kinetics_motion"]) & {source.label for source in found.sources}
