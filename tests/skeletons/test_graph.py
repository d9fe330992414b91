"""The adjacency against the equations of the paper, written as slow loops."""

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.skeletons import (
    LAYOUTS,
    NORMS,
    STRATEGIES,
    Layout,
    adjacency,
    gravity_radii,
    hop_distances,
)

HAND = {
    "name": "hand",
    "joints": ["wrist", "thumb", "finger", "tip"],
    "edges": [[0, 1], [0, 2], [2, 3]],
    "centre": 0,
}


def oracle(layout: Layout, strategy: str) -> list[list[list[float]]]:
    """The subsets' 1/Z weights of Eqs. 4 and 5 by loops over targets and their neighbours."""
    hops = hop_distances(layout)
    neighbours = {joint: {joint} for joint in range(len(layout.joints))}
    for a, b in layout.edges:
        neighbours[a].add(b)
        neighbours[b].add(a)

    def label(target, source):
        if strategy == "uniform":
            return 0
        if strategy == "distance":
            return int(source != target)
        distance = [hop if hop <= 1 or strategy == "spatial" else 99 for hop in hops]
        if source == target:
            return 0
        if strategy == "spatial":
            return (
                1
                if distance[source] < distance[target]
                else 2
                if distance[source] > distance[target]
                else 0
            )
        return 2 if distance[source] < distance[target] else 1

    parts = {"uniform": 1, "distance": 2, "spatial": 3, "spatial_v2": 3}[strategy]
    weights = [[[0.0] * len(hops) for _ in hops] for _ in range(parts)]
    for target, sources in neighbours.items():
        for source in sources:
            part = label(target, source)
            size = sum(label(target, other) == part for other in sources)
            weights[part][source][target] = 1 / size
    return weights


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("strategy", ["uniform", "distance", "spatial", "spatial_v2"])
def test_subset_norm_is_the_papers_one_over_z(name, strategy):
    layout = LAYOUTS[name]
    np.testing.assert_allclose(adjacency(layout, strategy), oracle(layout, strategy), atol=1e-7)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("strategy", ["uniform", "distance", "spatial", "spatial_v2"])
def test_every_target_sums_to_one_in_each_subset_it_has_neighbours_in(name, strategy):
    sums = adjacency(LAYOUTS[name], strategy, "subset").sum(1)
    assert np.all(np.isclose(sums, 1, atol=1e-6) | (sums == 0))
    np.testing.assert_allclose(
        adjacency(LAYOUTS[name], strategy, "joint").sum((0, 1)), 1, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "strategy", "sizes"),
    [
        ("openpose-18", "uniform", [52]),
        ("openpose-18", "distance", [18, 34]),
        ("openpose-18", "distance_star", [52]),
        ("openpose-18", "dad", [52]),
        ("openpose-18", "spatial", [18, 17, 17]),
        ("openpose-18", "spatial_v2", [18, 25, 9]),
        ("ntu-25", "uniform", [73]),
        ("ntu-25", "spatial", [25, 24, 24]),
        ("ntu-25", "spatial_v2", [25, 40, 8]),
    ],
)
@pytest.mark.parametrize("norm", NORMS)
def test_subsets_have_the_published_sizes_under_any_norm(name, strategy, sizes, norm):
    assert [
        int(np.count_nonzero(part)) for part in adjacency(LAYOUTS[name], strategy, norm)
    ] == sizes


def test_the_second_subset_of_spatial_is_centripetal():
    neck, shoulder = 1, 2
    parts = adjacency(LAYOUTS["openpose-18"], "spatial")
    assert parts[1, neck, shoulder] == 1  # the shoulder's only neighbour nearer the centre
    assert parts[2, shoulder, neck] == pytest.approx(1 / 3)  # one of the neck's three, all farther


def test_eq10_to_the_letter_gives_an_edge_into_an_empty_row_a_weight_of_31_6():
    """The parts are directed, so rows are empty and alpha alone stands under the root: 1 /
    sqrt(1.001 * 0.001).
    """
    for name, norms in (("openpose-18", [31.607, 54.745]), ("ntu-25", [31.607, 63.214])):
        _, near, far = adjacency(LAYOUTS[name], "spatial", "eq10").astype(np.float64)
        assert near.max() == pytest.approx(31.607, abs=1e-3)
        assert far.max() == pytest.approx(31.607, abs=1e-3)
        assert [np.linalg.norm(part, 2) for part in (near, far)] == pytest.approx(norms, abs=1e-3)


