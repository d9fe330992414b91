"""Benchmarks training and inference of ST-GCN here and in PyTorch, and of STA-GCN here.

    python scripts/bench_step.py                                   # jaxact alone
    git clone https://github.com/yysijie/st-gcn && git -C st-gcn checkout 221c0e1
    python scripts/bench_step.py --torch-checkout st-gcn --out bench   # and PyTorch
    python scripts/bench_step.py --model stagcn --batch 8              # the cost of attention

Clips are 3 x 300 x 25 x 2, 60 classes. Each implementation runs in its own process, one after the
other and `--rounds` times over, so that a slow phase of the machine affects all of them; all have
the same allocator settings (JAXACT_ALLOCATOR=default keeps the C library's). Times are medians over
rounds of the fastest step of a round. FLOP are those of the network's direct form, 2 per
multiply-add (34.2 GFLOP per clip forward, three times that for training), even where a formulation
computes fewer, so a share of the matrix product's peak is a share of what the direct form could
reach. On a GPU both implementations compute in bfloat16.
"""

import argparse
import functools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SHAPE = (300, 2, 25, 3)  # frames, persons, joints, channels
FORWARD_FLOP = 34.2e9  # per clip
# Our networks: model and options. Attention on ST-GCN's own units, on whole clips and on five
# segments, which are slower without attention too; the complete SN.
ATTENTION = {"operator": "partition", "attention": "both", "gate": "none", "kept": 0}
NETWORKS = {
    "jaxact": ("stgcn", {}),
    "attention": ("stagcn", ATTENTION | {"segments": 1}),
    "5 segments": ("stagcn", ATTENTION | {"segments": 5, "attention": "none"}),
    "attention in 5 segments": ("stagcn", ATTENTION | {"segments": 5}),
    "spatial attention": ("stagcn", ATTENTION | {"attention": "spatial", "segments": 1}),
    "STA-GCN SN": ("stagcn", {}),
}


