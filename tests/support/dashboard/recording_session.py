"""A session that notes what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.analysis.answers import AnyAnswer
from core.analysis.questions import Adapt, AnyQuestion, Saved
from tests.support.dashboard.fake_session import FakeSession


@dataclass
class Noting(FakeSession):
    asked: list[AnyQuestion] = field(default_factory=list)

    def ask(self, question: AnyQuestion, *args: object, **options: object) -> AnyAnswer:
        self.asked.append(question)
        return super().ask(question, *args, **options)  # type: ignore[arg-type]

    @property
    def adapting(self) -> list[Adapt]:
        return [one for one in self.asked if isinstance(one, Adapt)]

    @property
    def visited(self) -> list[str]:
        """The checkpoints that were asked to adapt."""
        sources = [one.source for one in self.adapting]
        return [one.path for one in sources if isinstance(one, Saved)]
