"""The named layouts against the published joint orders and graphs."""

import pytest

from jaxact.skeletons import LAYOUTS, hop_distances


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
