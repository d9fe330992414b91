"""Pickles of arrays are read; a pickle with any other name is rejected and runs nothing."""

import builtins
import collections
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.formats import safe_pickle
from jaxact.errors import UserError

CONTENT = {
    "array": np.arange(12, dtype=np.float16).reshape(2, 3, 2),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "strings": np.array(["a", "bcd"]),
    "objects": np.array([{"a": 1}, None], dtype=object),
    "empty": np.zeros((0, 3), np.float32),
    "number": np.float32(0.5),
    "truth": np.bool_(True),
    "plain": [1, 2.5, "text", b"bytes", None, (1, 2), {3}, frozenset({4}), bytearray(b"x"), 1j],
    "ordered": collections.OrderedDict(a=1),
}


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def write_pickle(path: Path, content, protocol: int = pickle.DEFAULT_PROTOCOL) -> str:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return str(path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_round_trips_arrays_and_containers(tmp_path, protocol):
    path = write_pickle(tmp_path / "a.pkl", CONTENT, protocol)
    content, trusted = safe_pickle.load(path), pickle.loads(Path(path).read_bytes())
    assert list(content) == list(CONTENT)
    for key, value in trusted.items():
        assert isinstance(content[key], type(value))
        if isinstance(value, np.ndarray):
            assert type(np.asarray(content[key])) is np.ndarray
            np.testing.assert_array_equal(content[key], CONTENT[key])
            assert (content[key].dtype, content[key].strides) == (value.dtype, value.strides)
        else:
            assert content[key] == CONTENT[key]
    assert list(map(type, content["plain"])) == list(map(type, CONTENT["plain"]))


@pytest.mark.parametrize(
    ("new", "old"), [(b"numpy._core.", b"numpy.core."), (b"numpy.core.", b"numpy._core.")]
)
def test_arrays_of_older_and_newer_numpy_are_read(tmp_path, new, old):
    content = pickle.dumps(CONTENT["array"], protocol=2)
    (tmp_path / "a.pkl").write_bytes(content.replace(new, old))
    np.testing.assert_array_equal(safe_pickle.load(str(tmp_path / "a.pkl")), CONTENT["array"])


def test_text_of_python_2_is_read(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02]q\x00U\x03\xe9t\xe9q\x01a.")
    assert safe_pickle.load(str(tmp_path / "a.pkl")) == ["été"]


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda path: Call(os.system, f"touch {path}"), f"{os.system.__module__}.system"),
        (lambda path: Call(builtins.eval, f"open({str(path)!r}, 'w')"), "eval"),
        (lambda path: Call(builtins.exec, f"open({str(path)!r}, 'w')"), "exec"),
        (lambda path: Call(builtins.open, str(path), "w"), "open"),
        (lambda path: Call(subprocess.Popen, ["touch", str(path)]), "Popen"),
        (lambda path: Call(np.savetxt, str(path), [1.0]), "numpy.savetxt"),
        (lambda path: Call(np.load, str(path)), "numpy.load"),
        (lambda path: Call(np.memmap, str(path), "u1", "w+", 0, (1,)), "numpy.memmap"),
        (lambda path: Call(getattr, [], "append"), "getattr"),
        (lambda path: Path, "pathlib"),
    ],
)
def test_a_pickle_with_a_forbidden_name_is_rejected_and_runs_nothing(
    tmp_path, call, name, protocol
):
    target = tmp_path / "made"
    path = write_pickle(
        tmp_path / "bad.pkl", {"keypoint": CONTENT["array"], "x": call(target)}, protocol
    )
    with pytest.raises(
        UserError,
        match=rf"bad.pkl' asks for '[\w.]*{name}[\w.]*', which is not part of .*: refused",
    ):
        safe_pickle.load(path)
    assert not target.exists()


def test_the_plain_unpickler_runs_the_bad_pickle_of_these_tests(tmp_path):
    target = tmp_path / "made"
    pickle.loads(pickle.dumps(Call(os.system, f"touch {target}")))
    assert target.exists()


def test_a_module_named_in_a_pickle_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "trap_module.py").write_text(f"open({str(tmp_path / 'made')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bad.pkl").write_bytes(b"ctrap_module\nthing\n.")
    with pytest.raises(UserError, match=r"asks for 'trap_module.thing'"):
        safe_pickle.load(str(tmp_path / "bad.pkl"))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps(CONTENT)[:-40],
        pickle.dumps(CONTENT)[:200],
        b"\x80\x04\x95",
        b"cnumpy\nndarray\n(I1\nI2\nS'a'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I9\ntNI00\nS'x'\ntb.",
        b"c_codecs\nencode\n(VAAAA\nVbase64\ntR.",
        b"\x82\x01.",
        b"Pname\n.",
    ],
)
def test_the_error_names_an_incomplete_pickle(tmp_path, content):
    (tmp_path / "broken.pkl").write_bytes(content)
    with pytest.raises(UserError, match=r"broken.pkl' is not a readable pickle: "):
        safe_pickle.load(str(tmp_path / "broken.pkl"))


def test_raw_bytes_never_become_objects(tmp_path):
    """The state of a numpy dtype can hide an object field, whose bytes would become a pointer."""
    kind = b"cnumpy\ndtype\n(S'%s'\nI00\nI01\ntR(I3\nS'|'\n%stb"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I1\nt%sI00\nS'12345678'\ntb."
    )
    plain, hidden = b"NNNI-1\nI-1\nI0\n", b"N(S'a'\nt(dS'a'\n(I0\nI0\ntsI8\nI1\nI0\n"
    for name, state, problem in (
        (b"O", plain, "an array of object is made from a bytes"),
        (b"V8", hidden, "an array of 'V8'"),
        (b"f8", hidden, "an array of records"),
        (b"f8,O", plain, "an array of 'f8,O'"),
    ):
        (tmp_path / "bad.pkl").write_bytes(array % (kind % (name, state)))
        with pytest.raises(UserError, match=problem):
            safe_pickle.load(str(tmp_path / "bad.pkl"))
    (tmp_path / "good.pkl").write_bytes(array % (kind % (b"f8", plain)))
    assert safe_pickle.load(str(tmp_path / "good.pkl")) == np.frombuffer(b"12345678", "f8")


def test_a_pickle_cannot_change_the_reader(tmp_path):
    """The instruction BUILD sets attributes; the allowed names must not have any to set."""
    for name in (
        "numpy\ndtype",
        "numpy\nndarray",
        "builtins\nlist",
        "collections\nOrderedDict",
        "_codecs\nencode",
    ):
        for attribute in (b"make", b"fromkeys", b"own"):
            (tmp_path / "bad.pkl").write_bytes(
                b"c%s\n(N(dV%s\nI1\nstb." % (name.encode(), attribute)
            )
            with pytest.raises(UserError, match="not a readable pickle"):
                safe_pickle.load(str(tmp_path / "bad.pkl"))
    assert safe_pickle.load(write_pickle(tmp_path / "good.pkl", [CONTENT["number"]])) == [0.5]
