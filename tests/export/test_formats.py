"""In every format the artifact is the network, says what it is, and is absent where it is not the
network.
"""

import copy
import dataclasses
import importlib.util
import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export as jax_export

from jaxact import cli, config, export
from jaxact.errors import UserError
from jaxact.evaluation import score_fusion
from jaxact.export import ensemble, savedmodel, weights
from jaxact.models import stgcn
from tests.helpers import random_runs

FORMATS = tuple(export.FORMATS)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Two units, one of them with a stride, which compile in a fraction of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem9", tuple(stgcn.VARIANTS["stem9"][i] for i in (0, 4)))
        yield


def network_of(stream: str = "joint") -> export.Network:
    """A network that answers differently to different clips: no ReLU of it is zero for all of
    them.
    """
    net, _ = random_runs.network(config.STGCNConfig(width=4), frames=8, stream=stream)
    plain = {"mean": 0.0, "var": 1.0, "scale": 1.0, "bias": 0.1}

    def alive(path, leaf):
        return jnp.full_like(leaf, plain[path[-1].key]) if path[-1].key in plain else leaf

    return export.Network(
        (dataclasses.replace(net, weights=jax.tree_util.tree_map_with_path(alive, net.weights)),)
    )


@pytest.fixture(scope="module")
def network(short):
    return network_of()


@pytest.fixture(scope="module", params=FORMATS)
def written(request, network, tmp_path_factory):
    """A format, where an artifact of it lies, and what was said when it was written."""
    out = tmp_path_factory.mktemp(request.param) / "net"
    return request.param, out, export.write(network, request.param, out)


def test_the_artifact_is_the_network_at_a_batch_and_length_that_the_proof_did_not_try(
    written, network
):
    format, out, _ = written
    clips = (
        np.random.default_rng(1)
        .standard_normal((5, 11, *network.inputs.shape[2:]))
        .astype(np.float32)
    )
    expected = network.reference(clips)
    actual = np.asarray(export.FORMATS[format].load(out)(clips))
    np.testing.assert_allclose(actual, expected, atol=1e-4 * float(np.abs(expected).max()))


def test_the_certificate_says_what_was_compared_and_how_near_it_was(written):
    format, _, meta = written
    proof = meta["parity"]
    assert meta["input"]["symbolic"] == ["n", "frames"] and meta["input"]["shape"] == [
        "n",
        8,
        1,
        14,
        3,
    ]
    assert proof["inputs"] == {"random": 32, "random of 4 frames": 2, "random of 21 frames": 2}
    assert (
        0 <= proof["max_relative_difference"] <= proof["tolerance"] == 1e-4
        and proof["top1_agreement"] == 1
    )
    assert proof["batch_sizes"] == [1, 7, 8] and proof["logit_range"] > 0.1
    reader = {
        "stablehlo": "jaxlib",
        "savedmodel": "tensorflow",
        "onnx": "onnxruntime",
        "safetensors": "flax",
    }[format]
    assert {"jax", "numpy", reader} <= proof["versions"].keys()


@pytest.mark.parametrize("written", ["savedmodel"], indirect=True)
def test_a_saved_model_has_one_signature_weights_as_variables_and_a_program_for_three_platforms(
    written, network
):
    tf = pytest.importorskip("tensorflow")
    _, out, _ = written
    model = tf.saved_model.load(str(out))
    assert list(model.signatures) == ["serving_default"]
    signature = model.signatures["serving_default"]
    _, inputs = signature.structured_input_signature
    assert {name: spec.shape.as_list() for name, spec in inputs.items()} == {
        "clips": [None, None, 1, 14, 3]
    }
    assert {name: spec.shape.as_list() for name, spec in signature.structured_outputs.items()} == {
        "logits": [None, 3]
    }
    assert len(signature.variables) == len(jax.tree.leaves(network.variables))
    functions = signature.graph.as_graph_def().library.function
    (operation,) = [
        node for one in functions for node in one.node_def if node.op == "XlaCallModule"
    ]
    assert list(operation.attr["platforms"].list.s) == [b"CPU", b"CUDA", b"TPU"]


def test_weights_of_a_checkpoint_become_a_saved_model(network):
    """They are committed to a device, which adds a sharding to the program of their arguments."""
    pytest.importorskip("tensorflow")
    (net,) = network.nets
    weights = jax.device_put(net.weights, jax.local_devices()[0])
    restored = export.Network((dataclasses.replace(net, weights=weights),))
    assert len(savedmodel.convert(restored, ("n",)).variables) == len(jax.tree.leaves(weights))