def timed(step, repetitions: int) -> dict[str, float]:
    """Seconds of the first call and of the fastest other one; `step` blocks until its result."""
    seconds = []
    for _ in range(repetitions + 2):  # the second call still touches new memory
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return {
        "first": seconds[0],
        "step": min(seconds[2:]),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def run_jax(name: str, batch: int, train: bool, repetitions: int, dtype: str) -> dict[str, float]:
    """Our step, exactly as `jaxact train` compiles it."""
    import jax
    import numpy as np
    import optax

    from jaxact import models, skeletons
    from jaxact.losses import classification as losses
    from jaxact.runs import sharding, state
    from jaxact.training import train_step as step

    layout = skeletons.get_layout("ntu-25")
    network, options = NETWORKS[name]
    spec = models.InputSpec(layout=layout, num_classes=60, channels=("x", "y", "z"))
    model = models.build(network, spec, dtype=dtype, **options)
    tx = optax.chain(optax.add_decayed_weights(1e-4), optax.sgd(0.1, 0.9, nesterov=True))
    placement = sharding.make_placement(devices=1)
    current = state.create(model, jax.ShapeDtypeStruct((1, *SHAPE), np.float32), tx, seed=0)
    inputs = np.random.default_rng(0).standard_normal((batch, *SHAPE), np.float32)
    data = jax.device_put({"inputs": inputs, "targets": np.zeros(batch, np.int32)})
    loss = losses.classification_loss
    compiled = placement.compile_train(
        functools.partial(step.train_step, apply=model.apply, loss=loss, tx=tx, seed=0)
    )
    forward = jax.jit(model.apply)

    def run_once() -> None:
        nonlocal current
        if train:
            current, _ = jax.block_until_ready(compiled(current, data))
        else:
            jax.block_until_ready(forward(current.weights, data["inputs"]))

    result = timed(run_once, repetitions)
    if memory := jax.devices()[0].memory_stats():
        result["peak_mb"] = memory["peak_bytes_in_use"] / 1e6
    return result


def run_torch(
    batch: int, train: bool, repetitions: int, dtype: str, *, compiled: bool, checkout: str
) -> dict[str, float]:
    """The public network, eager or through torch.compile."""
    import torch

    sys.path.insert(0, checkout)
    from net import st_gcn  # pyright: ignore[reportMissingImports]

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    graph = {"layout": "ntu-rgb+d", "strategy": "spatial"}
    model = st_gcn.Model(3, 60, graph, True, dropout=0.5).to(device).train(train)
    inputs = torch.randn(batch, 3, 300, 25, 2, device=device)
    labels = torch.zeros(batch, dtype=torch.long, device=device)
    optimizer = torch.optim.SGD(
        model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    forward = torch.compile(model) if compiled else model

    def run_once() -> None:
        with (
            torch.set_grad_enabled(train),
            torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"),
        ):
            logits = forward(inputs)
            loss = torch.nn.functional.cross_entropy(logits, labels)
        if train:
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    result = timed(run_once, repetitions)
    if device == "cuda":
        result["peak_mb"] = torch.cuda.max_memory_allocated() / 1e6
    return result


def matmul_peak(dtype: str) -> dict[str, float]:
    """FLOP/s of the fastest square matrix product."""
    import jax
    import jax.numpy as jnp

    size = 2048 if jax.default_backend() == "cpu" else 8192
    a, dot = jnp.ones((size, size), dtype), jax.jit(jnp.dot)
    return {
        "flops": 2 * size**3 / timed(lambda: dot(a, a).block_until_ready(), 8)["step"],
        "gpu": jax.default_backend() != "cpu",
    }


def work(side: str, options: argparse.Namespace) -> dict[str, float]:
    """One measurement, in this process."""
    from jaxact.cli.malloc import keep_pages

    keep_pages()
    if side == "peak":
        return matmul_peak(options.dtype)
    arguments = (options.batch[0], options.mode == "train", options.repetitions, options.dtype)
    if side in NETWORKS:
        return run_jax(side, *arguments)
    return run_torch(*arguments, compiled=side == "torch.compile", checkout=options.torch_checkout)


def measure(
    side: str, options: argparse.Namespace, mode: str = "train", batch: int = 1
) -> dict[str, float]:
    """`work` in a fresh process."""
    command = [sys.executable, __file__, "--side", side, "--mode", mode, "--batch", str(batch)]
    command += ["--dtype", options.dtype, "--repetitions", str(options.repetitions)]
    command += ["--torch-checkout", options.torch_checkout]
    root = str(Path(__file__).parents[1])
    python_path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": python_path}
    process = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    return json.loads(process.stdout.splitlines()[-1])


def compare(options: argparse.Namespace) -> list[dict]:
    """Rows for every mode, batch size and implementation."""
    sides = ["jaxact"]
    if options.torch_checkout:
        sides += ["torch eager", "torch.compile"]
    if options.model == "stagcn":
        sides = list(NETWORKS)
    rows = []
    for mode in options.modes:
        for batch in options.batch:
            runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
            for _ in range(options.rounds):
                for side in sides:
                    times = measure(side, options, mode, batch)
                    runs[side].append(times)
                    print(f"{mode} batch {batch} {side}: {times['step']:.3f} s", file=sys.stderr)
            rows += [summary(mode, batch, side, runs, options.peak) for side in sides]
    return rows


def summary(
    mode: str, batch: int, side: str, runs: dict[str, list[dict[str, float]]], peak: float
) -> dict:
    """One row of the table."""
    seconds = statistics.median(run["step"] for run in runs[side])
    ours = statistics.median(run["step"] for run in runs["jaxact"])
    flops = batch * FORWARD_FLOP * (3 if mode == "train" else 1) / seconds
    return {
        "mode": mode,
        "batch": batch,
        "side": side,
        "seconds": round(seconds, 4),
        "clips_per_second": round(batch / seconds, 2),
        "times_faster_here": round(seconds / ours, 2),
        "first_seconds": round(max(run["first"] for run in runs[side]), 1),
        "peak_mb": round(max(run["peak_mb"] for run in runs[side])),
        "gflops": round(flops / 1e9),
        "share_of_matmul_peak": round(flops / peak, 2),
    }


def markdown(rows: list[dict]) -> str:
    lines = [
        " | ".join(rows[0]),
        " | ".join("---" for _ in rows[0]),
        *(" | ".join(map(str, row.values())) for row in rows),
    ]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        default="stgcn",
        choices=["stgcn", "stagcn"],
        help="stagcn: ST-GCN with attention",
    )
    parser.add_argument("--torch-checkout", default="", help="folder of the public PyTorch code")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 16])
    parser.add_argument(
        "--modes", nargs="+", default=["train", "infer"], choices=["train", "infer"]
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=3, help="timed steps per round")
    parser.add_argument(
        "--dtype", default="", help="float32 or bfloat16; bfloat16 on a GPU by default"
    )
    parser.add_argument("--out", help="writes OUT.md and OUT.json")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(work(options.side, options)))
        return
    default_dtype = not options.dtype
    if default_dtype:
        options.dtype = "float32"
    peak = measure("peak", options)
    if peak["gpu"] and default_dtype:
        options.dtype = "bfloat16"
        peak = measure("peak", options)
    options.peak = peak["flops"]
    rows = compare(options)
    title = f"{options.dtype}, matrix product peak {options.peak / 1e9:.0f} GFLOP/s"
    text = f"{title}\n\n{markdown(rows)}\n"
    print(text)
    if options.out:
        Path(f"{options.out}.md").write_text(text)
        Path(f"{options.out}.json").write_text(
            json.dumps({"peak": options.peak, "dtype": options.dtype, "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
