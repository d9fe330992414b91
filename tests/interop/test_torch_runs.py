"""Other people's networks become runs: their numbers come out, every array has a place, and a
misfit writes nothing.
"""

import contextlib
import io
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import unflatten_dict

from jaxact import cli, models, skeletons
from jaxact.errors import UserError
from jaxact.interop import pyskl, torch_files, torch_runs, torch_stgcn
from jaxact.models import ctrgcn, stgcn
from jaxact.models.layers import multi_branch_network
from jaxact.models.layers.adjacency import Adjacency
from jaxact.runs import state, trained_model
from jaxact.training import initialisation
from tests.helpers.formulations import FORMULATIONS, run_in
from tests.helpers.parity import assert_logits_equal, group
from tests.interop.torch_writing import write

SMALL = Path(__file__).parents[1] / "data" / "stgcn_public_small.npz"
DATA = Path(os.environ.get("JAXACT_DATA", "/nowhere")) / "weights"
real = pytest.mark.skipif(not DATA.is_dir(), reason="JAXACT_DATA names no folder of real data")
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def public():
    """The narrow public network's state dict by layout, inputs and logits."""
    with np.load(SMALL) as archive:
        return {name: group(archive, f"{name}/") for name in ("ntu-rgb+d", "openpose")}


@pytest.fixture(scope="module")
def imported_run(tmp_path_factory, public):
    """What was typed to bring the public network in, what was printed, and the run."""
    folder = tmp_path_factory.mktemp("brought")
    weights = {
        f"module.backbone.{name}": array
        for name, array in group(public["ntu-rgb+d"], "state/").items()
    }
    file = write(folder / "x.pt", {"model": weights, "optimizer": {"state": {}}})
    (folder / "names.txt").write_text("\n".join("abcdefg"))
    out, printed = folder / "run", io.StringIO()
    line = [
        "import",
        "torch-stgcn",
        str(file),
        "--out",
        str(out),
        "--labels",
        str(folder / "names.txt"),
    ]
    with contextlib.redirect_stdout(printed):
        assert cli.main(line) == 0
    return line, printed.getvalue(), trained_model.load(out)


def numbers(shape):
    return RANDOM.uniform(0.5, 1.5, shape).astype(np.float32)


def norm(name, count):
    return {
        f"{name}.{kind}": numbers(count)
        for kind in ("weight", "bias", "running_mean", "running_var")
    }


def conv(name, *shape):
    return {f"{name}.weight": (numbers(shape) - 1) * 0.5, f"{name}.bias": numbers(shape[0]) - 1}


def test_a_public_checkpoint_becomes_a_run_with_its_logits(imported_run, public, capsys):
    line, printed, net = imported_run
    stored = public["ntu-rgb+d"]
    assert (
        "stgcn stem9 of width 4" in printed
        and "not used: optimizer" in printed
        and "stgcn-released v1" in printed
    )
    assert (net.labels, net.channels, net.layout.name, net.step) == (
        tuple("abcdefg"),
        ("x", "y", "z"),
        "ntu-25",
        0,
    )
    assert (net.config.model.strategy, net.config.model.norm, net.version) == (
        "spatial_v2",
        "joint",
        "",
    )
    inputs = jnp.asarray(stored["inputs"].transpose(0, 2, 4, 3, 1))
    # The direct formulation compiles faster; test_stgcn_parity.py compares both with these numbers.
    logits = run_in("direct", jax.jit(net.model.apply), net.weights, inputs)
    assert_logits_equal(logits, stored["eval_logits"])
    assert cli.main(line) == 2 and "holds a run already" in capsys.readouterr().err


def test_layout_and_channels_come_from_the_graph_in_the_file(public):
    imported, _ = torch_stgcn.convert(group(public["openpose"], "state/"))
    layout, partition = torch_runs._find_layout(imported, None)
    assert layout.name == "openpose-18" and partition == {"strategy": "spatial_v2", "norm": "joint"}
    with pytest.raises(UserError, match="layout 'coco-17' has 17"):
        torch_runs._find_layout(imported, "coco-17")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fcn.bias": None}, r"params/head/bias"),
        (
            {"queue": np.zeros(3), "projector.weight": np.zeros((2, 2))},
            r"no place for queue, projector\.weight",
        ),
        (
            {"data_bn.weight": np.zeros(9)},
            r"does not fit 'stgcn': params/data_norm/scale \(9,\), wanted \(75,\)",
        ),
        (
            {"st_gcn_networks.3.tcn.2.weight": np.zeros((4, 4, 7, 1))},
            r"unit3/temporal_kernel \(7, 4, 4\), wanted \(9",
        ),
        ({"A": np.ones((3, 25, 25))}, r"its graph is no partition of ntu-25, ntu-25-star, body-25"),
        (
            {"st_gcn_networks.9.tcn.2.bias": np.zeros(5)},
            r"widths \[4, 4, 4, 4, 8, 8, 8, 16, 16, 5\], which no network",
        ),
    ],
)
def test_what_has_no_place_or_another_shape_is_refused_by_name(tmp_path, public, change, message):
    weights = {
        name: array for name, array in (group(public["ntu-rgb+d"], "state/") | change).items()
    }
    weights = {
        name: array.astype(np.float32) for name, array in weights.items() if array is not None
    }
    with pytest.raises(UserError, match=message):
        torch_runs.import_network(
            "torch-stgcn", write(tmp_path / "x.pt", weights), tmp_path / "run"
        )
    assert not (tmp_path / "run").exists()


