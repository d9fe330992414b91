"""Keras's weight files: every kind gives the same arrays, nothing in them runs, and misfits are one
sentence.
"""

import io
import pickle
import re
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxact import cli
from jaxact.errors import UserError
from jaxact.interop import keras, keras_files
from jaxact.models.sc_xception import SCXception
from tests.helpers import frame_networks
from tests.helpers.random_weights import random_variables

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def layers():
    """The narrow Xception of Keras: arrays by layer and variable."""
    return grouped(frame_networks.stored("xception")[0])


def grouped(arrays):
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        layer, _, variable = name.rpartition("/")
        layers.setdefault(layer, {})[variable] = array
    return layers


def write_npz(path, layers):
    np.savez(
        path,
        **{
            f"{layer}/{name}": array
            for layer, variables in layers.items()
            for name, array in variables.items()
        },
    )


def write_old(path, layers, top="", parts=1):
    """The layout of weight files until Keras 2.15, and of whole models in .h5: lists of names among
    the attributes.
    """
    with h5py.File(path, "w") as file:
        group = file.create_group(top) if top else file
        names = np.array([layer.encode() for layer in [*layers, "input_1"]])
        for part, some in enumerate(np.array_split(names, parts)):
            group.attrs["layer_names" if parts == 1 else f"layer_names{part}"] = some
        group.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for layer, variables in layers.items():
            inside = group.create_group(layer)
            inside.attrs["weight_names"] = np.array(
                [f"{layer}/{name}:0".encode() for name in variables]
            )
            for name, array in variables.items():
                inside[f"{layer}/{name}:0"] = array


def write_new(path, layers, name=True):
    """Keras 3's layout: numbered arrays in `vars`, under the layer's class, with its name as an
    attribute.
    """
    with h5py.File(path, "w") as file:
        for rank, (layer, variables) in enumerate(layers.items()):
            group = file.create_group(f"layers/kind_{rank}/vars")
            if name:
                group.attrs["name"] = layer
            for number, array in enumerate(variables.values()):
                group[str(number)] = array
        file.create_group("optimizer/vars")["0"] = np.zeros(3, np.float32)


def write_archive(path, layers):
    content = io.BytesIO()
    write_new(content, layers)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Lambda", "config": "os.system"}')
        archive.writestr("model.weights.h5", content.getvalue())


WRITERS = {
    "a.npz": write_npz,
    "a.h5": write_old,
    "model.h5": lambda path, layers: write_old(path, layers, "model_weights"),
    "parts.hdf5": lambda path, layers: write_old(path, layers, parts=3),
    "a.weights.h5": write_new,
    "a.keras": write_archive,
}


