"""Layouts against the published joint orders, adjacency against the paper's equations written as
slow loops.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.skeletons import (
    LAYOUTS,
    NORMS,
    STRATEGIES,
    Layout,
    adjacency,
    get_layout,
    gravity_radii,
    hop_distances,
)

HAND = {
    "name": "hand",
    "joints": ["wrist", "thumb", "finger", "tip"],
    "edges": [[0, 1], [0, 2], [2, 3]],
    "centre": 0,
}


# --- layouts


def test_there_is_a_layout_for_every_source_of_joints():
    sizes = {name: len(layout.joints) for name, layout in LAYOUTS.items()}
    assert sizes == {
        "ntu-25": 25,
        "ntu-25-star": 25,
        "openpose-18": 18,
        "body-14": 14,
        "body-25": 25,
        "mediapipe-33": 33,
        "coco-17": 17,
        "jhmdb-15": 15,
        "kinect-20": 20,
        "kinect-20-hip": 20,
        "kinect-20-msr": 20,
        "kinect-15": 15,
    }


@pytest.mark.parametrize(
    ("name", "hops"),
    [
        ("openpose-18", [1, 0, 1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 2, 2, 3, 3]),
        ("body-14", [1, 0, 1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4]),
        ("ntu-25", [2, 1, 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 3, 4, 5, 6, 3, 4, 5, 6, 0, 6, 5, 6, 5]),
        (
            "ntu-25-star",
            [2, 1, 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 3, 4, 5, 6, 3, 4, 5, 6, 0, 5, 5, 5, 5],
        ),
    ],
)
def test_hops_to_the_centre_are_the_published_ones(name, hops):
    assert hop_distances(LAYOUTS[name]).tolist() == hops


@pytest.mark.parametrize("name", LAYOUTS)
def test_hops_are_those_of_a_walk_over_the_graph(name):
    layout = LAYOUTS[name]
    reached, distance = {layout.centre}, {layout.centre: 0}
    for step in range(1, len(layout.joints)):
        front = {a for a, b in layout.edges if b in reached} | {
            b for a, b in layout.edges if a in reached
        }
        distance |= dict.fromkeys(front - reached, step)
        reached |= front
    assert hop_distances(layout).tolist() == [
        distance[joint] for joint in range(len(layout.joints))
    ]


@pytest.mark.parametrize("name", LAYOUTS)
def test_left_right_pairs_follow_the_names_and_miss_none(name):
    layout = LAYOUTS[name]
    for left, right in layout.pairs:
        assert layout.joints[left].startswith("left_")
        assert layout.joints[right] == layout.joints[left].replace("left_", "right_")
    sided = {joint for pair in layout.pairs for joint in pair}
    assert sided == {
        index for index, joint in enumerate(layout.joints) if joint.startswith(("left_", "right_"))
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_mirrored_skeleton_has_the_same_edges_and_bones(name):
    layout = LAYOUTS[name]
    order = layout.mirrored()
    assert [order[joint] for joint in order] == list(range(len(order)))
    assert {(order[a], order[b]) for a, b in layout.edges} == set(layout.edges)
    assert {(order[a], order[b]) for a, b in layout.bones} == set(layout.bones)


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("openpose-18", {(5, 2), (6, 3), (7, 4), (11, 8), (12, 9), (13, 10), (15, 14), (17, 16)}),
        ("coco-17", {(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)}),
        ("jhmdb-15", {(4, 3), (6, 5), (8, 7), (10, 9), (12, 11), (14, 13)}),
        (
            "body-25",
            {
                (5, 2),
                (6, 3),
                (7, 4),
                (12, 9),
                (13, 10),
                (14, 11),
                (16, 15),
                (18, 17),
                (19, 22),
                (20, 23),
                (21, 24),
            },
        ),
        ("mediapipe-33", {(1, 4), (2, 5), (3, 6)} | {(left, left + 1) for left in range(7, 33, 2)}),
        (
            "kinect-20-msr",
            {(1, 0), (5, 4), (8, 7), (10, 9), (12, 11), (14, 13), (16, 15), (18, 17)},
        ),
        ("kinect-15", {(3, 6), (4, 7), (5, 8), (9, 12), (10, 13), (11, 14)}),
        ("kinect-20", {(left, left + 4) for left in (4, 5, 6, 7, 12, 13, 14, 15)}),
        (
            "ntu-25",
            {(left, left + 4) for left in (4, 5, 6, 7, 12, 13, 14, 15)} | {(21, 23), (22, 24)},
        ),
    ],
)
def test_left_right_pairs_are_those_of_the_published_joint_order(name, pairs):
    assert set(LAYOUTS[name].pairs) == pairs


@pytest.mark.parametrize(
    ("name", "limb"),
    [
        (
            "ntu-25",
            (
                (7, 6),
                (6, 5),
                (5, 4),
                (4, 20),
                (19, 18),
                (18, 17),
                (17, 16),
                (16, 0),
                (0, 1),
                (1, 20),
                (3, 2),
                (2, 20),
            ),
        ),
        (
            "kinect-20",
            (
                (7, 6),
                (6, 5),
                (5, 4),
                (4, 1),
                (19, 18),
                (18, 17),
                (17, 16),
                (16, 3),
                (3, 2),
                (2, 1),
                (0, 1),
            ),
        ),
        (
            "kinect-20-hip",
            (
                (7, 6),
                (6, 5),
                (5, 4),
                (4, 2),
                (19, 18),
                (18, 17),
                (17, 16),
                (16, 0),
                (0, 1),
                (1, 2),
                (3, 2),
            ),
        ),
        (
            "kinect-20-msr",
            (
                (12, 10),
                (10, 8),
                (8, 1),
                (1, 2),
                (17, 15),
                (15, 13),
                (13, 4),
                (4, 6),
                (6, 3),
                (3, 2),
                (19, 2),
            ),
        ),
        (
            "body-25",
            (
                (7, 6),
                (6, 5),
                (5, 1),
                (23, 22),
                (22, 11),
                (11, 10),
                (10, 9),
                (9, 8),
                (8, 1),
                (18, 16),
                (16, 0),
            ),
        ),
        (
            "mediapipe-33",
            (
                (19, 15),
                (15, 13),
                (13, 11),
                (11, 0),
                (32, 28),
                (28, 26),
                (26, 24),
                (24, 12),
                (8, 6),
                (6, 5),
                (5, 4),
                (4, 0),
            ),
        ),
        ("kinect-15", ((5, 4), (4, 3), (3, 1), (14, 13), (13, 12), (12, 2), (2, 1), (0, 1))),
        ("jhmdb-15", ((12, 8), (8, 4), (4, 0), (13, 9), (9, 5), (5, 1), (1, 0), (2, 0))),
        ("coco-17", ((9, 7), (7, 5), (5, 0), (16, 14), (14, 12), (12, 6), (6, 0), (4, 2), (2, 0))),
    ],
)
def test_limbs_hang_together_from_the_tip_to_the_centre(name, limb):
    assert set(limb) <= set(LAYOUTS[name].edges)


def test_the_two_ntu_graphs_differ_in_four_edges_and_share_their_bones():
    tips, star = LAYOUTS["ntu-25"], LAYOUTS["ntu-25-star"]
    assert set(tips.edges) - set(star.edges) == {(21, 22), (23, 24)}
    assert set(star.edges) - set(tips.edges) == {(21, 7), (23, 11)}
    assert tips.bones == star.bones
    assert tips.bones[20:] == ((20, 20), (21, 22), (22, 7), (23, 24), (24, 11))


def test_body_14_is_openpose_18_without_eyes_and_ears():
    small, large = LAYOUTS["body-14"], LAYOUTS["openpose-18"]
    assert small.joints == large.joints[:14]
    assert small.bones == large.bones[:14]
    assert set(small.edges) == {edge for edge in large.edges if max(edge) < 14}


@pytest.mark.parametrize("other", ["kinect-20-hip", "kinect-20-msr"])
def test_all_kinect_orders_are_one_skeleton(other):
    first, second = LAYOUTS["kinect-20"], LAYOUTS[other]
    by_name = [
        {(layout.joints[a], layout.joints[b]) for a, b in layout.edges}
        for layout in (first, second)
    ]
    assert by_name[0] == by_name[1]
    assert first.joints[first.centre] == second.joints[second.centre] == "shoulder_centre"


def test_published_bones_are_kept_where_they_leave_the_graph():
    assert LAYOUTS["openpose-18"].bones[:3] == ((0, 0), (1, 0), (2, 1))
    assert LAYOUTS["coco-17"].bones[11:13] == ((11, 0), (12, 0))


@pytest.mark.parametrize("name", LAYOUTS)
def test_view_alignment_uses_the_right_and_left_shoulder_and_a_spine_that_rises(name):
    layout = LAYOUTS[name]
    assert layout.shoulders is not None
    assert [layout.joints[joint] for joint in layout.shoulders] == [
        "right_shoulder",
        "left_shoulder",
    ]
    if layout.spine:
        assert hop_distances(layout)[layout.spine[0]] > hop_distances(layout)[layout.spine[1]]


# --- a layout of one's own


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_survives_json(name):
    assert Layout.from_dict(json.loads(json.dumps(LAYOUTS[name].to_dict()))) == LAYOUTS[name]


def test_a_json_file_needs_names_edges_and_a_centre_only(tmp_path):
    content = {
        "name": "mini",
        "joints": ["chest", "left_hand", "right_hand", "head"],
        "edges": [["chest", "left_hand"], ["right_hand", "chest"], [3, 0]],
        "centre": "chest",
        "shoulders": ["right_hand", "left_hand"],
    }
    path = tmp_path / "mini.json"
    path.write_text(json.dumps(content))
    layout = get_layout(path)
    assert layout.edges == ((1, 0), (2, 0), (3, 0))
    assert layout.bones == ((0, 0), (1, 0), (2, 0), (3, 0))
    assert layout.pairs == ((1, 2),)
    assert layout.shoulders == (2, 1)
    assert layout.mirrored() == (0, 2, 1, 3)


def test_the_readmes_layout_is_one():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    layout = Layout.from_dict(json.loads(example))
    assert layout.pairs == ((2, 4), (3, 5))
    assert layout.bones == ((0, 1), (1, 1), (2, 1), (3, 2), (4, 1), (5, 4))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"edges": [[0, 1], [0, 2], [2, 4]]},
            "layout 'hand': edges names joint 4; give a name or a number, 0 to 3",
        ),
        ({"edges": [[0, 1], [0, 2], [2, 2]]}, "layout 'hand': edge (2, 2) joins a joint to itself"),
        ({"edges": [[0, 1], [0, 2], [2, 3], [3, 1]]}, "layout 'hand': edge (3, 1) closes a cycle"),
        ({"edges": [[0, 1], [0, 2], [2, 3], [3, 2]]}, "layout 'hand': edge (3, 2) is given twice"),
        (
            {"edges": [[0, 1], [2, 3]]},
            "layout 'hand': no chain of edges leads from joint 2 to joint 0",
        ),
        ({"edges": [[0, 1], [0, 2, 3]]}, "layout 'hand': edges wants two joints, got [0, 2, 3]"),
        ({"edges": 3}, "layout 'hand': edges must be a list, got 3"),
        (
            {"edges": [["wrist", "thumbs"]]},
            "unknown joint in edges of layout 'hand' 'thumbs'; available: finger, thumb, tip,",
        ),
        ({"centre": 4}, "layout 'hand': centre names joint 4"),
        ({"centre": "palm"}, "unknown joint in centre of layout 'hand' 'palm'"),
        ({"joints": ["a", "a", "b", "c"]}, "layout 'hand': joint names must be given and differ"),
        ({"joints": 4}, "layout 'hand': joints must be a list of names, got 4"),
        (
            {"bones": [[0, 0], [1, 0], [2, 0]]},
            "layout 'hand': bones must be one (joint, parent) per joint",
        ),
        (
            {"bones": [[0, 0], [1, 0], [2, 3], [3, 2]]},
            "layout 'hand', bones: edge (3, 2) is given twice",
        ),
        ({"pairs": [[1, 2], [2, 3]]}, "layout 'hand': a joint stands in two left/right pairs"),
        ({"center": 0}, "unknown layout field 'center'; available: bones, centre,"),
    ],
)
def test_a_faulty_layout_is_refused_with_what_is_wrong(change, message):
    with pytest.raises(UserError, match=re.escape(message)):
        Layout.from_dict(HAND | change)


def test_a_layout_without_a_centre_says_so():
    with pytest.raises(UserError, match="layout 'hand': lacks centre"):
        Layout.from_dict({key: value for key, value in HAND.items() if key != "centre"})


def test_an_edge_that_points_away_from_the_centre_is_refused():
    with pytest.raises(UserError, match=re.escape("edge (0, 1) must be (child, parent)")):
        Layout(name="x", joints=("a", "b"), edges=((0, 1),), bones=((0, 0), (1, 0)), centre=0)


def test_an_unknown_layout_lists_those_that_exist():
    with pytest.raises(
        UserError, match=r"unknown layout 'ntu25'; available: .*ntu-25, .*did you mean 'ntu-25'"
    ):
        get_layout("ntu25")


def test_a_layout_file_that_is_absent_or_no_json_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot read the layout file .*none.json': No such file"):
        get_layout(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("joints: 3")
    with pytest.raises(UserError, match=r"the layout file .*text.json' is not JSON"):
        get_layout(tmp_path / "text.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(UserError, match="a layout is a JSON object"):
        get_layout(tmp_path / "list.json")


# --- adjacency


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
        seen = [hop if hop <= 1 or strategy == "spatial" else 99 for hop in hops]
        if source == target:
            return 0
        if strategy == "spatial":
            return 1 if seen[source] < seen[target] else 2 if seen[source] > seen[target] else 0
        return 2 if seen[source] < seen[target] else 1

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
    assert [len(found) for found in distances] == [13, 13, 13, 12]
    np.testing.assert_allclose(
        gravity_radii(clips), [np.mean(found) for found in distances], rtol=1e-5
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
