# The stubs that pyright carries for TensorFlow refuse correct programs (`x[..., 0]`); without
# them it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