@pytest.fixture(scope="module")
def loaded(layers, tmp_path_factory):
    path = tmp_path_factory.mktemp("loaded") / "a.npz"
    write_npz(path, layers)
    return keras.load(path)


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_arrays_by_layer(name, layers, tmp_path):
    WRITERS[name](tmp_path / name, layers)
    actual = keras_files.read(tmp_path / name)
    assert actual.keys() == layers.keys()
    for layer, variables in layers.items():
        for ours, theirs in zip(actual[layer], variables.values(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_layers_that_keras_named_are_taken_by_their_number_wherever_they_stand(
    layers, loaded, tmp_path
):
    """As in files of a session that had made other networks before: convolution2d_9, _10, _11, _100
    for 0 to 3.
    """
    ranks = {"": 9, "_1": 10, "_2": 11, "_3": 100}
    renamed = {}
    for layer, variables in sorted(layers.items(), key=lambda item: item[0][::-1]):
        match = re.fullmatch(r"(conv2d|batch_normalization)(_\d)?", layer)
        other = {"conv2d": "convolution2d", "batch_normalization": "batchnormalization"}
        renamed[f"{other[match[1]]}_{ranks[match[2] or '']}" if match else layer] = variables
    write_npz(tmp_path / "a.npz", renamed | {"predictions": {"kernel": np.zeros((2, 2))}})
    actual = keras.load(tmp_path / "a.npz")
    assert actual.unused_layers == ("predictions",) and loaded.unused_layers == ()
    jax.tree.map(np.testing.assert_array_equal, actual.variables, loaded.variables)


def test_the_cache_holds_the_same_and_needs_no_h5py(loaded, tmp_path, monkeypatch):
    keras.save(tmp_path / "a.safetensors", loaded)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    actual = keras.load(tmp_path / "a.safetensors")
    assert (actual.network, actual.fields) == ("xception", {"width": 1 / 16, "middle": 1})
    jax.tree.map(np.testing.assert_array_equal, actual.variables, loaded.variables)


@pytest.mark.slow
def test_weights_are_grafted_into_a_model_whose_new_layers_stay(loaded):
    model = SCXception(3, width=1 / 16, depth=1 / 8, filters=4, hidden=8)
    fresh = random_variables(model, jnp.zeros((1, 2, 32, 32, 3)))
    grafted = flatten_dict(keras.insert_backbone(fresh, loaded))
    pretrained = {
        (path[0], "backbone", *path[1:]): value
        for path, value in flatten_dict(loaded.variables).items()
    }
    for path, value in flatten_dict(fresh).items():
        np.testing.assert_array_equal(grafted[path], pretrained.get(path, value))
    assert sum("excitation" in path for path in grafted.keys() - pretrained.keys()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"width": 1 / 8, "depth": 1 / 8},
            r"'xception' do not fit the model's 'backbone': '.*' has the shape .*, wanted",
        ),
        (
            {"width": 1 / 16, "depth": 2 / 8},
            r"do not fit the model's 'backbone': '.*block6.*' is in one of them only",
        ),
        (
            {
                "backbone": "inception_v3",
                "excitation": "none",
                "skip": ("mixed3", "mixed4", "mixed5", "mixed6", "mixed7"),
            },
            r"'.*' is in one of them only",
        ),
    ],
)
def test_weights_of_another_network_do_not_fit(loaded, options, message):
    model = SCXception(3, filters=4, hidden=8, **options)
    fresh = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 1, 75, 75, 3)))
    with pytest.raises(UserError, match=message):
        keras.insert_backbone(fresh, loaded)


def without(layers, name):
    return {layer: variables for layer, variables in layers.items() if layer != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda layers: without(layers, "block3_sepconv1_bn"),
            r"has no layer 'block3_sepconv1_bn', which 'xception' needs",
        ),
        (
            lambda layers: without(layers, "conv2d_2"),
            r"has 3 convolutions and 4 normalisations without names .*; wanted 4",
        ),
        (
            lambda layers: layers | {"block4_sepconv1": layers["block3_sepconv1"]},
            r"read as 'xception', has .*; wanted",
        ),
        (
            lambda layers: layers | {"block1_conv1": layers["block1_conv1_bn"]},
            r"has arrays of .* for 'block1_conv1'",
        ),
        (
            lambda layers: {"dense": {"kernel": np.zeros((2, 2))}},
            r"is no Xception, .*: its 1 layers are dense \.\.\.",
        ),
        (lambda layers: {}, r"holds no layers with arrays"),
    ],
)
def test_a_file_that_is_no_whole_network_is_one_sentence(layers, tmp_path, change, message):
    write_npz(tmp_path / "a.npz", change(layers))
    with pytest.raises(UserError, match=message):
        keras.load(tmp_path / "a.npz")


