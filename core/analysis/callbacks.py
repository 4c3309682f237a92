"""What a caller can pass with a question: to hear of progress, and to cancel it."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""Receives the number of finished tasks and the number of all."""


def ignore_progress(done: int, total: int) -> None:
    """Ignore how far a battery has come."""


def never_cancelled() -> bool:
    """Return False: the question stays open until it is answered."""
    return False
