"""Answers of visited checkpoints; the most recent ones are kept."""

from collections import OrderedDict

from core.analysis.answers import Adapted
from core.analysis.questions import Adapt

MOST_KEPT = 64
"""Answers of at most half a MiB each, usually of some KiB."""


class AnswerCache:
    """Caches answers; one question is pending at a time, and refused ones are not asked again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Adapt, Adapted | None] = OrderedDict()
        self._open: Adapt | None = None

    def due(self, question: Adapt) -> bool:
        """Return True if this must be asked; it then counts as asked."""
        if question == self._open or question in self._kept:
            return False
        self._open = question
        return True

    def knows(self, question: Adapt) -> bool:
        """Return True if this was answered or refused."""
        return question in self._kept

    def store(self, question: Adapt, answer: Adapted | None) -> None:
        """Store the answer; None if the question was refused."""
        if question == self._open:
            self._open = None
        self._kept[question] = answer
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def answer(self, question: Adapt) -> Adapted | None:
        """Return the answer, if there is one."""
        if question in self._kept:
            self._kept.move_to_end(question)
        return self._kept.get(question)
