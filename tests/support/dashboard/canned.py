"""Answers made up, so that pictures of them do not depend on a machine's arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

from core.analysis.answers import AnyAnswer, BatteryResult, HardTask, Pair, SourceResult, Traced
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion, Battery, ExplicitTask, Trace
from tests.support.dashboard.fake_session import FakeSession
from tests.support.waves import sine_wave

_AMPLITUDES = tuple(0.1 + 4.9 * index / 8 for index in range(9))
_PHASES = tuple(2 * math.pi * index / 12 for index in range(13))


def surveyed(question: Battery) -> BatteryResult:
    """Each source is three times as bad as the one before."""
    n = len(question.sources)
    bins = tuple(10 ** (-4 + index / 5) for index in range(31))
    return BatteryResult(
        protocol=question.protocol,
        bins=bins,
        axes=("amplitude", "phase"),
        rows=_AMPLITUDES,
        columns=_PHASES,
        tasks=((10,) * 12,) * 8,
        sources=tuple(_source(0.05 * 3**index, index) for index in range(n)),
        pairs=tuple(
            Pair(first=a, second=b, mean=-0.1 * b, low=-0.2 * b, high=-0.05 * b, first_better=0.7)
            for a in range(n)
            for b in range(a + 1, n)
        ),
    )


def _source(mean: float, index: int) -> SourceResult:
    return SourceResult(
        iteration=(12_300, 18_700, 0)[min(index, 2)],
        lr=0.02,
        mean=mean,
        low=0.9 * mean,
        high=1.1 * mean,
        median=0.6 * mean,
        quantiles=(0.1 * mean, 0.3 * mean, 0.6 * mean, 1.2 * mean, 3 * mean),
        diverged=0,
        counts=tuple(
            round(100 * math.exp(-(((place - 12 - 3 * index) / 4) ** 2))) for place in range(30)
        ),
        worst=tuple(
            HardTask(
                index=97 * place % 300,
                loss=mean * (20 - place),
                label=sine_wave(4.9 - 0.1 * place, 0.3 * place).label,
                task=ExplicitTask((4.9 - 0.1 * place, 0.3 * place), (-1.0, 2.0), (0.5, -0.5)),
            )
            for place in range(10)
        ),
        heat=tuple(
            tuple(mean * (row + 1) ** 2 / 20 * (1 + column / 24) for column in range(12))
            for row in range(8)
        ),
    )


def traced(question: Trace) -> Traced:
    """Three steps round a corner."""
    return Traced(
        iteration=12_300,
        algorithm="FOMAML",
        paths=(((0.05, 0.02), (0.09, 0.06), (0.1, 0.12)),),
        update=(-0.03, 0.04),
        explained=(0.72, 0.2),
        lengths=(0.17,),
        distances=(0.156,),
        update_norm=0.05,
        fomaml_reptile=0.43,
        successive=-0.21,
        exact=True,
    )


class CannedSession(FakeSession):
    """Answers surveys and traces at once; the rest as its runs would."""

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        self.calls.append(type(question).__name__.lower())
        if isinstance(question, Battery):
            progress(question.protocol.tasks, question.protocol.tasks)
            return surveyed(question)
        if isinstance(question, Trace):
            return traced(question)
        return super().ask(question, progress, cancelled)
