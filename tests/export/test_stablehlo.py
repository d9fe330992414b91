"""What is no artifact of StableHLO is refused."""

import zipfile

import pytest

from jaxact import export
from jaxact.errors import UserError


@pytest.mark.parametrize(
    ("content", "message"), [(b"not a zip", "is not an artifact"), (None, "no file")]
)
def test_what_is_no_artifact_is_refused(tmp_path, content, message):
    path = tmp_path / "x.jaxact"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        export.Exported(path)


def test_a_zip_without_a_network_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("meta.json", "{}")
    with pytest.raises(UserError, match="is not an artifact of `jaxact export`"):
        export.Exported(tmp_path / "x.zip")
