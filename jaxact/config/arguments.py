"""The argument of a config file: words for a data set, one of its splits and a row of a table.

``configs/stgcn.py:ntu60,xview,res_tcn`` holds three words, ``configs/stgcn.py:sbu,fold2,quick``
too. Words are separated by commas and their order does not matter. Each word belongs to one choice:

  data set  the name of a prepared data set without its folder: ``jhmdb14`` is ``custom/jhmdb14``
  split     a fold, protocol or split of that data set; training reads ``SPLIT_train`` and
            evaluation ``SPLIT_test``
  row       a row of a paper's table: another system, or another value of an option
  quick     a small network and one epoch, to try the whole way

A choice that the argument leaves out has its first word.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from jaxact.config.training import DataConfig
from jaxact.errors import UserError, unknown

QUICK = "quick"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A prepared data set that configs choose by a word.

    Attributes:
        name: name of the prepared data set.
        splits: words for its splits, the default first; empty where it has one division only.
        eval_split: what evaluation reads where there are no words for splits.
    """

    name: str
    splits: tuple[str, ...] = ()
    eval_split: str = "test"


def _numbered(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


_OFFICIAL = _numbered("official", 3)
_VIDEO_SPLITS = ("random_3to1", *_OFFICIAL, "group")
DATASETS: dict[str, Dataset] = {
    "ntu60": Dataset(name="ntu60", splits=("xsub", "xview")),
    "ntu120": Dataset(name="ntu120", splits=("xsub", "xset")),
    "kinetics_skeleton": Dataset(name="kinetics_skeleton", eval_split="val"),
    "utd_mhad": Dataset(name="utd_mhad"),
    "sbu": Dataset(name="sbu", splits=_numbered("fold", 5)),
    "jhmdb14": Dataset(name="custom/jhmdb14", splits=_numbered("split", 3)),
    "jhmdb_detected": Dataset(name="jhmdb_detected", splits=_OFFICIAL),
    "ucf101_32": Dataset(
        name="ucf101_32", splits=(*_numbered("fold", 5), *_numbered("group_fold", 5))
    ),
    "synthetic_actions": Dataset(name="synthetic_actions"),
    "mine": Dataset(name="custom/mine"),
    "ucf101": Dataset(name="ucf101", splits=_VIDEO_SPLITS),
    "hmdb51": Dataset(name="hmdb51", splits=_VIDEO_SPLITS),
    "kinetics": Dataset(name="video_folder/kinetics", eval_split="val"),
    "jhmdb_video": Dataset(name="jhmdb_video", splits=_OFFICIAL),
    "jhmdb_pose": Dataset(name="jhmdb_pose", splits=_OFFICIAL),
}


_Choices = dict[str, tuple[str, ...]]  # the words of a data set, by "split" and "row"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What an argument selects.

    Attributes:
        dataset: a word of `DATASETS`.
        split: a word for a split of that data set; "" where it has none.
        row: a row of the config; "" where it has none for that data set.
        quick: whether a small network and one epoch are wanted.
    """

    dataset: str
    split: str
    row: str
    quick: bool

    def data(self, *, shuffle_buffer: int = 8192) -> DataConfig:
        """The data section that reads the selected data set and split."""
        dataset = DATASETS[self.dataset]
        if not self.split:
            train_split, eval_split = "train", dataset.eval_split
        else:
            train_split, eval_split = f"{self.split}_train", f"{self.split}_test"
        return DataConfig(
            name=dataset.name,
            train_split=train_split,
            eval_split=eval_split,
            shuffle_buffer=shuffle_buffer,
        )


def choose(
    arg: str, rows: Mapping[str, Iterable[str]], *, default_split: str | None = None
) -> Selection:
    """Parses the argument of a config; every config calls it.

    Args:
        arg: words separated by commas in any order, such as "ntu60,xview,res_tcn,quick".
        rows: the rows that the config has for each of its data sets, as words of `DATASETS`. The
            first data set and the first row are the defaults.
        default_split: the split where the argument names none; the data set's first one if None.

    Raises:
        UserError: an unknown word, a word given twice, two words for one choice, or a word that
            does not go with the data set; lists the words that are available.
    """
    words = arg.split(",") if arg else []
    tables = {dataset: _choices(dataset, rows[dataset]) for dataset in rows}
    vocabulary = set(tables).union(*(_words(choices) for choices in tables.values()))
    for word in words:
        if word not in vocabulary:
            datasets = [other for other in words if other in tables]
            available = _words(tables[datasets[0]]) if datasets else vocabulary
            raise unknown("word of the config's argument", word, available)
        if words.count(word) > 1:
            raise UserError(f"the argument {arg!r} holds {word!r} twice; once is enough")
    dataset = _only("data set", words, tuple(tables), arg) or next(iter(tables))
    choices = tables[dataset]
    for word in words:
        if word not in tables and word not in _words(choices):
            datasets = [other for other in tables if word in _words(tables[other])]
            raise UserError(
                f"the word {word!r} of the argument {arg!r} goes with the data set "
                f"{' or '.join(datasets)}, not with {dataset}; available for {dataset}: "
                f"{', '.join(_words(choices))}"
            )
    split = _only("split", words, choices["split"], arg)
    row = _only("row", words, choices["row"], arg)
    if not split and choices["split"]:
        split = default_split or choices["split"][0]
    if not row and choices["row"]:
        row = choices["row"][0]
    return Selection(dataset=dataset, split=split, row=row, quick=QUICK in words)


def _choices(dataset: str, rows: Iterable[str]) -> _Choices:
    return {"split": DATASETS[dataset].splits, "row": tuple(rows)}


def _words(choices: _Choices) -> tuple[str, ...]:
    return (*choices["split"], *choices["row"], QUICK)


def _only(choice: str, words: Sequence[str], available: tuple[str, ...], arg: str) -> str:
    """The word of the argument for this choice, or ""."""
    chosen = [word for word in words if word in available]
    if len(chosen) > 1:
        raise UserError(
            f"the argument {arg!r} holds both {chosen[0]!r} and {chosen[1]!r}, but takes one "
            f"{choice}; available: {', '.join(available)}"
        )
    return chosen[0] if chosen else ""
