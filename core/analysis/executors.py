"""Threads that answer: a survey takes its time, and whatever is short must not wait for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from core.analysis.questions import AnyQuestion, Battery
from core.training.priority import BATTERY, set_thread_niceness


class Executors:
    """One thread for surveys, and one for all other questions: each answers one at a time.

    Surveys give way to training, which they would slow down by a third on two cores.
    """

    def __init__(self, name: str) -> None:
        self._surveys = ThreadPoolExecutor(1, f"{name}, surveys", set_thread_niceness, (BATTERY,))
        self._others = ThreadPoolExecutor(1, name)

    def of(self, question: AnyQuestion) -> ThreadPoolExecutor:
        """Where ``question`` is answered."""
        return self._surveys if isinstance(question, Battery) else self._others

    def close(self) -> None:
        """Begin nothing more, and wait for what has begun."""
        for lane in (self._surveys, self._others):
            lane.shutdown(cancel_futures=True)
