"""PyTorch's files without PyTorch: whatever they hold is numbers, or they are refused by name."""

import collections
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from jaxact import cli
from jaxact.errors import UserError
from jaxact.interop import torch_files
from tests.interop.torch_writing import Call, Global, Storage, tensor, write

DATA = Path(os.environ.get("JAXACT_DATA", "/nowhere")) / "weights"
ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
def test_both_forms_give_the_arrays_by_name_and_tell_what_is_beside(tmp_path, legacy):
    state = collections.OrderedDict(a=ARRAY, b=ARRAY.astype(np.float64), n=np.array(7))
    path = write(
        tmp_path / "x.pt",
        {"state_dict": state, "optimizer": {"state": {0: ARRAY}}, "epoch": 3},
        legacy=legacy,
    )
    weights, others = torch_files.read(path)
    assert list(weights) == ["a", "b", "n"] and others == ("optimizer", "epoch")
    for name, array in state.items():
        np.testing.assert_array_equal(weights[name], array)
        assert weights[name].dtype == array.dtype


def test_views_share_a_storage_and_keep_their_strides(tmp_path):
    whole = Storage(ARRAY)
    views = {"t": tensor(whole, (4, 3), (1, 4)), "row": tensor(whole, (4,), (1,), offset=4)}
    weights, _ = torch_files.read(write(tmp_path / "x.pt", views))
    np.testing.assert_array_equal(weights["t"], ARRAY.T)
    np.testing.assert_array_equal(weights["row"], ARRAY[1])


def test_half_precision_of_either_kind_is_read(tmp_path):
    bits = (ARRAY.view(np.uint32) >> 16).astype(np.uint16)
    stored = {
        "b": tensor(Storage(bits, "BFloat16Storage"), (3, 4), (4, 1)),
        "h": ARRAY.astype(np.float16),
    }
    weights, _ = torch_files.read(write(tmp_path / "x.pt", stored))
    np.testing.assert_array_equal(weights["b"], ARRAY)  # small whole numbers need no more bits
    np.testing.assert_array_equal(weights["h"], ARRAY)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "torch.nn.modules.linear.Linear", "builtins.getattr"]
)
def test_a_name_outside_the_list_is_refused_and_nothing_is_run(tmp_path, name, legacy):
    evidence = tmp_path / "ran"
    path = write(
        tmp_path / "x.pt",
        {"a": ARRAY, "b": Call(Global(name), (f"touch {evidence}",))},
        legacy=legacy,
    )
    with pytest.raises(
        UserError, match=rf"asks for '{name}', .* refused, and nothing of it was run"
    ):
        torch_files.read(path)
    assert not evidence.exists()


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (((3, 5), (4, 1), 0), r"a tensor of shape \(3, 5\) does not fit in 12 numbers"),
        (((12,), (1,), 1), r"shape \(12,\) does not fit in 12 numbers"),
        (((10**9, 10**9), (0, 0), 0), r"does not fit in 12 numbers"),
        (((4,), (-1,), 3), r"is no valid view of a storage in the file"),
        (((4,), (1, 1), 0), r"is no valid view of a storage in the file"),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path, view, message):
    shape, strides, offset = view
    with pytest.raises(UserError, match=message):
        torch_files.read(
            write(tmp_path / "x.pt", {"a": tensor(Storage(ARRAY), shape, strides, offset=offset)})
        )


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
def test_a_file_cut_off_anywhere_is_refused(tmp_path, share, legacy):
    path = write(tmp_path / "x.pt", {"a": ARRAY, "b": ARRAY}, legacy=legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="is no complete PyTorch checkpoint: "):
        torch_files.read(path)


def test_sizes_are_held_against_the_file_before_anything_is_read(tmp_path):
    path = write(tmp_path / "x.pt", {"a": ARRAY}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="is compressed, which PyTorch's never are"):
        torch_files.read(path)
    path = write(tmp_path / "y.pt", {"a": tensor(Storage(ARRAY, count=10**12), (3, 4), (4, 1))})
    with pytest.raises(UserError, match="has 48 bytes, wanted 1000000000000 numbers of 4 bytes"):
        torch_files.read(path)
    path = write(
        tmp_path / "z.pt", {"a": tensor(Storage(ARRAY, count=10**12), (3, 4), (4, 1))}, legacy=True
    )
    with pytest.raises(UserError, match="the numbers of '0' are cut off"):
        torch_files.read(path)


def test_a_pickle_that_asks_for_memory_is_refused(tmp_path):
    program = (
        b"\x80\x02}" + b"r" + (2**31 - 1).to_bytes(4, "little") + b"."
    )  # the dict goes to a far place in the memo
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x/data.pkl", program)
    (tmp_path / "x.pt").write_bytes(buffer.getvalue())
    with pytest.raises(UserError, match="it asks for 2147483647 places in memory"):
        torch_files.read(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*No such file"),
        (b"", "is no complete PyTorch checkpoint"),
        (b"hello", "is no complete PyTorch checkpoint"),
        (pickle.dumps({"a": 1}, 2), "does not begin as PyTorch's files do"),
    ],
)
def test_what_is_no_checkpoint_is_one_sentence(tmp_path, content, message):
    if content is not None:
        (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        torch_files.read(tmp_path / "x.pt")


def test_a_checkpoint_without_weights_names_what_it_has(tmp_path):
    with pytest.raises(UserError, match="no weights in it, only epoch, history"):
        torch_files.read(write(tmp_path / "x.pt", {"epoch": 3, "history": [1.0]}))


def test_a_refused_file_leaves_nothing_and_ends_with_code_2(tmp_path, capsys):
    path = write(tmp_path / "x.pt", {"a": Call(Global("os.system"), ("true",))})
    assert cli.main(["import", "torch-stgcn", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "asks for 'os.system'" in capsys.readouterr().err and not (tmp_path / "run").exists()


@pytest.mark.skipif(not DATA.is_dir(), reason="JAXACT_DATA names no folder of real data")
def test_real_files_give_what_pytorch_gives():
    torch = pytest.importorskip("torch")
    for path in (*DATA.glob("*.pt"), *DATA.glob("*.pth")):
        weights, _ = torch_files.read(path)
        state = torch.load(path, weights_only=True, map_location="cpu")
        state = state.get("model", state)
        assert list(weights) == list(state)
        assert all(np.array_equal(weights[name], value.numpy()) for name, value in state.items())
