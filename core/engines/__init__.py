"""Choice of an engine. PyTorch and the compiled kernels are imported only when needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config import RunConfig
    from core.engines.base import Engine


COMPILING, ONCE = "compiling the fused engine", "later starts skip this"


def make_engine(config: RunConfig, on_prepare: Callable[[str], None] | None = None) -> Engine:
    """Create the engine that ``config`` names; "auto" takes the fused one wherever possible.

    ``on_prepare`` is called with a description before each slow preparation. Raises
    ``EngineError`` where the engine cannot run ``config``, or the device is missing.
    """
    note, report = "", on_prepare or (lambda _: None)
    if config.engine != "torch":
        from core.engines.fused.engine import FusedEngine, network_for, unsupported_reason
        from core.engines.fused.network import must_compile

        reason = unsupported_reason(config)
        if config.engine == "fused" or reason is None:
            # To find it out takes half a millisecond, as much as the rest.
            if on_prepare and reason is None and must_compile(network_for(config).variant):
                report(f"{COMPILING}; {ONCE}")
            return FusedEngine(config, lambda done: report(f"{COMPILING}: {done}; {ONCE}"))
        if config.device == "auto":
            note = f"PyTorch trains, as the fused engine cannot: {reason}"
    report("loading PyTorch")
    from core.engines.torch.engine import TorchEngine

    return TorchEngine(config, note)
