"""Networks of the user's own by name; no PyTorch is imported here, as ``--help`` reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.nn import Module

MakeModule = Callable[[int, int], "Module"]
"""Makes a module for so many inputs and outputs, with initial values from PyTorch's generator."""

MODELS: dict[str, MakeModule] = {}
"""Functions that make modules, by name: what the user has registered."""
