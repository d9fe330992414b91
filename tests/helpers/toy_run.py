"""A toy run as a program, to be killed or started twice: WORKDIR [coordinator count index]
[a.b=value ...].
"""

import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")


def main() -> None:
    """Trains the toy run that the arguments describe."""
    workdir, *rest = sys.argv[1:]
    overrides = dict(item.split("=", 1) for item in rest if "=" in item)
    cluster = [item for item in rest if "=" not in item]
    if cluster:
        import jax

        jax.distributed.initialize(cluster[0], int(cluster[1]), int(cluster[2]))
    from jaxact.training import loop
    from tests.helpers import toys

    run = toys.run_config(**overrides)
    with toys.short_networks():
        outcome = loop.run(run, workdir, toys.toy_source(run))
    print(f"stopped={outcome.stopped} step={outcome.step}", flush=True)


if __name__ == "__main__":
    main()
