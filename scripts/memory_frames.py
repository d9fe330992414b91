"""Prints the memory of a training step of SC-Xception, by XLA's memory analysis; runs nothing.

    python scripts/memory_frames.py                          # the paper's batch of 32 clips at once
    python scripts/memory_frames.py --accumulate 8 --remat   # eight micro-batches, recomputation
    python scripts/memory_frames.py --train-from all

The step is Adam's on the trained parameters; frames are bytes. Printed in GiB: the arguments
(weights, optimiser state, frames), the temporary buffers, and their sum; and the activations of a
micro-batch that JAX stores for the backward pass. On a CPU the analysis is of a program for CPUs:
its convolutions need no workspace, bfloat16 is computed in float32 in many operations, and XLA does
not recompute what `--remat` marks.
"""

import argparse
import time
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxact.models.sc_xception import SCXception
from jaxact.runs import state

GIB = 2**30


def loss_of(model: SCXception) -> Any:
    """The sum of a micro-batch's losses, and the updated statistics."""

    def loss(
        trained: Any, fixed: Any, stats: Any, inputs: Any, targets: Any, key: Any
    ) -> tuple[Any, Any]:
        variables = {"params": state.merge(trained, fixed), "batch_stats": stats}
        rngs = {"dropout": key}
        logits, updated = model.apply(
            variables, inputs, train=True, mutable=["batch_stats"], rngs=rngs
        )
        return optax.softmax_cross_entropy_with_integer_labels(logits, targets).sum(), updated[
            "batch_stats"
        ]

    return loss


def step(model: SCXception, tx: optax.GradientTransformation, accumulate: int) -> Any:
    """One update: gradients of micro-batches, one after the other, added and applied."""
    loss = loss_of(model)

    def update(
        trained: Any, memory: Any, stats: Any, fixed: Any, inputs: Any, targets: Any
    ) -> tuple[Any, Any, Any]:
        def add(carry: Any, micro: Any) -> tuple[Any, None]:
            total, stats = carry
            grads, stats = jax.grad(loss, has_aux=True)(
                trained, fixed, stats, *micro, jax.random.key(0)
            )
            return (jax.tree.map(jnp.add, total, grads), stats), None

        count = inputs.shape[0]
        micros = jax.tree.map(
            lambda x: x.reshape(accumulate, count // accumulate, *x.shape[1:]), (inputs, targets)
        )
        (grads, stats), _ = jax.lax.scan(
            add, (jax.tree.map(jnp.zeros_like, trained), stats), micros
        )
        change, memory = tx.update(jax.tree.map(lambda g: g / count, grads), memory, trained)
        return optax.apply_updates(trained, change), memory, stats

    return jax.jit(update, donate_argnums=(0, 1, 2))


def stored_activations(
    model: SCXception, trained: Any, fixed: Any, stats: Any, inputs: Any, targets: Any
) -> int:
    """Bytes that a micro-batch's forward pass stores for its backward pass, without weights."""

    def forward(trained: Any, *others: Any) -> Any:
        return jax.vjp(
            lambda trained: loss_of(model)(trained, *others, jax.random.key(0)),
            trained,
            has_aux=True,
        )[1]

    saved = jax.tree.leaves(jax.eval_shape(forward, trained, fixed, stats, inputs, targets))
    return sum(leaf.size * leaf.dtype.itemsize for leaf in saved) - sum(
        4 * leaf.size for leaf in jax.tree.leaves(trained)
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--pixels", type=int, default=299)
    parser.add_argument("--accumulate", type=int, default=1, help="micro-batches per step")
    parser.add_argument("--chunk", type=int, default=0, help="frames per call of frozen blocks")
    parser.add_argument("--train-from", default="last")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--remat", action="store_true")
    arguments = parser.parse_args()
    options = {name: getattr(arguments, name) for name in ("train_from", "dtype", "remat", "chunk")}
    model = SCXception(101, **options)
    frames = jax.ShapeDtypeStruct(
        (arguments.batch, arguments.frames, arguments.pixels, arguments.pixels, 3), jnp.uint8
    )
    one = jax.ShapeDtypeStruct((1, 1, *frames.shape[2:]), jnp.uint8)
    variables = jax.eval_shape(model.init, jax.random.key(0), one)
    trained, fixed = state.split(variables["params"], model.frozen(variables["params"]))
    tx = optax.adam(1e-4)
    targets = jax.ShapeDtypeStruct((arguments.batch,), jnp.int32)
    inputs = (
        trained,
        jax.eval_shape(tx.init, trained),
        variables["batch_stats"],
        fixed,
        frames,
        targets,
    )
    start = time.monotonic()
    memory = step(model, tx, arguments.accumulate).lower(*inputs).compile().memory_analysis()
    resident, temporary = memory.argument_size_in_bytes / GIB, memory.temp_size_in_bytes / GIB
    print(f"{vars(arguments)}")
    micro = [
        jax.ShapeDtypeStruct((arguments.batch // arguments.accumulate, *x.shape[1:]), x.dtype)
        for x in (frames, targets)
    ]
    activations = stored_activations(model, trained, fixed, variables["batch_stats"], *micro) / GIB
    total = resident + temporary
    print(f"arguments {resident:.2f}, temporary {temporary:.2f}, total {total:.2f} GiB")
    print(f"stored activations of a micro-batch {activations:.2f} GiB")
    print(f"compiled in {time.monotonic() - start:.0f} s for {jax.default_backend()}")


if __name__ == "__main__":
    main()
