"""A fake session that records the questions it is asked."""

from __future__ import annotations

from core.analysis.answers import AnyAnswer
from core.analysis.questions import Adapt, AnyQuestion, Saved
from core.session.api import Connection
from tests.support.dashboard.fake_session import FakeSession


class RecordingSession(FakeSession):
    def __init__(self, connection: Connection | None = None) -> None:
        super().__init__(connection=connection)
        self.asked: list[AnyQuestion] = []

    def ask(self, question: AnyQuestion, *args: object, **options: object) -> AnyAnswer:
        self.asked.append(question)
        return super().ask(question, *args, **options)  # type: ignore[arg-type]

    @property
    def adapting(self) -> list[Adapt]:
        """The questions to adapt a network."""
        return [one for one in self.asked if isinstance(one, Adapt)]

    @property
    def visited(self) -> list[str]:
        """The checkpoints that were asked to adapt."""
        sources = [one.source for one in self.adapting]
        return [one.path for one in sources if isinstance(one, Saved)]
