"""Published mean losses, with their intervals and how far they can be relied on.

Sources are those of ``core.reproduction.protocols``; a ``doubt`` says why a row may not be a
target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.reproduction.verdict import ASSUMED_MARGIN, Interval


@dataclass(frozen=True, kw_only=True)
class Published:
    """A row of a published table: the loss after ``step`` gradient steps on ``shots`` points.

    ``loss`` is None where an interval is all that is known, and ``interval`` where nothing was
    published. ``is_printed`` says that the interval was; else it is assumed.
    """

    method: str
    shots: int
    step: int
    loss: float | None = None
    interval: Interval | None = None
    is_printed: bool = True
    doubt: str = ""


def printed(
    method: str, shots: int, step: int, loss: float, margin: float, doubt: str = ""
) -> Published:
    """Return a loss that is printed with a 95 % interval."""
    interval = Interval(loss - margin, loss + margin)
    return Published(
        method=method, shots=shots, step=step, loss=loss, interval=interval, doubt=doubt
    )


def plain(method: str, shots: int, losses: dict[int, float]) -> Sequence[Published]:
    """Return losses after some steps that are printed without an interval."""
    return [
        Published(
            method=method,
            shots=shots,
            step=step,
            loss=loss,
            interval=Interval(loss * (1 - ASSUMED_MARGIN), loss * (1 + ASSUMED_MARGIN)),
            is_printed=False,
        )
        for step, loss in losses.items()
    ]


def reached(method: str, shots: int, ranges: dict[int, tuple[float, float]]) -> Sequence[Published]:
    """Return ranges that independent implementations reached after some steps."""
    return [
        Published(method=method, shots=shots, step=step, interval=Interval(low, high))
        for step, (low, high) in ranges.items()
    ]


def unpublished(method: str, shots: int, *steps: int) -> Sequence[Published]:
    """Return rows for which there is no published number."""
    return [Published(method=method, shots=shots, step=step) for step in steps]
