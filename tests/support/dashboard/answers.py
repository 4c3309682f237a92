"""Answers to show, made by a bench of small networks."""

from __future__ import annotations

import functools
from pathlib import Path

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.analysis.answers import Adapted, BatteryResult, Traced
from core.analysis.questions import Adapt, AnySource, Battery, Live, Trace, Untrained
from core.analysis.service import AnalysisService
from core.analysis.theta_sources import LiveRun
from core.config import RunConfig
from core.engines import make_engine
from core.evaluation_protocol import EvaluationProtocol
from core.models.settings import NetworkConfig

TITLES = ("FOMAML", "Reptile", "random")
SOURCES: dict[str, AnySource] = dict(
    zip(TITLES, (Live("fomaml"), Live("reptile"), Untrained(Live("fomaml"))), strict=True)
)


@functools.cache
def bench() -> AnalysisService:
    runs = {}
    for algorithm in (Fomaml(), Reptile()):
        config = RunConfig(algorithm=algorithm, network=NetworkConfig(hidden=(6, 6)))
        engine = make_engine(config)
        state = engine.advance(engine.initial_state(), 50).state
        runs[algorithm.name] = LiveRun(config, state.iteration, state.theta, Path("nowhere"))
    return AnalysisService(runs.get)


def adapted(question: Adapt) -> Adapted:
    answer = bench().answer(question)
    assert isinstance(answer, Adapted)
    return answer


@functools.cache
def surveyed() -> BatteryResult:
    answer = bench().answer(
        Battery(sources=tuple(SOURCES.values()), protocol=EvaluationProtocol(tasks=300, steps=(4,)))
    )
    assert isinstance(answer, BatteryResult)
    return answer


@functools.cache
def traced(title: str) -> Traced:
    answer = bench().answer(Trace(source=SOURCES[title]))
    assert isinstance(answer, Traced)
    return answer
