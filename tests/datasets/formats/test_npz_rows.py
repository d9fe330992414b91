"""Rows of an .npz, one at a time."""

import tracemalloc
import zipfile

import numpy as np
import pytest

from jaxact.datasets.formats.npz_rows import Rows
from jaxact.errors import UserError


def test_a_broken_compressed_archive_raises_at_the_row(tmp_path):
    raw = tmp_path / "a.npz"
    np.savez_compressed(raw, x_train=np.random.default_rng(0).normal(size=(3, 400, 150)))
    with zipfile.ZipFile(raw) as archive:
        entry = archive.getinfo("x_train.npy")
    content = bytearray(raw.read_bytes())
    middle = entry.header_offset + entry.compress_size // 2
    content[middle : middle + 2000] = bytes(2000)
    raw.write_bytes(content)
    rows = Rows(str(raw), "x_train")
    assert rows[0].shape == (400, 150)
    with pytest.raises(UserError, match=r"a.npz' is not a readable .npz of plain arrays"):
        for index in range(3):
            rows[index]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_row_of_a_large_archive_takes_the_memory_of_one_row(tmp_path, save):
    save(tmp_path / "a.npz", x=np.zeros((200, 300, 150), np.float32))
    tracemalloc.start()
    rows = Rows(str(tmp_path / "a.npz"), "x")
    for index in (0, 100, 199):
        assert rows[index].shape == (300, 150)
    assert tracemalloc.get_traced_memory()[1] < 2e6, "the array is 36 MB"
    tracemalloc.stop()
