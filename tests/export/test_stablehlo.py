"""Files that are no StableHLO artifacts, or that this JAX cannot read, are refused."""

import dataclasses
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export as jax_export

from jaxact import export
from jaxact.errors import UserError
from jaxact.export import stablehlo


@pytest.mark.parametrize(
    ("content", "message"), [(b"not a zip", "is not an artifact"), (None, "no file")]
)
def test_what_is_no_artifact_is_refused(tmp_path, content, message):
    path = tmp_path / "x.jaxact"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        export.Artifact(path)


def test_a_zip_without_a_network_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("meta.json", "{}")
    with pytest.raises(UserError, match="is not an artifact of `jaxact export`"):
        export.Artifact(tmp_path / "x.zip")


def test_stablehlo_of_a_newer_jax_names_both_versions(tmp_path):
    clips = jax.ShapeDtypeStruct((2, 3), np.float32)
    function = jax_export.export(jax.jit(jnp.sin))(clips)
    newer = dataclasses.replace(function, mlir_module_serialized=b"StableHLO of another version")
    stablehlo.write(tmp_path / "net.jaxact", newer, {"jax": "99.1.0"})
    artifact = export.Artifact(tmp_path / "net.jaxact")
    message = (
        rf"net.jaxact' was written by JAX 99.1.0, and the installed JAX {jax.__version__} "
        "cannot read its StableHLO: install JAX 99.1.0 or newer"
    )
    with pytest.raises(UserError, match=message):
        artifact(np.zeros((2, 3), np.float32))
