"""State dicts of the sizes and names of public checkpoints, with random numbers."""

import numpy as np

from jaxact import skeletons

WIDTHS = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
RANDOM = np.random.default_rng(0)
Weights = dict[str, np.ndarray]


def conv(name: str, *shape: int) -> Weights:
    return {f"{name}.weight": numbers(*shape), f"{name}.bias": numbers(shape[0])}


def norm(name: str, count: int) -> Weights:
    kinds = ("weight", "bias", "running_mean", "running_var")
    weights = {f"{name}.{kind}": numbers(count) for kind in kinds}
    return weights | {f"{name}.num_batches_tracked": np.array(7)}


def numbers(*shape: int) -> np.ndarray:
    return RANDOM.uniform(0.5, 1.5, shape).astype(np.float32)


def hop_graph(layout: str) -> np.ndarray:
    """pyskl's and st-gcn's partition [3, joints, joints], written by its rule.

    Distances beyond one hop count as infinite, so that joints far from the centre are all "close".
    """
    joints = skeletons.get_layout(layout)
    count = len(joints.joints)
    hops = np.full((count, count), np.inf)
    for one, other in joints.edges:
        hops[one, other] = hops[other, one] = 1
    np.fill_diagonal(hops, 0)
    adjacent = (hops <= 1).astype(np.float64)
    normalised = adjacent / adjacent.sum(0)
    parts = np.zeros((3, count, count), np.float32)
    for source in range(count):
        for target in range(count):
            if hops[source, target] == 0:
                parts[0, source, target] = normalised[source, target]
            elif hops[source, target] == 1:
                is_close = hops[source, joints.centre] >= hops[target, joints.centre]
                parts[1 if is_close else 2, source, target] = normalised[source, target]
    return parts


def pyskl_stgcn(layout: str, classes: int) -> Weights:
    graph = hop_graph(layout)
    joints = graph.shape[-1]
    weights = norm("backbone.data_bn", 3 * joints)
    for number, before, after, stride in units():
        unit = f"backbone.gcn.{number}"
        weights |= {f"{unit}.gcn.A": graph, f"{unit}.gcn.PA": numbers(*graph.shape)}
        weights |= conv(f"{unit}.gcn.conv", 3 * after, before, 1, 1)
        weights |= norm(f"{unit}.gcn.bn", after) | norm(f"{unit}.tcn.bn", after)
        weights |= conv(f"{unit}.tcn.conv", after, after, 9, 1)
        weights |= pyskl_shortcut(unit, before, after, stride, number)
    return weights | conv("cls_head.fc_cls", classes, WIDTHS[-1])


def pyskl_stgcnpp(layout: str, classes: int) -> Weights:
    joints = len(skeletons.get_layout(layout).joints)
    weights = norm("backbone.data_bn", 3 * joints)
    for number, before, after, stride in units():
        unit = f"backbone.gcn.{number}"
        weights[f"{unit}.gcn.A"] = numbers(3, joints, joints)
        weights |= conv(f"{unit}.gcn.conv", 3 * after, before, 1, 1)
        weights |= norm(f"{unit}.gcn.bn", after)
        if before != after:
            weights |= conv(f"{unit}.gcn.down.0", after, before, 1, 1)
            weights |= norm(f"{unit}.gcn.down.1", after)
        share = after // 6
        for branch in range(6):
            width = after - 5 * share if branch == 0 else share
            name = f"{unit}.tcn.branches.{branch}"
            if branch == 5:
                weights |= conv(name, width, after, 1, 1)
                continue
            weights |= conv(f"{name}.0", width, after, 1, 1) | norm(f"{name}.1", width)
            if branch < 4:
                weights |= conv(f"{name}.3.conv", width, width, 3, 1)
        weights |= norm(f"{unit}.tcn.transform.0", after) | norm(f"{unit}.tcn.bn", after)
        weights |= conv(f"{unit}.tcn.transform.2", after, after, 1, 1)
        weights |= pyskl_shortcut(unit, before, after, stride, number)
    return weights | conv("cls_head.fc_cls", classes, WIDTHS[-1])


def pyskl_ctrgcn(layout: str, classes: int) -> Weights:
    joints = len(skeletons.get_layout(layout).joints)
    weights = {"backbone.A": numbers(3, joints, joints)}
    weights |= norm("backbone.data_bn", 2 * 3 * joints)
    for number, before, after, stride in units():
        unit = f"backbone.net.{number}"
        weights |= ctrgcn_unit(unit, before, after, joints)
        weights |= pyskl_shortcut(unit, before, after, stride, number)
    return weights | conv("cls_head.fc_cls", classes, WIDTHS[-1])


def ctrgcn_unit(unit: str, before: int, after: int, joints: int) -> Weights:
    """The two modules of a unit of CTR-GCN, whose first unit reads three channels."""
    reduced = 8 if before == 3 else before // 8
    weights = {f"{unit}.gcn1.A": numbers(3, joints, joints), f"{unit}.gcn1.alpha": numbers(1)}
    for part in range(3):
        name = f"{unit}.gcn1.convs.{part}"
        for number in (1, 2):
            weights |= conv(f"{name}.conv{number}", reduced, before, 1, 1)
        weights |= conv(f"{name}.conv3", after, before, 1, 1)
        weights |= conv(f"{name}.conv4", after, reduced, 1, 1)
    weights |= norm(f"{unit}.gcn1.bn", after)
    if before != after:
        weights |= conv(f"{unit}.gcn1.down.0", after, before, 1, 1)
        weights |= norm(f"{unit}.gcn1.down.1", after)
    share = after // 4
    for branch in range(4):
        name = f"{unit}.tcn1.branches.{branch}"
        weights |= conv(f"{name}.0", share, after, 1, 1) | norm(f"{name}.1", share)
        if branch < 2:
            weights |= conv(f"{name}.3.conv", share, share, 5, 1) | norm(f"{name}.3.bn", share)
        if branch == 2:
            weights |= norm(f"{name}.4", share)
    return weights


def stgcn(layout: str, classes: int) -> Weights:
    """The second release of st-gcn."""
    graph = hop_graph(layout)
    joints = graph.shape[-1]
    weights = {"A": graph} | norm("data_bn", 3 * joints)
    for number, before, after, stride in units():
        unit = f"st_gcn_networks.{number}"
        weights[f"edge_importance.{number}"] = numbers(*graph.shape)
        weights |= conv(f"{unit}.gcn.conv", 3 * after, before, 1, 1)
        weights |= norm(f"{unit}.tcn.0", after) | norm(f"{unit}.tcn.3", after)
        weights |= conv(f"{unit}.tcn.2", after, after, 9, 1)
        if number and (before, stride) != (after, 1):
            weights |= conv(f"{unit}.residual.0", after, before, 1, 1)
            weights |= norm(f"{unit}.residual.1", after)
    return weights | conv("fcn", classes, WIDTHS[-1], 1, 1)


def units() -> list[tuple[int, int, int, int]]:
    """Number, channels in, channels out and stride of each of the ten units."""
    rows = []
    for number, (before, after) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
        rows.append((number, before, after, 2 if number in (4, 7) else 1))
    return rows


def pyskl_shortcut(unit: str, before: int, after: int, stride: int, number: int) -> Weights:
    if not number or (before, stride) == (after, 1):
        return {}
    name = f"{unit}.residual"
    return conv(f"{name}.conv", after, before, 1, 1) | norm(f"{name}.bn", after)
