"""Engines and how one is chosen. PyTorch and the compiled kernels are imported only when needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config import RunConfig
    from core.engines.base import Engine


def make_engine(config: RunConfig, announce: Callable[[str], None] = lambda _: None) -> Engine:
    """The engine that ``config`` asks for: with "auto", the fused one wherever it can serve.

    ``announce`` is told what takes the time, before it does. Raises ``EngineError`` where the
    engine or the device asked for cannot serve.
    """
    if config.engine != "torch":
        from core.engines.fused.engine import FusedEngine, why_not
        from core.engines.fused.network import must_compile

        if config.engine == "fused" or why_not(config) is None:
            if must_compile(config.precision):
                announce("compiling the fused engine, once for this machine")
            return FusedEngine(config)
    announce("loading PyTorch")
    from core.engines.torch.engine import TorchEngine

    return TorchEngine(config)
