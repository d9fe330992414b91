"""Sample files: the parsers read back the people that were written."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxact.datasets.hmdb51 import Hmdb51
from jaxact.datasets.kinetics import KineticsSkeleton
from jaxact.datasets.ntu import Ntu60
from jaxact.datasets.synthetic import clips, sample_files
from jaxact.datasets.ucf101 import Ucf101
from jaxact.skeletons import get_layout


def test_ntu_samples_read_back_to_the_generated_joints_and_fill_every_half(tmp_path):
    dataset = Ntu60.find(sample_files.ntu(tmp_path))
    assert len(dataset.clips) == 36
    cells = {source.cell for source in dataset.clips}
    for split in ("xsub_train", "xsub_test", "xview_train", "xview_test"):
        assert cells & set(dataset.unions[split]), split
    source = next(s for s in dataset.clips if s.id == "S001C002P006R001A002")
    (record,) = Ntu60.parse(source)
    expected = clips.generate_clip(6, "wave", 2)[::3]
    assert record["label"] == 1
    np.testing.assert_allclose(record["joints"][:, 0], expected[:, 0], atol=1e-6)


def test_kinetics_samples_are_upright_people_whose_left_and_right_are_told_apart(tmp_path):
    dataset = KineticsSkeleton.find(sample_files.kinetics(tmp_path))
    assert [sum(s.cell == half for s in dataset.clips) for half in ("train", "val")] == [9, 6]
    layout = get_layout("openpose-18")
    at = {name: index for index, name in enumerate(layout.joints)}
    for source in dataset.clips:
        (record,) = KineticsSkeleton.parse(source)
        pose = record["joints"][:, 0]
        present = pose[:, [at["nose"], at["right_ankle"]], 2].all(axis=1)
        assert (pose[present, at["nose"], 1] < pose[present, at["right_ankle"], 1]).all(), (
            "y points down"
        )
        expected = clips.generate_clip(
            int(source.id[-1]), sample_files.KINETICS_CLASSES[source.id[:-2]], 0
        )[::3]
        metres = expected[:, 0, 8, 0] - expected[:, 0, 4, 0]  # the sensor's x points to its left
        pixels = pose[:, at["right_shoulder"], 0] - pose[:, at["left_shoulder"], 0]
        clear = (abs(metres) > 0.1) & expected[:, 0, [4, 8]].any(axis=2).all(axis=1)
        assert clear.any() and (np.sign(metres) == -np.sign(pixels))[clear].all()
    assert set(dataset.subsets["kinetics_motion"]) & {source.label for source in dataset.clips}


@pytest.mark.parametrize(
    ("maker", "write"), [(Ucf101, sample_files.ucf101), (Hmdb51, sample_files.hmdb51)]
)
def test_video_samples_fill_every_official_split_by_group_and_classes_move_differently(
    tmp_path, maker, write
):
    dataset = maker.find(write(tmp_path))
    assert len(dataset.clips) == 16 and len(dataset.labels) == 2 and not dataset.dropped
    for split in (1, 2, 3):
        groups = {
            half: {
                s.facts["group"]
                for s in dataset.clips
                if s.cell in dataset.unions[f"official{split}_{half}"]
            }
            for half in ("train", "test")
        }
        assert (
            not groups["train"] & groups["test"]
            and len(groups["test"]) == 2
            and len(groups["train"]) == 6
        )
    assert set(dataset.leaks) == {"random_3to1_test"} and {"group_train", "group_test"} <= set(
        dataset.unions
    )
    for source in dataset.clips:
        (record,) = maker.parse(source)
        first, last = (
            np.asarray(Image.open(io.BytesIO(record["frames"][i]))).astype(int) for i in (0, -1)
        )
        assert (record["num_frames"], record["damaged"], first.shape) == (6, 0, (24, 32, 3))
        ground = first[-1, -1] if source.label == 0 else first[0, -1]
        rows, columns = (
            [np.abs(picture - ground).sum(2).max(1 - axis).argmax() for picture in (first, last)]
            for axis in (0, 1)
        )
        assert (rows[1] > rows[0] + 6) == (source.label == 1) and (columns[1] > columns[0] + 6) == (
            source.label == 0
        )


def test_the_same_samples_are_written_every_time(tmp_path):
    for name in ("a", "b"):
        sample_files.hmdb51(tmp_path / name)
    files = [
        sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        for name in ("a", "b")
    ]
    assert len(files[0]) == 22
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
