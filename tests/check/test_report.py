"""`jaxact check` from the command line: what is printed and written, exit codes, and what is
refused.
"""

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from jaxact import check, cli
from jaxact.check.worst import MAX_PANELS, _select_findings
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.preparation.prepare import prepare
from tests.check.corpora import clean, exchange_sides, spoil, zero

DATA = os.environ.get("JAXACT_DATA", "")
RECORDS = [dict(record, joints=record["joints"][:20]) for record in clean()]


def folder(root: Path, *faults, joints: slice = slice(None)) -> Path:
    """The clean corpus, spoilt, as a folder with a table."""
    records = [dict(record) for record in RECORDS]
    for fault in faults:
        fault(records)
    root.mkdir()
    for record in records:
        np.save(root / f"{record['id']}.npy", record["joints"])
    rows = [f"{record['id']},class{record['label']},{record['cell']}" for record in records]
    (root / "labels.csv").write_text("\n".join(["id,label,split", *rows]) + "\n")
    return root


GAP = spoil("jump_s01_r1", zero(slice(10, 13)))
SWAP = spoil("jump_s02_r0", exchange_sides(slice(8, 12)))
NAN = spoil(
    "wave_s01_r0", lambda joints: np.where(np.arange(20)[:, None, None, None] == 3, np.nan, joints)
)
FEWER = spoil("wave_s02_r0", lambda joints: joints[:, :, :24])


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.main(["check", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_clean_folder_ends_in_0_and_errors_end_in_1(tmp_path, capsys):
    code, out, _ = run(capsys, str(folder(tmp_path / "clean")), "--layout", "ntu-25")
    assert code == 0 and out.splitlines() == [
        f"{tmp_path / 'clean'}: 30 clips, 600 frames; 0 errors, 0 warnings, 0 notes"
    ]
    code, out, _ = run(capsys, str(folder(tmp_path / "warned", GAP)), "--layout", "ntu-25")
    assert code == 0 and "0 errors, 1 warning, 0 notes" in out
    code, out, _ = run(capsys, str(folder(tmp_path / "wrong", GAP, NAN)), "--layout", "ntu-25")
    assert code == 1 and "1 error, 1 warning, 0 notes" in out
    code, out, _ = run(
        capsys, str(tmp_path / "wrong"), "--layout", "ntu-25", "--ignore", "not-finite,gap"
    )
    assert code == 0 and "0 errors, 0 warnings, 0 notes" in out


def test_the_table_the_files_and_the_picture_tell_the_same(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    from PIL import Image

    raw = folder(tmp_path / "raw", GAP, SWAP, NAN, FEWER)
    np.save(raw / "wave_s04_r0.npy", np.array(["no", "numbers"]))
    code, out, _ = run(capsys, str(raw), "--layout", "ntu-25", "--out", str(tmp_path / "out"))
    table = [
        line.split() for line in out.splitlines() if line.startswith(("error", "warning", "note "))
    ]
    assert code == 1
    assert [(row[0], row[1], row[2], row[-1]) for row in table] == [
        ("error", "unreadable", "1", "wave_s04_r0"),
        ("error", "joint-count", "1", "wave_s02_r0"),
        ("error", "not-finite", "1", "wave_s01_r0"),
        ("warning", "gap", "1", "jump_s01_r1"),
        ("warning", "left-right-swap", "1", "jump_s02_r0"),
    ]
    content = json.loads((tmp_path / "out/findings.json").read_text())
    assert (content["clips"], content["errors"]) == (30, 3)
    by_rule = {finding["rule"]: finding for finding in content["findings"]}
    assert by_rule["gap"] == {
        "rule": "gap", "id": "jump_s01_r1", "severity": "warning", "frames": [10, 11, 12],
        "detail": "no person in frames 10-12 of 20",
    }  # fmt: skip
    assert by_rule["joint-count"]["detail"] == "24 joints of 3 channels, ntu-25 has 25 of 3"
    assert by_rule["unreadable"]["detail"].endswith(
        "wave_s04_r0.npy': joints have the shape (2,), wanted [t, v, c] or "
        "[t, m, v, c] with at least one frame"
    )
    with open(tmp_path / "out/findings.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["rule"], row["id"]) for row in rows] == [
        (f["rule"], f["id"]) for f in content["findings"]
    ]
    assert rows[[row["rule"] for row in rows].index("left-right-swap")]["frames"] == "8 12"
    with Image.open(tmp_path / "out/worst.png") as picture:
        colours = picture.convert("RGB").getcolors(1 << 20)
    assert {(0, 114, 178), (213, 94, 0)} <= {colour for _, colour in colours}, (
        "left is blue and right is orange"
    )


def test_a_prepared_set_is_checked_by_its_name_and_gives_what_the_files_give(tmp_path, capsys):
    raw = folder(tmp_path / "raw", GAP, SWAP)
    summary = prepare(
        "custom/mine",
        raw=raw,
        data_dir=tmp_path / "data",
        options=PrepareOptions(layout="ntu-25", workers=1),
    )
    assert summary.gaps == 1 and summary.not_finite == 0
    prepared = check.check(check.open_corpus("custom/mine", data_dir=tmp_path / "data"))
    raw_report = check.check(check.open_corpus(str(raw), layout="ntu-25"))
    assert set(prepared.findings) == set(raw_report.findings)
    assert len(raw_report.findings) == 2
    code, out, _ = run(capsys, "custom/mine", "--data-dir", str(tmp_path / "data"))
    assert code == 0 and out.startswith(
        "custom/mine: 30 clips, 600 frames; 0 errors, 2 warnings, 0 notes"
    )


def test_one_clip_alone_and_a_packed_file_are_checked_too(tmp_path, capsys):
    raw = folder(tmp_path / "raw", GAP)
    code, out, _ = run(
        capsys, str(raw / "jump_s01_r1.npy"), "--layout", "ntu-25", "--out", str(tmp_path / "out")
    )
    assert code == 0 and ": 1 clip, 20 frames; 0 errors, 1 warning" in out and " jump_s01_r1" in out
    clips = [record["joints"] for record in RECORDS]
    offset = np.cumsum([0, *map(len, clips)])
    split = np.array([record["cell"] for record in RECORDS])
    label = np.array([record["label"] for record in RECORDS])
    np.savez(tmp_path / "set.npz", x=np.concatenate(clips), offset=offset, label=label, split=split)
    code, out, _ = run(capsys, str(tmp_path / "set.npz"), "--layout", "ntu-25")
    assert code == 0 and ": 30 clips, 600 frames; 0 errors, 0 warnings" in out
    assert "not checked: leakage by subject or recording (neither in fields nor in ids)" in out


def test_raw_files_of_a_data_set_are_checked_before_they_are_prepared(capsys, tmp_path):
    import scipy.io

    for subject, frames in ((1, 5), (2, 6)):
        joints = np.random.default_rng(subject).normal(size=(20, 3, frames))
        scipy.io.savemat(tmp_path / f"a1_s{subject}_t1_skeleton.mat", {"d_skel": joints})
    (tmp_path / "a1_s3_t1_skeleton.mat").write_bytes(b"")
    code, out, _ = run(capsys, "utd_mhad", "--raw", str(tmp_path))
    found = {
        line.split()[1]: line for line in out.splitlines() if line.startswith(("error", "warning"))
    }
    assert (
        code == 1 and found["unreadable"].endswith("a1_s3_t1") and " 26 " in found["absent-class"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.npz"], "no file, folder or prepared set 'nowhere.npz'; prepared are: none"),
        (["utd_mhd"], "unknown dataset 'utd_mhd'; available: agcn, .*did you mean 'utd_mhad'"),
        (["sbu"], "dataset 'sbu' is not prepared in"),
        (["sbv", "--raw", "."], "unknown dataset 'sbv'"),
        (
            ["sbu", "--raw", "nowhere"],
            "no raw data at 'nowhere'; 'sbu' expects the files sXXsYY",
        ),
        (["clips"], "needs its joint layout .* with 25 joints: ntu-25"),
        (["clips", "--layout", "coco-17"], "the clips have 25 joints, but layout 'coco-17' has 17"),
        (["clips/wave_s01_r0.npy"], "needs its joint layout .* with 25 joints: ntu-25"),
        (
            ["clips", "--layout", "ntu-25", "--ignore", "gaps"],
            "unknown rule 'gaps'; .*did you mean 'gap'",
        ),
    ],
)
def test_what_cannot_be_checked_is_one_sentence_and_exit_code_2(
    arguments, message, tmp_path, capsys, monkeypatch
):
    folder(tmp_path / "clips")
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments, "--data-dir", "data")
    assert code == 2 and not out
    (line,) = [line for line in err.splitlines() if line.startswith("jaxact: ")]
    assert re.search(message, line)


def test_the_picture_takes_every_rule_in_turn():
    rules = ["not-finite"] * 20 + ["gap"] * 20 + ["frozen"] + ["untrained-class"] * 3
    findings = [check.Finding(rule, f"{index}", "") for index, rule in enumerate(rules)]
    chosen = [finding.rule for finding in _select_findings(findings)]
    assert len(chosen) == MAX_PANELS and (
        chosen.count("not-finite"),
        chosen.count("gap"),
        chosen.count("frozen"),
    ) == (
        6,
        5,
        1,
    )


def test_without_anything_to_draw_there_is_no_picture(tmp_path, capsys):
    raw = folder(tmp_path / "raw", spoil("wave_s01_r0", zero(slice(None))))
    code, out, _ = run(capsys, str(raw), "--layout", "ntu-25", "--out", str(tmp_path / "out"))
    assert code == 1 and "so there is no picture" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "findings.csv",
        "findings.json",
    ]


# What the real sets hold, as it was looked at once, clip by clip.
REAL = {
    ("utd_mhad", "skeleton/utd-mhad", None): {},
    ("sbu", "skeleton/sbu", None): {},
    ("custom/jhmdb", "skeleton/jhmdb14_pose2d.npz", "jhmdb-15"): {
        "left-right-swap": 11,
        "frozen": 19,
        "upside-down": 2,
    },
}


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
@pytest.mark.parametrize(("name", "raw", "layout"), REAL)
def test_the_real_sets_hold_what_they_are_known_to_hold(name, raw, layout):
    report = check.check(check.open_corpus(name, raw=Path(DATA, raw), layout=layout))
    rules = [finding.rule for finding in report.findings]
    assert {rule: rules.count(rule) for rule in rules} == REAL[name, raw, layout]