def test_eq10_is_benign_where_no_row_is_empty():
    layout = LAYOUTS["openpose-18"]
    assert np.linalg.norm(adjacency(layout, "distance", "eq10")[1], 2) == pytest.approx(
        0.999, abs=5e-4
    )
    np.testing.assert_allclose(
        adjacency(layout, "uniform", "eq10", alpha=0.0), adjacency(layout, "dad"), atol=1e-7
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_distance_star_is_distance_with_opposite_weights_and_sums_to_zero(name):
    star, (itself, around) = (
        adjacency(LAYOUTS[name], "distance_star"),
        adjacency(LAYOUTS[name], "distance"),
    )
    np.testing.assert_array_equal(star, (itself - around)[None])
    np.testing.assert_allclose(star.sum(1), 0, atol=1e-6)


@pytest.mark.parametrize("name", LAYOUTS)
def test_dad_is_eq_9_and_symmetric(name):
    layout = LAYOUTS[name]
    degree = [
        1 + sum(joint in edge for edge in layout.edges) for joint in range(len(layout.joints))
    ]
    (dad,) = adjacency(layout, "dad")
    np.testing.assert_array_equal(dad, dad.T)
    for child, parent in layout.edges:
        assert dad[child, parent] == pytest.approx(
            (degree[child] * degree[parent]) ** -0.5, abs=1e-6
        )
    np.testing.assert_allclose(np.diag(dad), 1 / np.array(degree), atol=1e-6)


def test_spatial_v2_with_joint_norm_weighs_as_the_second_public_release():
    """Numbers of that release: OpenPose, the neck (degree 3) and the right elbow (degree 2, two
    hops away).
    """
    itself, farther, nearer = adjacency(LAYOUTS["openpose-18"], "spatial_v2", "joint")
    assert itself[1, 1] == farther[2, 1] == farther[5, 1] == farther[0, 1] == pytest.approx(1 / 4)
    assert farther[2, 3] == 0
    assert nearer[2, 3] == pytest.approx(1 / 3)
    assert farther[3, 4] == pytest.approx(
        1 / 2
    )  # both two hops and more away: lumped, whichever is nearer
    assert farther[4, 3] == pytest.approx(1 / 3)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("norm", NORMS)
def test_adjacency_is_f32_finite_and_square(strategy, norm):
    parts = adjacency(LAYOUTS["body-14"], strategy, norm)
    assert parts.dtype == np.float32
    assert parts.shape[1:] == (14, 14)
    assert np.all(np.isfinite(parts))


def test_gravity_compares_radii_and_puts_ties_with_the_root():
    hand = Layout.from_dict(HAND)
    near, far = (
        np.array([3.0, 1.0, 3.0, 4.0]),
        adjacency(hand, "spatial", metric="gravity", radii=np.arange(4.0)),
    )
    np.testing.assert_array_equal(far, adjacency(hand, "spatial"))
    root, centripetal, centrifugal = adjacency(hand, "spatial", metric="gravity", radii=near)
    assert root[0, 2] == root[2, 0] == pytest.approx(1 / 2)  # equal radii
    assert centripetal[1, 0] == 1  # the thumb is nearer than the wrist
    assert centrifugal[0, 1] == 1
    assert centripetal[2, 3] == 1


def test_gravity_radii_are_mean_distances_to_the_mean_of_the_present_joints():
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=(frames, 2, 4, 3)).astype(np.float32) for frames in (3, 5)]
    clips[0][:, 1] = 0  # nobody in the second place
    clips[1][2, 0, 3] = 0  # one joint missing once
    distances: list[list[float]] = [[], [], [], []]
    for clip in clips:
        for body in clip.reshape(-1, 4, 3):
            present = [joint for joint in range(4) if np.any(body[joint])]
            if present:
                centre = sum(body[joint] for joint in present) / len(present)
                for joint in present:
                    distances[joint].append(float(np.linalg.norm(body[joint] - centre)))
    assert [len(values) for values in distances] == [13, 13, 13, 12]
    np.testing.assert_allclose(
        gravity_radii(clips), [np.mean(values) for values in distances], rtol=1e-5
    )


def test_gravity_radii_leave_the_score_out_of_the_distance_and_unscored_joints_out_of_the_mean():
    rng = np.random.default_rng(1)
    clip = rng.uniform(0.5, 1, size=(4, 1, 3, 3)).astype(np.float32)
    expected = gravity_radii([clip[..., :2]], channels=("x", "y"))
    np.testing.assert_allclose(gravity_radii([clip], channels=("x", "y", "score")), expected)
    ghost = np.concatenate(
        [clip, np.where(np.arange(3) == 2, 0, 100 * clip)]
    )  # places without a score
    np.testing.assert_allclose(gravity_radii([ghost], channels=("x", "y", "score")), expected)


def test_gravity_without_radii_for_every_joint_is_refused():
    with pytest.raises(
        UserError, match="needs one finite radius for each of the 14 joints, got none"
    ):
        adjacency(LAYOUTS["body-14"], metric="gravity")
    with pytest.raises(UserError, match=r"got an array of shape \(3,\)"):
        adjacency(LAYOUTS["body-14"], metric="gravity", radii=np.ones(3))
    never = np.ones((2, 1, 3, 3), np.float32)
    never[:, :, 1] = 0
    with pytest.raises(UserError, match=r"never present: \[1\]"):
        gravity_radii([never])


@pytest.mark.parametrize(
    ("option", "call"),
    [
        ("strategy", lambda layout: adjacency(layout, strategy="none")),
        ("norm", lambda layout: adjacency(layout, norm="none")),
        ("metric", lambda layout: adjacency(layout, metric="none")),
    ],
)
def test_an_unknown_option_of_the_graph_lists_what_exists(option, call):
    with pytest.raises(UserError, match=f"unknown {option} 'none'; available: "):
        call(LAYOUTS["body-14"])