def test_another_network_is_refused(tmp_path):
    file = write(tmp_path / "x.pt", {"conv1.weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(UserError, match="it is no public ST-GCN"):
        torch_runs.import_network("torch-stgcn", file, tmp_path / "run")
    with pytest.raises(UserError, match="it is none of pyskl's"):
        torch_runs.import_network("pyskl", file, tmp_path / "run")


def first_release(widths, joints=25, channels=3, persons=2, classes=4):
    """A state dict of the paper's own code."""
    weights = norm("data_bn", persons * joints * channels) | norm("person_bn", widths[-1])
    for number, (before, after) in enumerate(zip([channels, *widths], widths, strict=False)):
        gcn, tcn = (
            (f"backbone.{number - 1}.gcn1", f"backbone.{number - 1}.tcn1")
            if number
            else ("gcn0", "tcn0")
        )
        for part in range(3):
            weights |= conv(f"{gcn}.conv_list.{part}", after, before, 1, 1)
        weights |= (
            norm(f"{gcn}.bn", after)
            | conv(f"{tcn}.conv", after, after, 9, 1)
            | norm(f"{tcn}.bn", after)
        )
        weights[f"{gcn}.mask"] = numbers((3, joints, joints))
        if number and (before != after):
            down = f"backbone.{number - 1}.down1"
            weights |= conv(f"{down}.conv", after, before, 1, 1) | norm(f"{down}.bn", after)
    return weights | conv("fcn", classes, widths[-1], 1)


def normed(x, weights, name):
    scale, bias, mean, var = (
        weights[f"{name}.{kind}"][:, None, None]
        for kind in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * scale + bias


def convolved(x, weights, name, stride):
    """[n c t v], taps along t."""
    kernel = weights[f"{name}.weight"][..., 0]
    reach = kernel.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (reach, reach), (0, 0)))
    taps = [padded[:, :, i : i + x.shape[2] : stride] for i in range(kernel.shape[2])]
    y = sum(np.einsum("dc,nctv->ndtv", kernel[:, :, i], tap) for i, tap in enumerate(taps))
    return y + weights[f"{name}.bias"][:, None, None]


@pytest.mark.slow
def test_the_papers_own_code_gives_the_numbers_of_a_loop(monkeypatch):
    units = (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 2, 2))
    monkeypatch.setitem(stgcn.VARIANTS, "release1", units)
    weights = first_release([2, 2, 4])
    imported, unused = torch_stgcn.convert(weights)
    assert (
        unused == ("person_bn",)
        and imported.persons == 2
        and imported.model["network"] == "release1"
    )
    layout = skeletons.get_layout("ntu-25")
    spec = models.InputSpec(layout=layout, num_classes=4, channels=("x", "y", "z"))
    net = models.build(spec=spec, **imported.model)
    for form in FORMULATIONS:
        inputs = RANDOM.standard_normal((2, 7, 2, 25, 3)).astype(np.float32)
        found_logits = run_in(
            form, jax.jit(net.apply), unflatten_dict(imported.arrays, sep="/"), jnp.asarray(inputs)
        )
        rows = normed(inputs.transpose(0, 2, 3, 4, 1).reshape(2, -1, 7, 1), weights, "data_bn")
        x = rows.reshape(2, 2, 25, 3, 7).transpose(0, 1, 3, 4, 2).reshape(4, 3, 7, 25)
        graph = skeletons.adjacency(layout, "spatial", "subset")
        for number, (_, _, stride) in enumerate(units):
            gcn, tcn = (
                (f"backbone.{number - 1}.gcn1", f"backbone.{number - 1}.tcn1")
                if number
                else ("gcn0", "tcn0")
            )
            parts = [
                x @ (part * mask) for part, mask in zip(graph, weights[f"{gcn}.mask"], strict=True)
            ]
            y = sum(
                convolved(part, weights, f"{gcn}.conv_list.{k}", 1) for k, part in enumerate(parts)
            )
            y = np.maximum(normed(y, weights, f"{gcn}.bn"), 0)
            y = np.maximum(
                normed(convolved(y, weights, f"{tcn}.conv", stride), weights, f"{tcn}.bn"), 0
            )
            if number == 1:
                y = y + x
            elif number == 2:
                down = convolved(x, weights, "backbone.1.down1.conv", stride)
                y = y + np.maximum(normed(down, weights, "backbone.1.down1.bn"), 0)
            x = y
        pooled = x.mean((2, 3)).reshape(2, 2, -1).mean(1)
        assert_logits_equal(
            np.asarray(found_logits), pooled @ weights["fcn.weight"][..., 0].T + weights["fcn.bias"]
        )


