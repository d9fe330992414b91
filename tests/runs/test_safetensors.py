"""The safetensors format: its bytes by hand, a round trip, and files that lie."""

import json

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.runs import safetensors


def file_of(tmp_path, header, content=b""):
    text = json.dumps(header).encode()
    (tmp_path / "x.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + content)
    return tmp_path / "x.safetensors"


def test_what_is_written_is_read_again(tmp_path):
    arrays = {
        "b/c": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.float16([1.5]),
        "e": np.zeros((0, 2), np.int32),
    }
    safetensors.write(tmp_path / "x.safetensors", arrays, {"network": "toy"})
    restored, metadata = safetensors.read(tmp_path / "x.safetensors")
    assert metadata == {"network": "toy"} and restored.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(restored[name], array)
        assert restored[name].dtype == array.dtype


def test_the_bytes_are_those_of_the_format(tmp_path):
    safetensors.write(tmp_path / "x.safetensors", {"w": np.float32([1, 2])})
    content = (tmp_path / "x.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    assert json.loads(content[8 : 8 + length]) == {
        "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    }
    assert content[8 + length :] == np.array([1, 2], "<f4").tobytes()
    entry = {"dtype": "I64", "shape": [1, 2], "data_offsets": [0, 16]}
    restored, _ = safetensors.read(
        file_of(tmp_path, {"n": entry}, np.array([3, -4], "<i8").tobytes())
    )
    np.testing.assert_array_equal(restored["n"], [[3, -4]])


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 12]},  # more bytes than the shape has
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},  # beyond the end
        {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]},
        {"dtype": "PICKLE", "shape": [2], "data_offsets": [0, 8]},
        {"shape": [2]},
        [],
    ],
)
def test_a_header_that_lies_is_one_sentence(tmp_path, entry):
    with pytest.raises(UserError, match=r"x.safetensors' is no complete safetensors file: "):
        safetensors.read(file_of(tmp_path, {"w": entry}, b"\0" * 8))


def test_a_file_of_another_kind_is_one_sentence(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"PK\3\4 something else altogether")
    with pytest.raises(
        UserError, match=r"is no complete safetensors file: its header would be \d+ bytes long"
    ):
        safetensors.read(path)
    with pytest.raises(UserError, match=r"cannot read .*none.safetensors': No such file"):
        safetensors.read(tmp_path / "none.safetensors")
