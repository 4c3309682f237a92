"""Threads that answer questions, and the limit on the cost of one answer."""

from concurrent.futures import ThreadPoolExecutor

from core.analysis.questions import AnyQuestion, Battery
from core.config import RunConfig
from core.errors import ConfigError
from core.training.priority import BATTERY, set_thread_niceness

MOST_WORK = 5 * 10**11
"""Multiply-adds of one engine call, which cannot be cancelled: some ten seconds."""


class Executors:
    """One thread for batteries and one for all other questions, which are short.

    Batteries run at a low priority: at a normal one they slow training down by a third on two
    cores.
    """

    def __init__(self, name: str) -> None:
        self._batteries = ThreadPoolExecutor(
            1, f"{name}, batteries", set_thread_niceness, (BATTERY,)
        )
        self._others = ThreadPoolExecutor(1, name)

    def executor_for(self, question: AnyQuestion) -> ThreadPoolExecutor:
        """Return the executor that answers ``question``."""
        return self._batteries if isinstance(question, Battery) else self._others

    def close(self) -> None:
        """Cancel what has not started, and wait for what has."""
        for executor in (self._batteries, self._others):
            executor.shutdown(cancel_futures=True)


def require_affordable(config: RunConfig, field: str, count: int, points: int) -> None:
    """Refuse ``count`` passes of ``points`` points through a network that take too long.

    A gradient costs about three passes. Raises ``ConfigError`` with the largest possible count.
    """
    most = MOST_WORK // (config.parameters * points)
    if count > most:
        size = f"{config.parameters:,} parameters"
        raise ConfigError(field, count, f"must be at most {most:,} with {size}")