def test_pyskls_stgcn_is_the_public_one_under_other_names(public):
    weights, renamed = group(public["ntu-rgb+d"], "state/"), {}
    inside = {"tcn.0": "gcn.bn", "tcn.2": "tcn.conv", "tcn.3": "tcn.bn", "gcn.conv": "gcn.conv"}
    inside |= {"residual.0": "residual.conv", "residual.1": "residual.bn"}
    for name, array in weights.items():
        layer, _, kind = name.rpartition(".")
        if layer == "edge_importance":
            renamed[f"backbone.gcn.{kind}.gcn.PA"], renamed[f"backbone.gcn.{kind}.gcn.A"] = (
                array,
                weights["A"],
            )
        elif layer.startswith("st_gcn_networks"):
            _, number, rest = layer.split(".", 2)
            renamed[f"backbone.gcn.{number}.{inside[rest]}.{kind}"] = array
        elif layer:
            renamed[
                f"{ {'fcn': 'cls_head.fc_cls', 'data_bn': 'backbone.data_bn'}[layer] }.{kind}"
            ] = array
    ours, theirs = torch_stgcn.convert(weights)[0], pyskl.convert(renamed)[0]
    assert ours.model == theirs.model and ours.arrays.keys() == theirs.arrays.keys()
    assert all(np.array_equal(array, theirs.arrays[name]) for name, array in ours.arrays.items())


def ctr_unit(number, before, after, joints):
    prefix = f"backbone.net.{number}"
    weights = {f"{prefix}.gcn1.A": numbers((3, joints, joints)), f"{prefix}.gcn1.alpha": numbers(1)}
    for part in range(3):
        name = f"{prefix}.gcn1.convs.{part}"
        weights |= conv(f"{name}.conv1", 8, before, 1, 1) | conv(f"{name}.conv2", 8, before, 1, 1)
        weights |= conv(f"{name}.conv3", after, before, 1, 1) | conv(
            f"{name}.conv4", after, 8, 1, 1
        )
    weights |= norm(f"{prefix}.gcn1.bn", after)
    if before != after:
        weights |= conv(f"{prefix}.gcn1.down.0", after, before, 1, 1) | norm(
            f"{prefix}.gcn1.down.1", after
        )
    share = after // 4
    for i in range(4):
        name = f"{prefix}.tcn1.branches.{i}"
        weights |= conv(f"{name}.0", share, after, 1, 1) | norm(f"{name}.1", share)
        if i < 2:
            weights |= conv(f"{name}.3.conv", share, share, 5, 1) | norm(f"{name}.3.bn", share)
        elif i == 2:
            weights |= norm(f"{name}.4", share)
    return weights


def test_pyskls_ctrgcn_refines_its_graph_as_ours_does(monkeypatch):
    monkeypatch.setitem(multi_branch_network.VARIANTS, "six", ((1, 1),))
    weights = {
        "backbone.A": numbers((3, 5, 5)),
        **norm("backbone.data_bn", 2 * 5 * 3),
        **ctr_unit(0, 3, 8, 5),
    }
    imported, _ = pyskl.convert(weights | conv("cls_head.fc_cls", 6, 8))
    assert imported.model == {"name": "ctrgcn", "network": "six", "width": 8, "persons_apart": True}
    assert (imported.joints, imported.channels, imported.classes, imported.persons) == (5, 3, 6, 2)
    net = ctrgcn.CTRGCN(
        6, Adjacency(np.zeros((3, 5, 5))), network="six", width=8, persons_apart=True
    )
    fresh = jax.eval_shape(
        lambda: state.init(net, jax.ShapeDtypeStruct((1, 6, 2, 5, 3), np.float32), 0)
    )
    ours = unflatten_dict(imported.arrays, sep="/")
    assert jax.tree.map(lambda x: x.shape, fresh) == jax.tree.map(lambda x: x.shape, ours)

    x = RANDOM.standard_normal((2, 3, 6, 5)).astype(np.float32)  # n c t v
    reference = 0
    for part in range(3):
        name = f"backbone.net.0.gcn1.convs.{part}"
        one, two, three = (convolved(x, weights, f"{name}.conv{i}", 1) for i in (1, 2, 3))
        difference = np.tanh(
            one.mean(2)[..., :, None] - two.mean(2)[..., None, :]
        )  # source u, target v
        refined = (
            convolved(difference, weights, f"{name}.conv4", 1)
            * weights["backbone.net.0.gcn1.alpha"]
        )
        reference = reference + np.einsum(
            "ncuv,nctu->nctv", refined + weights["backbone.net.0.gcn1.A"][part], three
        )
    variables = {
        name: jnp.asarray(array)
        for name, array in ours["params"]["unit0"]["spatial"].items()
        if "_" in name
    }
    variables |= {
        name: jnp.asarray(ours["params"]["unit0"]["spatial"][name])
        for name in ("adjacency", "alpha")
    }
    rows = jax.jit(ctrgcn.refined_graph_conv)(jnp.asarray(x.transpose(0, 3, 2, 1)), variables)
    np.testing.assert_allclose(rows.transpose(0, 3, 2, 1), reference, rtol=1e-4, atol=1e-4)


