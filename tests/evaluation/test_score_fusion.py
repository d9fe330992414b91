"""Fusion: the same examples or none, sums by hand, and a search that keeps its hands off what is
scored.
"""

import json
import re

import numpy as np
import pytest

from jaxact import cli
from jaxact.errors import UserError
from jaxact.evaluation import report, score_fusion
from jaxact.metrics import classification as metrics

CLASSES = ["walk", "wave", "jump"]
IDS = np.array([f"clip{index}" for index in range(12)])
LABELS = np.arange(12) % 3


def system(folder, seed, *, skill=1.0, ids=IDS, labels=LABELS, classes=CLASSES):
    """A report whose scores know the truth as well as `skill` says."""
    random = np.random.default_rng(seed)
    logits = random.standard_normal((len(ids), len(classes))) + skill * np.eye(len(classes))[labels]
    scores = report.Scores(ids, logits.astype(np.float32), labels)
    report.write(folder, scores, classes, {"dataset": "toy", "split": "test", "subset": None})
    return folder, logits.astype(np.float32).astype(np.float64)


@pytest.fixture
def pair(tmp_path):
    return system(tmp_path / "a", 0), system(tmp_path / "b", 1)


def softmax(row):
    powers = [np.exp(value) for value in row]
    return [power / sum(powers) for power in powers]


def test_softmax_and_logit_fusion_equal_a_loop(pair):
    (_, first_logits), (_, second_logits) = pair
    soft = score_fusion.fuse(np.stack([first_logits, second_logits]), (2.0, 1.0))
    raw = score_fusion.fuse(np.stack([first_logits, second_logits]), (2.0, 1.0), kind="logit")
    for row in range(12):
        a, b = softmax(first_logits[row]), softmax(second_logits[row])
        for c in range(3):
            assert np.exp(soft[row, c]) == pytest.approx((2 * a[c] + b[c]) / 3)
            assert raw[row, c] == pytest.approx(
                (2 * first_logits[row, c] + second_logits[row, c]) / 3
            )


def test_scores_that_are_probabilities_already_are_taken_as_they_are():
    rows = np.array([[0.7, 0.2, 0.1], [2.0, 0.0, 0.0]])
    np.testing.assert_allclose(score_fusion.probabilities(rows)[0], rows[0])
    np.testing.assert_allclose(score_fusion.probabilities(rows)[1], softmax(rows[1]))


def test_another_order_of_the_same_ids_changes_nothing(pair, tmp_path):
    (a, _), (b, logits) = pair
    straight = score_fusion.run([a, b], out=tmp_path / "straight")
    order = np.random.default_rng(5).permutation(12)
    scores = report.Scores(IDS[order], logits[order].astype(np.float32), LABELS[order])
    report.write(tmp_path / "turned", scores, CLASSES, {"dataset": "toy", "split": "test"})
    reordered = score_fusion.run([a, tmp_path / "turned"], out=tmp_path / "other")
    assert {**reordered, "fusion": 0} == {**straight, "fusion": 0}
    first, second = (report.read_scores(tmp_path / name)[0] for name in ("straight", "other"))
    np.testing.assert_array_equal(first.logits, second.logits)
    np.testing.assert_array_equal(first.id, IDS)


def test_a_report_names_systems_weights_and_how_they_were_chosen(pair, tmp_path, capsys):
    (a, first_logits), (b, second_logits) = pair
    command = [
        "fuse",
        str(a),
        str(b / "scores.npz"),
        "--weights",
        "0.5,1.5",
        "--kind",
        "logit",
        "--out",
    ]
    assert cli.main([*command, str(tmp_path / "out")]) == 0
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    sums = metrics.from_logits(0.25 * first_logits + 0.75 * second_logits, LABELS)
    assert written["top1"] == metrics.compute(sums)["top1"] and written["count"] == 12
    assert (written["dataset"], written["split"]) == ("toy", "test")
    assert (
        written["fusion"]["weights"] == [0.5, 1.5]
        and written["fusion"]["weights_chosen"] == "given"
    )
    assert written["fusion"]["top1"][0] == (first_logits.argmax(1) == LABELS).mean()
    printed = capsys.readouterr().out
    assert "weight 0.5" in printed and "fused (logit, weights given), 12 clips" in printed
    assert report.read(tmp_path / "out").labels == CLASSES


def test_files_that_do_not_hold_the_same_examples_are_refused_by_id(pair, tmp_path):
    a, b = pair[0][0], pair[1][0]
    short, _ = system(tmp_path / "short", 1, ids=IDS[:-1], labels=LABELS[:-1])
    with pytest.raises(
        UserError,
        match=r"the id 'clip11' is in .*a' and not in .*short'.* 12 examples, .* 11, and 1",
    ):
        score_fusion.join([a, short])
    with pytest.raises(UserError, match=r"the id 'clip11' is in .*a' and not in .*short'"):
        score_fusion.join([short, a])
    foreign, _ = system(
        tmp_path / "foreign", 1, ids=np.array([f"film{index}" for index in range(12)])
    )
    with pytest.raises(UserError, match=r"the id 'clip0' is in .* 24 ids are in one of them only"):
        score_fusion.join([a, b, foreign])
    shuffled, _ = system(tmp_path / "shuffled", 1, ids=np.roll(IDS, 1))
    with pytest.raises(
        UserError,
        match=r"the id 'clip0' has the label 0 in .*a' and 1 in .*shuffled' \(12 ids differ\)",
    ):
        score_fusion.join([a, shuffled])
    twice, _ = system(tmp_path / "twice", 1, ids=np.array([*IDS[:-1], "clip0"]))
    with pytest.raises(UserError, match="holds the id 'clip0' 2 times"):
        score_fusion.join([a, twice])


