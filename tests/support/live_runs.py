"""Live runs to ask, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.analysis.service import AnalysisService
from core.analysis.theta import Theta
from core.analysis.theta_sources import LiveRun
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Engine, TrainState
from tests.support.runs import small_config


def trained(
    engine: str = "torch", iterations: int = 20, **settings: Any
) -> tuple[RunConfig, TrainState]:
    """A small run after some iterations."""
    config = small_config(engine, **settings)
    maker = make_engine(config)
    return config, maker.advance(maker.initial_state(), iterations).state


def live(config: RunConfig, state: TrainState, folder: Path = Path("nowhere")) -> LiveRun:
    return LiveRun(config, state.iteration, state.theta, folder)


def bench_of(**runs: LiveRun) -> AnalysisService:
    """A bench that knows these runs."""
    return AnalysisService(runs.get)


def ready(config: RunConfig, state: TrainState) -> tuple[Theta, Engine]:
    """What a survey takes."""
    return Theta(config, state.iteration, state.theta, state.moments), make_engine(config)