def test_a_classifier_over_other_classes_starts_anew_and_that_is_said(imported_run, capsys):
    _, _, net = imported_run
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), net.weights)
    variables["params"]["head"] = {
        "kernel": np.zeros((16, 3), np.float32),
        "bias": np.zeros(3, np.float32),
    }
    initial = state.TrainState(
        step=0, params=variables["params"], batch_stats=variables["batch_stats"], opt_state=()
    )
    moved = initialisation.transfer(initial, net, "runs/theirs")
    assert (
        "'head' is initialised anew: the network in 'runs/theirs' has 7 classes"
        in capsys.readouterr().err
    )
    assert not moved.params["head"]["kernel"].any() and moved.params["head"]["kernel"].shape == (
        16,
        3,
    )
    np.testing.assert_array_equal(
        moved.params["unit4"]["temporal_kernel"], net.weights["params"]["unit4"]["temporal_kernel"]
    )
    variables["params"]["head"] = {
        "kernel": np.zeros((8, 3), np.float32),
        "bias": np.zeros(3, np.float32),
    }
    with pytest.raises(UserError, match=r"module 'head' .* has other shapes"):
        initialisation.transfer(initial.replace(params=variables["params"]), net, "runs/theirs")


@real
@pytest.mark.parametrize(
    ("name", "logits", "network"),
    [
        ("stgcn_public_random", "logits_eval", "stem9"),
        ("stgcn16_ntu60_xsub_joint", "logits", "skeletonclr"),
    ],
)
def test_real_checkpoints_give_the_logits_beside_them(name, logits, network):
    imported, _ = torch_stgcn.convert(torch_files.read(DATA / f"{name}.pt")[0])
    layout, partition = torch_runs._find_layout(imported, None)
    assert imported.model["network"] == network and layout.name == "ntu-25"
    spec = models.InputSpec(layout=layout, num_classes=60, channels=("x", "y", "z"))
    net = models.build(spec=spec, **imported.model, **partition)
    with np.load(DATA / f"{name}_expected.npz") as expected:
        inputs, reference = expected["x_nctvm"].transpose(0, 2, 4, 3, 1), expected[logits]
    ours = jax.jit(net.apply)(unflatten_dict(imported.arrays, sep="/"), jnp.asarray(inputs))
    assert_logits_equal(ours, reference)
    np.testing.assert_array_equal(np.argmax(ours, 1), np.argmax(reference, 1))


@real
def test_the_real_gesture_network_gives_pytorchs_logits():
    torch = pytest.importorskip("torch")
    from tests.data import zoo_networks

    weights = torch_files.read(DATA / "pyskl_stgcnpp_hagrid.pth")[0]
    imported, _ = pyskl.convert(weights)
    assert (imported.joints, imported.channels, imported.classes) == (21, 2, 40) and imported.model[
        "network"
    ] == "six"
    graph = weights["backbone.gcn.0.gcn.A"]
    units = list(zip([64, 64, 64, 64, 64, 128], [1, 1, 1, 1, 1, 2], strict=True))
    theirs = zoo_networks.Network(2, 40, units, torch.tensor(graph.copy()), False).eval()
    theirs.load_state_dict({name: torch.tensor(array.copy()) for name, array in weights.items()})
    from jaxact.models import stgcnpp

    net = stgcnpp.STGCNPP(40, Adjacency(graph), network="six", width=64)
    inputs = RANDOM.standard_normal((3, 16, 1, 21, 2)).astype(np.float32)
    reference = theirs(torch.tensor(inputs)).detach().numpy()
    ours = jax.jit(net.apply)(unflatten_dict(imported.arrays, sep="/"), jnp.asarray(inputs))
    assert_logits_equal(ours, reference)
    np.testing.assert_array_equal(np.argmax(ours, 1), np.argmax(reference, 1))
