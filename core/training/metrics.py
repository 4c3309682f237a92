"""Metrics of a run: smoothed training loss, loss curve, best validation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from core.events import AnyEvent, Curve, Progress, Validated, Validation
from core.storage.checkpoint import Checkpoint

LOG_INTERVAL = 100
"""Iterations averaged in one ``progress`` event."""

SMOOTHED_MEANS = 10
"""``progress`` events averaged in the smoothed training loss."""


CURVE_POINTS = 1024
"""Most points of a loss curve."""


class CurveBuilder:
    """Averages the losses of all iterations into at most ``CURVE_POINTS`` points."""

    def __init__(self) -> None:
        self._means: NDArray[np.float64] = np.empty(0)
        self._pending: NDArray[np.float64] = np.empty(0)
        self._per_point = 1

    def extend(self, losses: NDArray[np.float64]) -> None:
        """Add the losses ``(n,)`` of the next n iterations."""
        self._pending = np.concatenate([self._pending, losses])
        while len(self._pending) >= self._per_point:
            room = CURVE_POINTS - len(self._means)
            points = min(room, len(self._pending) // self._per_point)
            used = points * self._per_point
            means = self._pending[:used].reshape(points, self._per_point).mean(1)
            self._means = np.concatenate([self._means, means])
            self._pending = self._pending[used:]
            if len(self._means) == CURVE_POINTS:
                self._means = self._means.reshape(-1, 2).mean(1)
                self._per_point *= 2

    def build(self) -> Curve:
        """Return the curve so far."""
        ends = np.arange(1, len(self._means) + 1) * self._per_point
        return Curve(tuple(ends.tolist()), tuple(self._means.tolist()))


class Metrics:
    """Accumulates training losses and validations; used by the thread of one run."""

    def __init__(self, recent_losses: Iterable[float] = (), best: Validation | None = None) -> None:
        self.best = best
        """The validation with the lowest mean."""
        self._recent = list(recent_losses)
        self._means: deque[float] = deque(maxlen=SMOOTHED_MEANS)
        self.curve = CurveBuilder()
        """Training loss over iterations."""

    @classmethod
    def restored(cls, resumed: Checkpoint, history: Iterable[AnyEvent]) -> Metrics:
        """Restore the metrics at ``resumed`` from the logged ``history``."""
        metrics = cls(resumed.recent_losses, resumed.best)
        metrics.restore(history, resumed.state.iteration)
        return metrics

    @property
    def recent_losses(self) -> tuple[float, ...]:
        """Losses since the last ``progress`` event."""
        return tuple(self._recent)

    @property
    def smoothed(self) -> float | None:
        """Mean training loss of about the last 1,000 iterations; None before the first."""
        if self._means:
            return _mean(self._means)
        return _mean(self._recent) if self._recent else None

    def add_losses(self, first: int, losses: NDArray[np.float64]) -> list[tuple[int, float]]:
        """Add the losses from iteration ``first + 1``; return the (iteration, mean) now due."""
        self.curve.extend(losses)
        due = []
        plain, start = losses.tolist(), 0
        next_due = first - first % LOG_INTERVAL + LOG_INTERVAL
        for iteration in range(next_due, first + len(plain) + 1, LOG_INTERVAL):
            self._recent += plain[start : iteration - first]
            start = iteration - first
            mean = _mean(self._recent)
            self._recent.clear()
            self._means.append(mean)
            due.append((iteration, mean))
        self._recent += plain[start:]
        return due

    def add_validation(self, validated: Validated) -> bool:
        """Add a validation; return True if it is the best so far."""
        result = validated.result
        if result is None or (self.best is not None and result.mean >= self.best.mean):
            return False
        self.best = result
        return True

    def restore(self, history: Iterable[AnyEvent], iteration: int) -> None:
        """Add what was logged up to ``iteration``."""
        means = {}
        for event in history:
            if event.iteration > iteration:
                continue
            if isinstance(event, Progress):
                means[event.iteration] = event.loss
            elif isinstance(event, Validated):
                self.add_validation(event)
        logged = [means[key] for key in sorted(means)]
        self._means.extend(logged[-SMOOTHED_MEANS:])
        self.curve.extend(np.repeat(np.array(logged, np.float64), LOG_INTERVAL))
        self.curve.extend(np.array(self._recent, np.float64))


def _mean(losses: Collection[float]) -> float:
    """Compute the mean exactly; huge losses are divided first, since their sum may overflow."""
    try:
        return math.fsum(losses) / len(losses)
    except OverflowError:
        return math.fsum(loss / len(losses) for loss in losses)
