"""Engines and how one is chosen. PyTorch and the compiled kernels are imported only when needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config import RunConfig
    from core.engines.base import Engine


def make_engine(config: RunConfig) -> Engine:
    """The engine that ``config`` asks for; raises ``EngineError`` where it cannot serve."""
    from core.engines.torch_engine import TorchEngine

    return TorchEngine(config)
