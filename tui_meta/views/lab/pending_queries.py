"""Queries to the analysis service: one pending per source, newer ones wait."""

from collections.abc import Mapping

import msgspec

from core.analysis.answers import Adapted
from core.analysis.questions import Adapt, Live, PinnedTheta

Answers = Mapping[str, Adapted | None]
"""Answers by the title of the source; None while pending."""


class PendingQueries:
    """Tracks which questions were asked, answered and refused, by the title of the source."""

    def __init__(self) -> None:
        self._open: dict[str, Adapt] = {}
        self._refused: dict[str, Adapt] = {}
        self._answers: dict[str, tuple[Adapt, Adapted]] = {}

    @property
    def waits(self) -> bool:
        """True while an answer is pending."""
        return bool(self._open)

    def due(
        self, wanted: Mapping[str, Adapt], iterations: Mapping[str, int] | None = None
    ) -> dict[str, Adapt]:
        """Return the questions of ``wanted`` to ask now; they then count as asked.

        With the current ``iterations`` of the runs, these include questions about live thetas that
        have changed since. Refused questions are asked again only then.
        """
        asked = {
            title: question
            for title, question in wanted.items()
            if title not in self._open
            and (self._is_new(title, question) or self._is_old(title, question, iterations or {}))
        }
        self._open |= asked
        return asked

    def answered(self, title: str, answer: Adapted) -> None:
        """Store the answer to the pending question of ``title``."""
        self._answers[title] = self._open.pop(title), answer

    def refused(self, title: str) -> Adapt:
        """Mark the pending question of ``title`` as refused and return it."""
        self._refused[title] = self._open.pop(title)
        return self._refused[title]

    def seen(self) -> dict[str, int]:
        """Return the iterations at which live thetas have answered."""
        return {
            title: answer.iteration
            for title, (asked, answer) in self._answers.items()
            if isinstance(asked.source, Live)
        }

    def answers(self, wanted: Mapping[str, Adapt]) -> Answers:
        """Return the answers to exactly the ``wanted`` questions, in their order."""
        return {title: self._answer(title, question) for title, question in wanted.items()}

    def _answer(self, title: str, question: Adapt) -> Adapted | None:
        asked, answer = self._answers.get(title, (None, None))
        return answer if asked and answer and _answers(asked, answer, question) else None

    def _is_new(self, title: str, question: Adapt) -> bool:
        known = self._answers.get(title)
        return question not in (known and known[0], self._refused.get(title))

    def _is_old(self, title: str, question: Adapt, iterations: Mapping[str, int]) -> bool:
        if not isinstance(question.source, Live) or question.source.run not in iterations:
            return False
        known = self._answers.get(title)
        return known is None or known[1].iteration != iterations[question.source.run]


def _answers(asked: Adapt, answer: Adapted, question: Adapt) -> bool:
    """Return True if the ``answer`` to ``asked`` also answers ``question``.

    Freezing a live theta keeps it the same, and unfreezing gives a live theta that is not new.
    """
    was, is_now = asked.source, question.source
    if (
        isinstance(was, Live | PinnedTheta)
        and isinstance(is_now, Live | PinnedTheta)
        and was.run == is_now.run
    ):
        same = isinstance(is_now, Live) or is_now.iteration == answer.iteration
        return same and msgspec.structs.replace(asked, source=is_now) == question
    return asked == question