@pytest.mark.parametrize("reader", ["the installed TensorFlow", "a newer one"])
def test_a_saved_model_holds_a_stablehlo_version_that_tensorflow_reads(reader, monkeypatch):
    pytest.importorskip("tensorflow")
    from jax.extend.mlir.dialects import stablehlo
    from tensorflow.compiler.mlir.stablehlo import stablehlo as tensorflow_stablehlo

    if reader == "a newer one":
        monkeypatch.setattr(tensorflow_stablehlo, "get_current_version", lambda: "99.0.0")
    function = jax_export.export(jax.jit(jnp.sin))(jax.ShapeDtypeStruct((3,), np.float32))
    artifact = savedmodel._readable_by_tensorflow(function.mlir_module_serialized)
    expected = tensorflow_stablehlo if reader == "the installed TensorFlow" else stablehlo
    assert f"StableHLO_v{expected.get_current_version()}".encode() in artifact


def said(format: str, out) -> dict:
    """What an artifact says of itself, read as anybody would."""
    if format == "stablehlo":
        return export.Artifact(out).meta
    if format == "savedmodel":
        return json.loads((out / "meta.json").read_text())
    if format == "onnx":
        onnx = pytest.importorskip("onnx")
        props = {prop.key: prop.value for prop in onnx.load(out).metadata_props}
    else:
        with pytest.importorskip("safetensors").safe_open(out, "numpy") as file:
            props = file.metadata()
    assert json.loads(props["labels"]) == ["kick", "rest", "wave"]
    assert json.loads(props["layout"])["name"] == "body-14"
    return json.loads(props["jaxact"])


def test_labels_joints_preprocessing_terms_and_certificate_lie_inside(written):
    format, out, meta = written
    inside = said(format, out)
    assert inside["labels"] == ["kick", "rest", "wave"] and inside["layout"]["name"] == "body-14"
    assert (
        inside["preprocessing"]["frames"] == 8
        and inside["trained_on"]["dataset"] == "synthetic_actions"
    )
    assert inside["licence"]["code"] == "Apache-2.0" and inside["licence"]["data"]
    assert inside["parity"] == meta["parity"] and inside["input"] == meta["input"]


