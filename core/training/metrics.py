"""What is told of a run's progress: the smoothed loss, its curve, the best evaluation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from core.events import AnyEvent, Curve, Evaluated, Progress
from core.storage.checkpoint import Checkpoint
from core.training.loss_curve import CurveBuilder

LOG_INTERVAL = 100
"""Iterations whose mean loss makes one ``progress`` event."""

SMOOTHED_MEANS = 10
"""Such means in the smoothed training loss."""


class Metrics:
    """Folds training losses and evaluations; one run's thread writes, nobody else touches it."""

    def __init__(
        self, recent_losses: Iterable[float] = (), best: tuple[float, int] | None = None
    ) -> None:
        self.best = best
        """Lowest loss of a periodic evaluation after adaptation, and its iteration."""
        self._recent = list(recent_losses)
        self._means: deque[float] = deque(maxlen=SMOOTHED_MEANS)
        self._curve = CurveBuilder()

    @classmethod
    def recalled(cls, resumed: Checkpoint, history: Iterable[AnyEvent]) -> Metrics:
        """What the sittings before ``resumed`` told of the run, in ``history``."""
        best = None
        if resumed.best is not None and resumed.best_iteration is not None:
            best = (resumed.best, resumed.best_iteration)
        metrics = cls(resumed.recent_losses, best)
        metrics.recall(history, resumed.state.iteration)
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

    def curve(self) -> Curve:
        """The training loss over iterations."""
        return self._curve.build()

    def log(self, first: int, losses: NDArray[np.float64]) -> list[tuple[int, float]]:
        """Add the losses of iterations ``first + 1`` on; gives the (iteration, mean) now due."""
        self._curve.extend(losses)
        due = []
        for iteration, loss in enumerate(losses.tolist(), first + 1):
            self._recent.append(loss)
            if iteration % LOG_INTERVAL == 0:
                mean = _mean(self._recent)
                self._recent.clear()
                self._means.append(mean)
                due.append((iteration, mean))
        return due

    def note(self, evaluated: Evaluated) -> bool:
        """Remember a periodic evaluation if it is the best so far; gives whether it is."""
        if evaluated.probe != "validation" or not evaluated.losses:
            return False
        loss = evaluated.losses[-1]
        if not math.isfinite(loss) or (self.best is not None and loss >= self.best[0]):
            return False
        self.best = (loss, evaluated.iteration)
        return True

    def recall(self, history: Iterable[AnyEvent], iteration: int) -> None:
        """Take up what earlier sittings logged up to ``iteration``."""
        means = {}
        for event in history:
            if event.iteration > iteration:
                continue
            if isinstance(event, Progress):
                means[event.iteration] = event.loss
            elif isinstance(event, Evaluated):
                self.note(event)
        logged = [means[key] for key in sorted(means)]
        self._means.extend(logged[-SMOOTHED_MEANS:])
        self._curve.extend(np.repeat(np.array(logged, np.float64), LOG_INTERVAL))
        self._curve.extend(np.array(self._recent, np.float64))


def _mean(losses: Collection[float]) -> float:
    """Exact to the last bit; huge losses are not summed, which may overflow."""
    try:
        return math.fsum(losses) / len(losses)
    except OverflowError:
        return math.fsum(loss / len(losses) for loss in losses)
