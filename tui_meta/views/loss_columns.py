"""All logged losses of a run, as the columns of one long table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from core.events import AnyEvent, Evaluated, Progress


@dataclass
class Losses:
    """Columns of one length, a row for each loss.

    ``series`` is "training" for the mean training loss of the last 100 iterations, else the kind
    of a few-shot evaluation, which has a row for each gradient step (``update``), from 0 on.
    ``time`` is in seconds since the epoch. ``task``, ``update``, ``amplitude`` and ``phase`` are
    None for the training loss.
    """

    series: list[str] = field(default_factory=list)
    iteration: list[int] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    update: list[int | None] = field(default_factory=list)
    task: list[int | None] = field(default_factory=list)
    amplitude: list[float | None] = field(default_factory=list)
    phase: list[float | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def columns(self) -> dict[str, list[object]]:
        """The columns by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    def add_training(self, event: Progress) -> None:
        """Add one row."""
        self._add("training", event, event.loss, None, None, None, None)

    def add_evaluation(self, event: Evaluated) -> None:
        """Add a row for each gradient step."""
        for update, loss in enumerate(event.losses):
            self._add(event.probe, event, loss, update, event.index, event.amplitude, event.phase)

    def _add(
        self,
        series: str,
        event: Progress | Evaluated,
        *rest: float | None,
    ) -> None:
        row = (series, event.iteration, event.time, *rest)
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)


def losses_of(events: Iterable[AnyEvent]) -> Losses:
    """Return the losses in ``events``, in their order."""
    losses = Losses()
    for event in events:
        if isinstance(event, Progress):
            losses.add_training(event)
        elif isinstance(event, Evaluated):
            losses.add_evaluation(event)
    return losses
