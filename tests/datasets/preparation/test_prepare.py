"""`prepare`: complete or absent, restartable, the same in parallel, and faithful to the files."""

import errno
import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from jaxact.datasets import dataset_info, records
from jaxact.datasets.preparation import parallel_parsing, prepare, tfds_writer
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.utd_mhad import UtdMhad
from jaxact.errors import UserError

NAMES = tuple(f"a{action}_s{subject}_t1" for action in (1, 2, 27) for subject in (1, 2, 3))


def joints(name: str) -> np.ndarray:
    seed = sum(map(ord, name))
    return np.random.default_rng(seed).normal(size=(20, 3, 3 + seed % 5))


@pytest.fixture
def raw(tmp_path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    for name in NAMES:
        scipy.io.savemat(folder / f"{name}_skeleton.mat", {"d_skel": joints(name)})
    return folder


def run(raw: Path, data: Path, **options):
    prepare_options = PrepareOptions(**{"workers": 1, **options})
    return prepare.prepare("utd_mhad", raw=raw, data_dir=data, options=prepare_options)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if "tfrecord" in path.name}


def test_a_prepared_set_holds_every_clip_as_the_files_have_it(raw, tmp_path):
    summary = run(raw, tmp_path / "data")
    assert (summary.clips, summary.classes, summary.persons, summary.skipped) == (9, 27, 1, [])
    assert summary.frames == sum(joints(name).shape[2] for name in NAMES)
    assert summary.splits == {"train": 6, "test": 3, "all": 9}
    info = dataset_info.load("utd_mhad", tmp_path / "data")
    records_by_id = {
        r["id"].decode(): r for r in records.records(info, "all", fields=None).as_numpy_iterator()
    }
    assert set(records_by_id) == set(NAMES)
    for name, record in records_by_id.items():
        np.testing.assert_array_equal(
            record["joints"][:, 0], joints(name).transpose(2, 0, 1).astype(np.float32)
        )
        assert record["num_frames"] == len(record["joints"])
        assert f"a{record['label'] + 1}_s{record['subject']}_t{record['trial']}" == name
    assert [path.name for path in (tmp_path / "data/utd_mhad").iterdir()] == ["1.0.0"]


