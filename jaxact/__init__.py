"""Human action recognition in JAX: skeleton and frame models, trained, evaluated by protocol and exported with proof."""

__version__ = "0.1.0"