def test_classes_of_another_number_or_order_are_refused(pair, tmp_path):
    a = pair[0][0]
    other, _ = system(tmp_path / "other", 1, classes=["walk", "jump", "wave"])
    with pytest.raises(UserError, match=r"class 1 is 'wave' in .* and 'jump' in"):
        score_fusion.join([a, other])
    more, _ = system(tmp_path / "more", 1, classes=[*CLASSES, "sit"])
    with pytest.raises(UserError, match=r"scores 3 classes and .* 4; wanted the same ones"):
        score_fusion.join([a, more])


def test_files_from_elsewhere_with_other_names_are_read(pair, tmp_path):
    a, first_logits = pair[0]
    np.savez(tmp_path / "rgb.npz", names=IDS, scores=first_logits, labels=LABELS)
    joined = score_fusion.join([tmp_path / "rgb.npz", a])
    np.testing.assert_array_equal(joined.scores[0], joined.scores[1])
    assert joined.classes == CLASSES
    assert score_fusion.run([tmp_path / "rgb.npz", a], out=tmp_path / "out")["split"] == "fused"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"names": IDS, "scores": np.zeros((12, 3))},
            r"has no array 'label' \(or labels\); it holds names, scores",
        ),
        (
            {"id": IDS, "logits": np.zeros((11, 3)), "label": LABELS},
            r"id \(12,\), logits \(11, 3\) and label \(12,\)",
        ),
        (
            {"id": IDS, "logits": np.full((12, 3), np.nan), "label": LABELS},
            "the scores of 'clip0' are not finite",
        ),
        (
            {"id": IDS, "logits": np.zeros((12, 3)), "label": LABELS + 1},
            "labels must be integers from 0 to 2",
        ),
        (
            {"id": IDS.astype(object), "logits": np.zeros((12, 3)), "label": LABELS},
            "cannot read scores from .*pickle",
        ),
    ],
)
def test_a_bad_file_of_scores_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(UserError, match=message):
        report.read_scores(tmp_path / "bad.npz")


def test_no_file_and_a_file_that_is_none_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("id,logits")
    for path in (tmp_path / "text.npz", tmp_path / "nothing", tmp_path):
        with pytest.raises(UserError, match=r"cannot read scores from .*wanted a scores.npz"):
            report.read_scores(path)


def test_bad_weights_kinds_and_counts_are_refused(pair, tmp_path, capsys):
    a, b = str(pair[0][0]), str(pair[1][0])
    for more, message in (
        ([a, b, "--weights", "1,2,3"], "3 weights were given for 2 files"),
        ([a, b, "--weights", "0,0"], r"weights are \[0.0, 0.0\], but must be"),
        ([a, b, "--kind", "softmx"], "unknown kind of score 'softmx'"),
        ([a], "at least two files of scores, got 1"),
        ([a, b, "--weights", "1,1", "--oracle"], "either given"),
        ([a, b, "--search-on", a], "2 files are fused, but 1 are searched on"),
    ):
        assert cli.main(["fuse", *more, "--out", str(tmp_path / "out")]) == 2
        assert re.search(message, capsys.readouterr().err), message
    assert not (tmp_path / "out").exists()


def test_weights_are_searched_on_held_out_examples_and_never_silently_on_the_scored_ones(tmp_path):
    ids = np.array([f"dev{index}" for index in range(60)])
    labels = np.arange(60) % 3
    good, _ = system(tmp_path / "dev_good", 0, skill=3.0, ids=ids, labels=labels)
    bad, _ = system(tmp_path / "dev_bad", 1, skill=-3.0, ids=ids, labels=labels)
    a, _ = system(tmp_path / "a", 2)
    b, _ = system(tmp_path / "b", 3)
    fair = score_fusion.run([a, b], out=tmp_path / "fair", search_on=[good, bad])["fusion"]
    assert fair["weights"] == [2.0, 0.25]
    assert "dev_good" in fair["weights_chosen"] and "60 examples" in fair["weights_chosen"]
    with pytest.raises(
        UserError, match=r"12 of the examples searched on are also scored \('clip0' ...\)"
    ):
        score_fusion.run([a, b], out=tmp_path / "foul", search_on=[a, b])
    assert not (tmp_path / "foul").exists()
    oracle = score_fusion.run([a, b], out=tmp_path / "oracle", oracle=True)
    assert "THE SCORED EXAMPLES THEMSELVES (oracle)" in oracle["fusion"]["weights_chosen"]
    assert oracle["top1"] >= score_fusion.run([a, b], out=tmp_path / "plain")["top1"]
