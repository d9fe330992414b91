import errno

import pytest

from jaxact import files
from jaxact.errors import UserError


def test_the_target_appears_whole_with_ordinary_rights(tmp_path):
    target = tmp_path / "deep" / "out.json"
    files.write_json(target, {"top1": 0.5})
    assert target.read_text() == '{\n  "top1": 0.5\n}\n'
    assert target.stat().st_mode & 0o400 and [p.name for p in target.parent.iterdir()] == [
        "out.json"
    ]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), files.replacing(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_a_full_disk_is_the_users_error_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(UserError, match=r"cannot write '.*out.txt': No space left on device"),
        files.replacing(tmp_path / "out.txt") as temporary,
    ):
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_the_users_error(tmp_path):
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "out.txt"
    with (
        pytest.raises(UserError, match=r"cannot write '.*file/out.txt': File exists"),
        files.replacing(target),
    ):
        raise AssertionError("not reached")
