"""Layouts from JSON, and the errors of a faulty one."""

import json
import re
from pathlib import Path

import pytest

from jaxact.errors import UserError
from jaxact.skeletons import LAYOUTS, Layout, get_layout

HAND = {
    "name": "hand",
    "joints": ["wrist", "thumb", "finger", "tip"],
    "edges": [[0, 1], [0, 2], [2, 3]],
    "centre": 0,
}


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
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
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
