"""Our networks beside the public code's numbers: one training pass, and how near it must come."""

import jax
import numpy as np
import optax


def group(numbers, prefix: str) -> dict:
    return {name.removeprefix(prefix): numbers[name] for name in numbers if name.startswith(prefix)}


def train_pass(model, variables, inputs, labels):
    """Loss, logits, gradients and updated running statistics of one training pass."""

    def loss_of(params):
        logits, updated = model.apply(
            {**variables, "params": params}, inputs, train=True, mutable=["batch_stats"]
        )
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), (
            logits,
            updated["batch_stats"],
        )

    (loss, (logits, stats)), gradients = jax.jit(jax.value_and_grad(loss_of, has_aux=True))(
        variables["params"]
    )
    return loss, logits, gradients, stats


def assert_logits_equal(ours, theirs) -> None:
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


def assert_gradients_equal(ours, theirs) -> None:
    """Relative L2 below 1e-3; what normalisation cancels (a bias before it) is rounding noise and
    must be small.
    """
    norm = np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(theirs)))

    def compare(path, ours, theirs):
        difference = np.linalg.norm(np.asarray(ours) - theirs)
        assert difference < max(1e-3 * np.linalg.norm(theirs), 1e-6 * norm), jax.tree_util.keystr(
            path
        )

    jax.tree_util.tree_map_with_path(compare, ours, theirs)
