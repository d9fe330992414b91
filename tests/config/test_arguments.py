"""The argument of a config: words in any order, each of one choice."""

import pytest

from jaxact.config import arguments, choose
from jaxact.errors import UserError

ROWS = {"ntu60": ("gcn", "tcn"), "kinetics_skeleton": ("lstm", "gcn"), "sbu": ()}


def chosen(arg: str) -> tuple[str, str, str, bool]:
    selection = choose(arg, ROWS)
    return selection.dataset, selection.split, selection.row, selection.quick


@pytest.mark.parametrize(
    ("arg", "selection"),
    [
        ("", ("ntu60", "xsub", "gcn", False)),
        ("quick", ("ntu60", "xsub", "gcn", True)),
        ("tcn,xview", ("ntu60", "xview", "tcn", False)),
        ("xview,quick,ntu60,tcn", ("ntu60", "xview", "tcn", True)),
        ("kinetics_skeleton", ("kinetics_skeleton", "", "lstm", False)),
        ("gcn,kinetics_skeleton", ("kinetics_skeleton", "", "gcn", False)),
        ("fold3,sbu", ("sbu", "fold3", "", False)),
    ],
)
def test_words_choose_in_any_order_and_the_first_is_the_default(arg, selection):
    assert chosen(arg) == selection


@pytest.mark.parametrize(
    ("arg", "message"),
    [
        (
            "ntu60,tcm",
            "unknown word of the config's argument 'tcm'; available: gcn, quick, tcn, xsub, xview; "
            "did you mean 'tcn'",
        ),
        (
            "ntu06",
            "unknown word of the config's argument 'ntu06'; available: .*did you mean 'ntu60'",
        ),
        ("sbu, fold2", "unknown word of the config's argument ' fold2'; .*did you mean 'fold2'"),
        ("sbu,,quick", "unknown word of the config's argument ''; available: fold1, fold2"),
        (
            "xsub,xview",
            "the argument 'xsub,xview' holds both 'xsub' and 'xview', but takes one split; "
            "available: xsub, xview",
        ),
        ("gcn,tcn", "holds both 'gcn' and 'tcn', but takes one row; available: gcn, tcn"),
        ("sbu,ntu60", "holds both 'sbu' and 'ntu60', but takes one data set; available: ntu60, k"),
        ("quick,quick", "the argument 'quick,quick' holds 'quick' twice; once is enough"),
        (
            "kinetics_skeleton,xview",
            "the word 'xview' of the argument 'kinetics_skeleton,xview' goes with the data set "
            "ntu60, not with kinetics_skeleton; available for kinetics_skeleton: lstm, gcn, quick",
        ),
        ("fold2", "goes with the data set sbu, not with ntu60; available for ntu60: xsub, xview,"),
        ("sbu,gcn", "goes with the data set ntu60 or kinetics_skeleton, not with sbu; available"),
    ],
)
def test_a_wrong_word_is_one_sentence_with_what_is_available(arg, message):
    with pytest.raises(UserError, match=message):
        choose(arg, ROWS)


def test_a_selection_reads_the_splits_of_its_data_set():
    data = choose("sbu,fold2", ROWS).data(shuffle_buffer=5)
    assert (data.name, data.train_split, data.eval_split) == ("sbu", "fold2_train", "fold2_test")
    assert data.shuffle_buffer == 5
    data = choose("kinetics_skeleton", ROWS).data()
    assert (data.train_split, data.eval_split) == ("train", "val")


def test_a_config_may_have_a_default_split_of_its_own():
    rows = {"ucf101": (), "kinetics": ()}
    assert choose("", rows).split == "random_3to1"
    assert choose("", rows, default_split="official1").split == "official1"
    assert choose("group", rows, default_split="official1").split == "group"
    assert choose("kinetics", rows, default_split="official1").split == ""


def test_a_word_for_a_data_set_is_its_name_without_the_folder():
    for word, dataset in arguments.DATASETS.items():
        assert word == dataset.name.split("/")[-1]
