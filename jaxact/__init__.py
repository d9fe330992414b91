"""Human action recognition in JAX: skeleton and frame models, trained, scored by protocol, exported with proof."""

__version__ = "0.1.0"
