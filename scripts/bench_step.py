"""Training and inference speed of ST-GCN (3 x 300 x 25 x 2, 60 classes) here and in PyTorch, in
turn; of STA-GCN here.

    python scripts/bench_step.py                                   # jaxact alone
    git clone https://github.com/yysijie/st-gcn && git -C st-gcn checkout 221c0e1
    python scripts/bench_step.py --torch-checkout st-gcn --out bench   # also PyTorch eager and torch.compile
    python scripts/bench_step.py --model stagcn --batch 8              # what STA-GCN's attention adds to ST-GCN

Every side runs in a process of its own, one after the other and `--rounds` times over, so that a
slow spell of the machine meets all of them; all have the same allocator settings
(JAXACT_ALLOCATOR=default leaves the C library's). Times are medians over rounds of the fastest step
of a round. FLOP are the network's own, 2 per multiply-add of its direct form (34.2 GFLOP per clip
forward, three times that for training), whatever a formulation saves of them, so a share of the
matrix product's peak is a share of what the direct form could reach. On a GPU both sides compute in
bfloat16.
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
# segments, which are slower without it too; the whole SN.
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
    """Seconds of the first call and of the fastest of the others; `step` returns when its result is
    there.
    """
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
    kind, options = NETWORKS[name]
    spec = models.InputSpec(layout=layout, num_classes=60, channels=("x", "y", "z"))
    model = models.build(kind, spec, dtype=dtype, **options)
    tx = optax.chain(optax.add_decayed_weights(1e-4), optax.sgd(0.1, 0.9, nesterov=True))
    place = sharding.make_placement(devices=1)
    current = state.create(model, jax.ShapeDtypeStruct((1, *SHAPE), np.float32), tx, seed=0)
    inputs = np.random.default_rng(0).standard_normal((batch, *SHAPE), np.float32)
    data = jax.device_put({"inputs": inputs, "targets": np.zeros(batch, np.int32)})
    loss = losses.classification_loss
    compiled = place.compile_train(
        functools.partial(step.train_step, apply=model.apply, loss=loss, tx=tx, seed=0)
    )
    forward = jax.jit(model.apply)

    def one() -> None:
        nonlocal current
        if train:
            current, _ = jax.block_until_ready(compiled(current, data))
        else:
            jax.block_until_ready(forward(current.weights, data["inputs"]))

    result = timed(one, repetitions)
    memory = jax.devices()[0].memory_stats()
    return result | ({"peak_mb": memory["peak_bytes_in_use"] / 1e6} if memory else {})


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

    def one() -> None:
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

    result = timed(one, repetitions)
    return result | (
        {"peak_mb": torch.cuda.max_memory_allocated() / 1e6} if device == "cuda" else {}
    )


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
    """One measurement, in the process made for it."""
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
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--mode",
        mode,
        "--batch",
        str(batch),
        "--dtype",
        options.dtype,
    ]
    command += [
        "--repetitions",
        str(options.repetitions),
        "--torch-checkout",
        options.torch_checkout,
    ]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        )
    }
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(ran.stdout.splitlines()[-1])


def compare(options: argparse.Namespace) -> list[dict]:
    """Every mode and batch, the sides in turn."""
    sides = ["jaxact", *(["torch eager", "torch.compile"] if options.torch_checkout else [])]
    if options.model == "stagcn":
        sides = list(NETWORKS)
    rows = []
    for mode in options.modes:
        for batch in options.batch:
            runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
            for _ in range(options.rounds):
                for side in sides:
                    runs[side].append(measure(side, options, mode, batch))
                    print(
                        f"{mode} batch {batch} {side}: {runs[side][-1]['step']:.3f} s",
                        file=sys.stderr,
                    )
            rows += [summary(mode, batch, side, runs, options.peak) for side in sides]
    return rows


def summary(
    mode: str, batch: int, side: str, runs: dict[str, list[dict[str, float]]], peak: float
) -> dict:
    """One line of the table."""
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
    chosen, options.dtype = options.dtype, options.dtype or "float32"
    peak = measure("peak", options)
    if peak["gpu"] and not chosen:
        options.dtype = "bfloat16"
        peak = measure("peak", options)
    options.peak = peak["flops"]
    rows = compare(options)
    text = f"{options.dtype}, matrix product peak {options.peak / 1e9:.0f} GFLOP/s\n\n{markdown(rows)}\n"
    print(text)
    if options.out:
        Path(f"{options.out}.md").write_text(text)
        Path(f"{options.out}.json").write_text(
            json.dumps({"peak": options.peak, "dtype": options.dtype, "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