class Trap:
    """Whoever unpickles it opens a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickles_are_refused_and_nothing_runs(tmp_path):
    trap = np.array([Trap(tmp_path / "sprung")], object)
    np.savez(tmp_path / "a.npz", **{"block1_conv1/kernel": trap})
    with pytest.raises(UserError, match=r"is damaged or of another kind"):
        keras.load(tmp_path / "a.npz")
    (tmp_path / "b.h5").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(UserError, match=r"is damaged or of another kind"):
        keras.load(tmp_path / "b.h5")
    assert not (tmp_path / "sprung").exists()


def external(path, secret):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv2d_1"]
        file["conv2d_1"] = h5py.ExternalLink(str(secret), "/")


def soft(path, secret):
    write_old(path, {"conv2d_1": {"kernel": np.ones(2)}})
    with h5py.File(path, "a") as file:
        del file["conv2d_1/conv2d_1/kernel:0"]
        file["conv2d_1/conv2d_1/kernel:0"] = h5py.SoftLink("/elsewhere")


def raw(path, secret):
    write_old(path, {"conv2d_1": {"kernel": np.ones(2)}})
    with h5py.File(path, "a") as file:
        del file["conv2d_1/conv2d_1/kernel:0"]
        file["conv2d_1"].create_dataset(
            "conv2d_1/kernel:0", (2,), "f4", external=[(str(secret), 0, 8)]
        )


def virtual(path, secret):
    write_old(path, {"conv2d_1": {"kernel": np.ones(2)}})
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "w", (2,))
    with h5py.File(path, "a") as file:
        del file["conv2d_1/conv2d_1/kernel:0"]
        file["conv2d_1"].create_virtual_dataset("conv2d_1/kernel:0", layout)


@pytest.mark.parametrize("make", [external, soft, raw, virtual])
def test_links_out_of_a_file_are_not_followed(tmp_path, make):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["w"] = np.ones(2, np.float32)
    make(tmp_path / "a.h5", tmp_path / "secret.h5")
    with pytest.raises(UserError, match=r"not followed"):
        keras_files.read(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pt", b"", r"unknown kind of Keras file '.pt'; available: .h5, .hdf5, .keras, .npz"),
        ("a.h5", b"no hdf5", r"a.h5' is damaged or of another kind"),
        ("a.keras", b"no zip", r"a.keras' is damaged or of another kind"),
        ("a.npz", b"no npz", r"a.npz' is damaged or of another kind"),
        ("none/a.h5", None, r"cannot read .*a.h5': No such file"),
    ],
)
def test_a_file_of_another_kind_is_one_sentence(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        keras_files.read(tmp_path / name)


def test_what_a_file_lacks_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(UserError, match=r"is an archive without 'model.weights.h5'"):
        keras_files.read(tmp_path / "a.keras")
    write_new(tmp_path / "a.h5", {"conv2d": {"kernel": np.ones(2)}}, name=False)
    with pytest.raises(
        UserError, match=r"does not say which layer '/layers/kind_0/vars' belongs to"
    ):
        keras_files.read(tmp_path / "a.h5")
    write_new(tmp_path / "b.h5", {"conv2d": {"kernel": np.array([b"text"])}})
    with pytest.raises(UserError, match=r"is no array of floating-point numbers"):
        keras_files.read(tmp_path / "b.h5")
    np.savez(tmp_path / "a.npz", weight=np.ones(2))
    with pytest.raises(
        UserError, match=r"has an entry 'weight'; wanted LAYER/VARIABLE, VARIABLE one of"
    ):
        keras_files.read(tmp_path / "a.npz")


def test_the_command_writes_the_cache_beside_the_file_and_says_what_it_is(layers, tmp_path, capsys):
    write_npz(tmp_path / "a.npz", layers | {"predictions": {"kernel": np.zeros((2, 2))}})
    assert cli.main(["import", "keras", str(tmp_path / "a.npz")]) == 0
    message = capsys.readouterr().out
    cache = tmp_path / "a.safetensors"
    assert message == f"xception, 43841 parameters, written to {cache}; not used: predictions\n"
    copy = tmp_path / "b.safetensors"
    assert cli.main(["import", "keras", str(tmp_path / "a.npz"), "--out", str(copy)]) == 0
    assert cache.read_bytes() == copy.read_bytes()
    assert cli.main(["import", "keras", str(tmp_path / "c.h5")]) == 2
    assert "jaxact: cannot read" in capsys.readouterr().err
