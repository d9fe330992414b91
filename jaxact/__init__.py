"""Human action recognition in JAX: skeleton and frame models, trained, scored by protocol, exported with proof."""

__version__ = "0.1.0"


def load(workdir, *, step=None, select=None):
    """The network of a run, to be asked about clips: `jaxact.load("runs/utd").predict(joints).top(5)`.

    Nothing heavy is imported before it is called; see `jaxact.predict.load`.
    """
    from jaxact import predict

    return predict.load(workdir, step=step, select=select)