def test_several_processes_write_the_same_bytes(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(parallel_parsing, "CHUNK_SIZE", 2)
    alone, together = run(raw, tmp_path / "a"), run(raw, tmp_path / "b", workers=2)
    assert contents(Path(alone.path)) == contents(Path(together.path)) != {}


def test_a_prepared_set_is_left_alone_unless_told(raw, tmp_path, capsys):
    first = run(raw, tmp_path / "data")
    before = contents(Path(first.path))
    (raw / "a1_s1_t1_skeleton.mat").unlink()
    again = run(raw, tmp_path / "data")
    assert again.existed and again.clips == 9 and contents(Path(first.path)) == before
    assert "is prepared already" in capsys.readouterr().err
    assert run(raw, tmp_path / "data", overwrite=True).clips == 8
    assert [path.name for path in (tmp_path / "data/utd_mhad").iterdir()] == ["1.0.0"]


def test_chunks_of_an_interrupted_run_are_not_parsed_again(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(parallel_parsing, "CHUNK_SIZE", 2)
    undisturbed = contents(Path(run(raw, tmp_path / "other").path))
    parsed = []

    def parse(source):
        parsed.append(source.id)
        if len(parsed) == 6:
            raise KeyboardInterrupt
        yield from original(source)

    original = UtdMhad.parse
    monkeypatch.setattr(UtdMhad, "parse", staticmethod(parse))
    with pytest.raises(KeyboardInterrupt):
        run(raw, tmp_path / "data")
    summary = run(raw, tmp_path / "data")
    assert summary.clips == 9 and contents(Path(summary.path)) == undisturbed
    # The first three chunks hold five clips; the sixth clip is parsed again, with the three that
    # follow.
    assert len(parsed) == 6 + 4 and sorted(set(parsed)) == sorted(NAMES)


def test_a_file_that_changed_since_the_interrupted_run_is_parsed_again(raw, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write", stop)
        run(raw, tmp_path / "data")
    assert [path.name for path in (tmp_path / "data/utd_mhad").iterdir()] == [".parsing"]
    scipy.io.savemat(raw / "a1_s1_t1_skeleton.mat", {"d_skel": np.ones((20, 3, 2))})
    run(raw, tmp_path / "data")
    info = dataset_info.load("utd_mhad", tmp_path / "data")
    record = next(
        r for r in records.records(info, "train").as_numpy_iterator() if r["id"] == b"a1_s1_t1"
    )
    assert record["joints"].shape == (2, 1, 20, 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_bad_file_is_an_error_that_leaves_nothing(raw, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(parallel_parsing, "CHUNK_SIZE", 1)
    (raw / "a2_s2_t1_skeleton.mat").write_bytes(b"")
    with pytest.raises(
        UserError,
        match=r"a2_s2_t1_skeleton.mat' is not a readable .*; --skip-bad leaves such files out",
    ):
        run(raw, tmp_path / "data", workers=workers)
    assert not (tmp_path / "data").exists()


def test_bad_files_are_skipped_and_listed_where_asked(raw, tmp_path):
    for subject in (2, 3):
        (raw / f"a2_s{subject}_t1_skeleton.mat").write_bytes(b"")
    summary = run(raw, tmp_path / "data", skip_bad=True)
    assert summary.clips == 7 and summary.splits == {"train": 5, "test": 2, "all": 7}
    assert [Path(file).name for file, _ in summary.skipped] == [
        "a2_s2_t1_skeleton.mat",
        "a2_s3_t1_skeleton.mat",
    ]
    assert "skipped files: 2" in str(summary) and "a2_s2_t1_skeleton.mat' is not a readable" in str(
        summary
    )


def test_a_cell_whose_files_are_all_bad_does_not_exist(raw, tmp_path):
    for path in raw.glob("*_s2_*"):
        path.write_bytes(b"")
    assert run(raw, tmp_path / "data", skip_bad=True).splits == {"train": 6, "all": 6}
    for path in raw.glob("*"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="none of the 9 files could be used; the first: "):
        run(raw, tmp_path / "other", skip_bad=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_disk_that_fills_while_writing_leaves_what_was_there(
    raw, tmp_path, monkeypatch, overwrite
):
    before = contents(Path(run(raw, tmp_path / "data").path)) if overwrite else {}

    def full(*_, **__):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("Failed to finalize writing of split") from error

    monkeypatch.setattr(UtdMhad, "_generate_examples", full)
    with pytest.raises(UserError, match=r"cannot write '.*1.0.0': No space left on device"):
        run(raw, tmp_path / "data", overwrite=overwrite)
    if overwrite:
        assert contents(tmp_path / "data/utd_mhad/1.0.0") == before
        assert [path.name for path in (tmp_path / "data/utd_mhad").iterdir()] == ["1.0.0"]
    else:
        assert not (tmp_path / "data").exists()


def test_a_run_killed_while_replacing_a_set_has_not_lost_it(raw, tmp_path):
    folder = Path(run(raw, tmp_path / "data").path)
    folder.rename(tfds_writer._backup(folder))
    (folder.parent / "incomplete.ABC_1.0.0").mkdir()
    assert run(raw, tmp_path / "data").existed
    run(raw, tmp_path / "data", overwrite=True)
    assert [path.name for path in folder.parent.iterdir()] == ["1.0.0"]


def test_two_runs_do_not_prepare_one_set_at_once(raw, tmp_path):
    work = tmp_path / "data/utd_mhad/.parsing"
    work.mkdir(parents=True)
    with open(work / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another run is preparing 'utd_mhad'"):
            run(raw, tmp_path / "data")
    assert work.exists()
    assert run(raw, tmp_path / "data").clips == 9


def test_a_folder_that_cannot_be_written_is_an_error(raw, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        UserError, match=r"cannot write in '.*file/utd_mhad/.parsing': Not a directory"
    ):
        run(raw, tmp_path / "file")


def test_one_clip_in_two_folders_is_an_error(raw, tmp_path):
    (raw / "copy").mkdir()
    shutil.copy(raw / "a1_s1_t1_skeleton.mat", raw / "copy")
    with pytest.raises(UserError, match=r"the clip 'a1_s1_t1' is there twice"):
        run(raw, tmp_path / "data")


def test_sorting_on_disk_keeps_every_record(raw, tmp_path, monkeypatch):
    whole = contents(Path(run(raw, tmp_path / "a").path))
    monkeypatch.setattr(tfds_writer, "SORT_BYTES", 1)
    assert contents(Path(run(raw, tmp_path / "b").path)) == whole


def test_a_set_of_your_own_is_read_under_its_name(tmp_path):
    clips = np.random.default_rng(0).normal(size=(6, 15, 2)).astype(np.float32)
    offset, label = np.array([0, 2, 6]), np.array(["run", "walk"])
    np.savez(
        tmp_path / "set.npz", x=clips, offset=offset, label=label, split=np.array(["train", "test"])
    )
    summary = prepare.prepare(
        "custom/mine",
        raw=tmp_path / "set.npz",
        data_dir=tmp_path,
        options=PrepareOptions(layout="jhmdb-15"),
    )
    assert summary.path == str(tmp_path / "custom/mine/1.0.0")
    info = dataset_info.load("custom/mine", tmp_path)
    (record,) = records.records(info, "test").as_numpy_iterator()
    np.testing.assert_array_equal(record["joints"][:, 0], clips[2:])
    assert (
        info.labels == ("run", "walk")
        and info.channels == ("x", "y")
        and info.layout.name == "jhmdb-15"
    )


def test_the_summary_lists_what_is_cheap_to_see(raw, tmp_path):
    def spoilt(name: str, where, value: float) -> None:
        changed = np.random.default_rng(0).normal(size=(20, 3, 6))
        changed[where] = value
        scipy.io.savemat(raw / f"{name}_skeleton.mat", {"d_skel": changed})

    spoilt("a1_s1_t1", np.s_[...], 0)
    spoilt("a1_s2_t1", np.s_[..., 2:4], 0)
    spoilt("a2_s1_t1", np.s_[..., 3:], 0)  # someone who leaves is no gap
    spoilt("a2_s2_t1", np.s_[3, 1, 2], np.nan)
    summary = run(raw, tmp_path / "data", workers=2)
    assert (summary.empty, summary.gaps, summary.not_finite) == (1, 1, 1)
    lines = [line for line in str(summary).splitlines() if "clips have" in line]
    assert lines == [
        "1 clips have no person in any frame",
        "1 clips have nobody in some frames in the middle",
        "1 clips have numbers that are not finite",
    ]
    assert run(raw, tmp_path / "data").gaps == 1


@pytest.mark.filterwarnings("ignore")  # Beam's and protobuf's own
def test_beam_prepares_the_same_set(raw, tmp_path):
    pytest.importorskip("apache_beam", reason="the extra `beam` is not installed")
    local = run(raw, tmp_path / "here")
    beam = run(raw, tmp_path / "there", beam_options="runner=DirectRunner")
    assert (beam.clips, beam.frames, beam.splits) == (local.clips, local.frames, local.splits)


def test_beam_that_is_not_installed_names_the_extra(raw, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.options.pipeline_options", None)
    with pytest.raises(
        UserError, match=r"'apache-beam', which is not installed: pip install 'jaxact\[beam\]'"
    ):
        run(raw, tmp_path / "data", beam_options="runner=DirectRunner")
    assert not (tmp_path / "data").exists()


def test_the_builders_and_parsers_need_no_tensorflow():
    code = (
        "import sys, jaxact.datasets.preparation.prepare, jaxact.datasets.records; "
        "print([name for name in ('tensorflow', 'jax', 'flax') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
