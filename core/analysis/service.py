"""Answers questions. It only reads runs, so it may work beside the threads that train them."""

from __future__ import annotations

from collections.abc import Callable

from core.analysis.adapt import adapt
from core.analysis.answers import AnyAnswer, Cancelled
from core.analysis.battery import OnProgress, run_battery
from core.analysis.history import Recalling
from core.analysis.questions import Adapt, AnyQuestion, Battery, ReadHistory
from core.analysis.theta_cache import ThetaCache
from core.analysis.theta_sources import FindRun, Sources


def ignore_progress(done: int, total: int) -> None:
    """For those who do not wait."""


def never_cancelled() -> bool:
    """For those who want to know in any case."""
    return False


class AnalysisService:
    """Answers one survey at a time, and beside it one other question: never in threads that train.

    A theta is read where the run has it: those arrays are replaced, never written to.
    """

    def __init__(self, find_run: FindRun) -> None:
        holding = ThetaCache()
        self._sources = Sources(find_run, holding)
        self._of_surveys = Sources(find_run, holding)
        self._recalling = Recalling()

    def answer(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        """The answer, or ``Cancelled`` soon after ``cancelled()`` becomes true.

        ``progress`` is told how many of how many tasks of a survey are done; both are called in
        this thread. Raises ``ConfigError``, ``QuestionError``, ``CheckpointError``,
        ``RunFolderError`` and ``EngineError``.
        """
        if cancelled():
            return Cancelled()
        if isinstance(question, ReadHistory):
            return self._recalling.recall(self._sources.folder(question.of), cancelled)
        if isinstance(question, Battery):
            thetas = [self._of_surveys.theta(source) for source in question.sources]
            ready = [(theta, self._of_surveys.engine(theta.config)) for theta in thetas]
            return run_battery(question, ready, progress, cancelled)
        theta = self._sources.theta(question.source)
        if isinstance(question, Adapt):
            return adapt(question, theta, self._sources.engine(theta.config))
        # PyTorch takes a second to load, and the fused engine trains without it.
        from core.analysis.geometry import trace

        return trace(theta)
