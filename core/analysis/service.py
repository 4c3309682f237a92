"""The service that answers questions about runs; it only reads them."""

from collections.abc import Callable

from core.analysis.adapt import adapt
from core.analysis.answers import AnyAnswer, Cancelled
from core.analysis.battery import run_battery
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.history import HistoryReader
from core.analysis.questions import Adapt, AnyQuestion, Battery, ReadHistory
from core.analysis.theta_cache import ThetaCache
from core.analysis.theta_sources import FindRun, ThetaSources
from core.errors import SessionError, unexpected


class AnalysisService:
    """Answers one battery and one other question at a time, while runs train in other threads.

    Arrays of a live run are replaced by training, never written to, so they need no copy.
    """

    def __init__(self, find_run: FindRun) -> None:
        cache = ThetaCache()
        self._sources = ThetaSources(find_run, cache)
        self._battery_sources = ThetaSources(find_run, cache)
        self._histories = HistoryReader()

    def answer(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        """Return the answer, or ``Cancelled`` soon after ``cancelled()`` becomes true.

        ``progress`` receives the numbers of finished and of all tasks of a battery; both callbacks
        are called in this thread. Raises ``ConfigError``, ``QuestionError``, ``CheckpointError``,
        ``RunFolderError`` and ``EngineError``.
        """
        try:
            return self._answer(question, progress, cancelled)
        except (SystemExit, KeyboardInterrupt) as error:
            # They would end whatever waits for the answer.
            raise SessionError(unexpected(error)) from error

    def _answer(
        self, question: AnyQuestion, progress: OnProgress, cancelled: Callable[[], bool]
    ) -> AnyAnswer:
        if cancelled():
            return Cancelled()
        if isinstance(question, ReadHistory):
            return self._histories.read(self._sources.folder(question.of), cancelled)
        if isinstance(question, Battery):
            thetas = [self._battery_sources.theta(source) for source in question.sources]
            engines = [self._battery_sources.engine(theta.config) for theta in thetas]
            sources = list(zip(thetas, engines, strict=True))
            return run_battery(question, sources, progress, cancelled)
        theta = self._sources.theta(question.source)
        if isinstance(question, Adapt):
            return adapt(question, theta, self._sources.engine(theta.config))
        # PyTorch takes a second to load, and the fused engine trains without it.
        from core.analysis.geometry import trace

        return trace(theta)
