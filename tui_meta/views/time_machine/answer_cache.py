"""What the checkpoints that were visited have answered; the latest visits are kept."""

from __future__ import annotations

from collections import OrderedDict

from core.analysis.answers import Adapted
from core.analysis.questions import Adapt

MOST_KEPT = 64
"""Answers of at most half a MiB each, usually of some KiB."""


class AnswerCache:
    """One question is open at a time: where one stands. Refused ones are not asked again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Adapt, Adapted | None] = OrderedDict()
        self._open: Adapt | None = None

    def due(self, question: Adapt) -> bool:
        """Whether this must be asked, which then counts as asked."""
        if question == self._open or question in self._kept:
            return False
        self._open = question
        return True

    def knows(self, question: Adapt) -> bool:
        """Whether this was answered, or refused."""
        return question in self._kept

    def store(self, question: Adapt, answer: Adapted | None) -> None:
        """Keep the answer; None for one that was refused."""
        if question == self._open:
            self._open = None
        self._kept[question] = answer
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def answer(self, question: Adapt) -> Adapted | None:
        """What is known."""
        if question in self._kept:
            self._kept.move_to_end(question)
        return self._kept.get(question)
