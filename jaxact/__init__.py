"""Human action recognition in JAX: skeleton and frame models, trained, scored by protocol, exported
with proof.
"""

__version__ = "0.1.0"


def load(workdir, *, step=None, select=None):
    """The network of a run, to be asked about clips:
    `jaxact.load("runs/utd").predict(joints).top(5)`.

    Nothing heavy is imported before it is called; see `jaxact.inference.predictor.load`.
    """
    from jaxact.inference import predictor

    return predictor.load(workdir, step=step, select=select)