@pytest.mark.parametrize("format", FORMATS)
def test_an_exporter_that_changes_the_network_is_refused_and_leaves_nothing(
    network, format, tmp_path, monkeypatch
):
    whole = network.apply
    wrong = dataclasses.replace(network)
    monkeypatch.setattr(export, "SYMBOLIC_AXES", (("n",),))
    monkeypatch.setattr(export.parity, "BATCHES", (8,))
    if format == "safetensors":
        write = weights.safetensors.write

        def spoil(path, arrays, *rest):
            write(path, {name: array * 1.01 for name, array in arrays.items()}, *rest)

        monkeypatch.setattr(weights.safetensors, "write", spoil)
    else:
        object.__setattr__(wrong, "apply", lambda variables, clips: whole(variables, clips) * 1.001)
    with pytest.raises(
        UserError,
        match=r"artifact differs from stgcn on joint by .* of the largest logit, where 1e-04",
    ):
        export.write(wrong, format, tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_an_artifact_that_answers_with_nan_is_refused(network):
    with pytest.raises(UserError, match="differs from stgcn on joint by nan"):
        export.parity.verify(lambda clips: np.full((len(clips), 3), np.nan), network, ("n",))


def test_the_command_ends_with_2_and_one_sentence_where_the_proof_fails(
    tmp_path, monkeypatch, capsys
):
    random_runs.write(tmp_path / "run", config.STGCNConfig(width=4), frames=8)
    monkeypatch.setattr(export, "SYMBOLIC_AXES", (("n",),))
    monkeypatch.setattr(export.parity, "TOLERANCE", -1.0)
    arguments = ["export", "--checkpoint", str(tmp_path / "run"), "--format", "onnx"]
    assert cli.main([*arguments, "--out", str(tmp_path / "out" / "net.onnx")]) == 2
    assert "jaxact: the onnx artifact differs from stgcn on joint" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.slow
def test_streams_become_one_artifact_that_fuses_them_as_fuse_does(tmp_path):
    nets = [network_of(stream).nets[0] for stream in ("joint", "bone")]
    both = export.Network(tuple(nets), (0.75, 0.25))
    meta = export.write(both, "onnx", tmp_path / "two.onnx")
    assert meta["input"]["channels"] == ["x", "y", "score", "bone x", "bone y", "bone score"]
    assert meta["preprocessing"]["stream"] == "joint+bone" and meta["ensemble"][1]["channels"] == [
        3,
        6,
    ]
    clips = np.random.default_rng(1).standard_normal((4, 8, 1, 14, 6)).astype(np.float32)
    one, other = (
        export.Network((net,)).reference(clips[..., i : i + 3])
        for net, i in zip(nets, (0, 3), strict=True)
    )
    expected = score_fusion.fuse(np.stack([one, other]).astype(np.float64), (3.0, 1.0))
    np.testing.assert_allclose(
        export.FORMATS["onnx"].load(tmp_path / "two.onnx")(clips), expected, atol=1e-4
    )
    export.write(both, "safetensors", tmp_path / "two.safetensors")
    np.testing.assert_allclose(
        export.rebuild(tmp_path / "two.safetensors").reference(clips), expected, atol=1e-4
    )


def test_runs_are_weighted_as_is_usual_for_their_streams_and_only_streams_may_differ(
    network, monkeypatch
):
    (joint,) = network.nets
    runs = {"joint": joint, "motion": network_of("joint_motion").nets[0]}
    runs["long"] = dataclasses.replace(joint, config=copy.deepcopy(joint.config))
    runs["long"].config.clip.frames = 9
    monkeypatch.setattr(ensemble.trained_model, "load", lambda workdir, **_: runs[workdir])
    assert export.load(["joint", "motion"]).shares == pytest.approx((2 / 3, 1 / 3))
    with pytest.raises(
        UserError,
        match=r"'joint' and 'long' differ in clip\.frames \(8 and 9\): one artifact holds",
    ):
        export.load(["joint", "long"])
    with pytest.raises(UserError, match="1 weights were given for 2"):
        export.load(["joint", "motion"], shares=[1.0])


def test_a_length_that_the_network_fixes_is_fixed_and_the_artifact_says_why(network, tmp_path):
    fixed = dataclasses.replace(network)
    object.__setattr__(
        fixed, "apply", lambda variables, clips: _of_eight(network, variables, clips)
    )
    meta = export.write(fixed, "onnx", tmp_path / "net.onnx")
    assert (
        meta["input"]["symbolic"] == ["n"]
        and meta["input"]["fixed"] == "eight frames and no others"
    )


def _of_eight(network, variables, clips):
    if clips.shape[1] != 8:
        raise ValueError("eight frames and no others")
    return network.apply(variables, clips)


@pytest.mark.parametrize(
    ("format", "package", "extra"), [("onnx", "onnx", "onnx"), ("savedmodel", "tensorflow", "data")]
)
def test_a_format_whose_packages_are_missing_names_the_extra(
    monkeypatch, tmp_path, format, package, extra
):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == package else find_spec(name, *rest),
    )
    with pytest.raises(
        UserError, match=rf"needs the package '{package}'.*pip install 'jaxact\[{extra}\]'"
    ):
        export.run(tmp_path, out=tmp_path / "x", format=format)


def test_what_is_there_already_is_not_replaced_by_a_folder(network, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "mine.txt").touch()
    with pytest.raises(UserError, match="something is there already; name another one"):
        export.write(network, "savedmodel", tmp_path / "net")
    assert [path.name for path in tmp_path.rglob("*")] == ["net", "mine.txt"]


def test_weights_of_others_are_not_rebuilt(tmp_path):
    weights.safetensors.write(
        tmp_path / "x.safetensors", {"a": np.zeros(3, np.float32)}, {"format": "pt"}
    )
    with pytest.raises(
        UserError, match="holds weights, but not those of `jaxact export --format safetensors`"
    ):
        export.rebuild(tmp_path / "x.safetensors")


@pytest.mark.slow
def test_onnx_is_written_without_tensorflow(tmp_path):
    code = f"""
import sys
from jaxact import config, export
from tests.helpers import random_runs
net, _ = random_runs.network(config.STALSTMConfig(width=2, layers=1), frames=2)
export.write(export.Network((net,)), "onnx", {str(tmp_path / "net.onnx")!r})
assert "tensorflow" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
