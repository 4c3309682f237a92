"""A session that answers questions without training anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.analysis.answers import AnyAnswer
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion
from core.analysis.service import AnalysisService
from core.session.local import LocalSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.live_runs import live, trained
from tests.support.run_folders import make_run


class Answering(FakeSession):
    """A session that answers questions about one small run that does not train."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        run = live(*trained(), make_run(folder))
        self.local = LocalSession([])
        self.local._analysis = AnalysisService({"run": run}.get)

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        return self.local.ask(question, progress, cancelled)
