"""Live runs for the analysis service, without training threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.analysis.service import AnalysisService
from core.analysis.theta_cache import Theta
from core.analysis.theta_sources import LiveRun
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Engine, TrainState
from tests.support.runs import small_config


def trained(
    engine: str = "torch", iterations: int = 20, **settings: Any
) -> tuple[RunConfig, TrainState]:
    """Return a small run after some iterations."""
    config = small_config(engine, **settings)
    trainer = make_engine(config)
    return config, trainer.advance(trainer.initial_state(), iterations).state


def live(config: RunConfig, state: TrainState, folder: Path = Path("nowhere")) -> LiveRun:
    return LiveRun(config, state.iteration, state.theta, folder)


def service_of(**runs: LiveRun) -> AnalysisService:
    """Return a service that knows these runs."""
    return AnalysisService(runs.get)


def ready(config: RunConfig, state: TrainState) -> tuple[Theta, Engine]:
    """Return a run as ``run_battery`` and ``adapt`` take it."""
    return Theta(config, state.iteration, state.theta, state.moments), make_engine(config)
