import numpy as np

from jaxact.metrics import classification as metrics

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.standard_normal((50, 7)).astype(np.float32)
TARGETS = RANDOM.integers(0, 6, 50)  # class 6 has no example


def test_every_figure_equals_a_plain_loop():
    top1 = top5 = loss = 0.0
    hits, ranking = np.zeros(7), np.zeros(7)
    for row, target in zip(LOGITS.astype(np.float64), TARGETS, strict=True):
        ranked = sorted(range(7), key=lambda j: (-row[j], j))
        top1 += ranked[0] == target
        top5 += target in ranked[:5]
        hits[target] += ranked[0] == target
        ranking[target] += 1
        loss += -row[target] + np.log(np.exp(row).sum())
    actual = metrics.compute(metrics.from_logits(LOGITS, TARGETS))
    assert actual["count"] == 50
    np.testing.assert_allclose(actual["top1"], top1 / 50)
    np.testing.assert_allclose(actual["top5"], top5 / 50)
    np.testing.assert_allclose(
        actual["mean_class"], np.mean([h / s for h, s in zip(hits, ranking, strict=True) if s])
    )
    np.testing.assert_allclose(actual["loss"], loss / 50, rtol=1e-6)


def test_the_sums_of_parts_are_the_sums_of_the_whole():
    whole = metrics.compute(metrics.from_logits(LOGITS, TARGETS))
    for cut in (1, 17, 49):
        parts = metrics.from_logits(LOGITS[:cut], TARGETS[:cut]) + metrics.from_logits(
            LOGITS[cut:], TARGETS[cut:]
        )
        np.testing.assert_allclose(
            list(metrics.compute(parts).values()), list(whole.values()), rtol=1e-12
        )


def test_a_mask_is_the_same_as_the_subset():
    mask = RANDOM.random(50) < 0.5
    masked = metrics.compute(metrics.from_logits(LOGITS, TARGETS, mask))
    subset = metrics.compute(metrics.from_logits(LOGITS[mask], TARGETS[mask]))
    assert masked == subset != metrics.compute(metrics.from_logits(LOGITS, TARGETS))


def test_of_equal_scores_the_lower_class_wins():
    sums = metrics.from_logits(np.zeros((2, 7), np.float32), np.array([0, 5]))
    assert sums.confusion[5, 0] == 1 and sums.confusion[0, 0] == 1
    assert sums.top5 == 1  # class 5 is the sixth of seven equal scores


def test_the_table_names_what_a_class_is_mistaken_for():
    confusion = np.array([[3, 2, 1], [0, 4, 0], [0, 0, 0]])
    rows = metrics.table(metrics.Sums(confusion, 0, 0.0), ["wave", "clap", "sit"])
    assert rows == [
        {"class": "wave", "count": 6, "recall": 0.5, "mistaken_for": "clap"},
        {"class": "clap", "count": 4, "recall": 1.0, "mistaken_for": ""},
    ]


def test_nothing_scored_gives_nan_and_not_a_crash():
    actual = metrics.compute(metrics.Sums.empty(3))
    assert actual["count"] == 0 and np.isnan(actual["top1"]) and np.isnan(actual["mean_class"])
