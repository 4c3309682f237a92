"""The live table of losses: a block of columns for each run, newest row last."""

from collections.abc import Sequence

from rich.cells import cell_len

from core.events import Evaluated, Snapshot, Validation
from tui_meta.views.event_history import EventHistory
from tui_meta.views.numbers import interval, loss, whole
from tui_meta.views.run_status import RunStatus, sample
from tui_meta.views.text import Line, Span, clip, fit, line

_NUMBER_CELLS = 7
_WIDEST_NUMBER = 11
_GAP = "  "


class LossTable:
    """The table in ``width`` cells: a block of columns for each run, each with its own newest row.

    The runs differ in speed, so that rows of one iteration seldom stand side by side; each block
    ends with where its run is now. Where the width is short, columns give way.
    """

    def __init__(self, history: EventHistory, statuses: Sequence[RunStatus], width: int) -> None:
        self._width = width
        self._evaluations = [tuple(history.evaluations[one.snapshot.run]) for one in statuses]
        self._validations = [history.validations[one.snapshot.run] for one in statuses]
        self._statuses = statuses
        room = (width - len(_GAP) * (len(statuses) - 1)) // max(1, len(statuses))
        longest = max((one.snapshot.target for one in statuses), default=0)
        self._first = max(6, len(whole(longest)))
        self._columns = [
            name
            for name, at_least in (("train", 2), ("before", 3), ("after", 1))
            if room > self._first + at_least * _NUMBER_CELLS
        ]
        if self._first + 3 + _NUMBER_CELLS * len(self._columns) < room:
            self._first += 3
        fair = (room - self._first - 1) // max(1, len(self._columns))
        self._cells = max(_NUMBER_CELLS, min(_WIDEST_NUMBER, fair))
        self.count = max(map(len, self._evaluations), default=0)
        """Rows there are."""

    @property
    def head(self) -> tuple[Line, ...]:
        """The runs' names and the columns' names."""
        size = self._first + self._cells * len(self._columns) + 1
        names = [
            fit(line(sample(one.index), " ", Span(clip(one.title, size - 3), "bold")), size)
            for one in self._statuses
        ]
        heading = "iteration" if self._first >= 9 else "iter"
        columns = Span(self._block(heading, dict(zip(self._columns, self._columns, strict=True))))
        return self._joined(names), self._joined(
            [(Span(columns.text, "dim"),) for _ in self._statuses]
        )

    @property
    def foot(self) -> tuple[Line, ...]:
        """The best validation so far and the newest one; without any, the training loss now."""
        best = [
            (Span(self._headline("best", one.snapshot.best), "bold green"),)
            for one in self._statuses
        ]
        newest = [
            (Span(self._headline("now", of[-1].result) if of else self._now(run.snapshot), "bold"),)
            for run, of in zip(self._statuses, self._validations, strict=True)
        ]
        return self._joined(best), self._joined(newest)

    def _headline(self, name: str, validation: Validation | None) -> str:
        """Return a validation in a block: ``10,000 best 0.0612 ± 0.008``."""
        if validation is None:
            return self._block("", {"before": name, "after": loss(None)})
        number = loss(validation.mean)
        longer = interval(validation.mean, validation.margin)
        size = cell_len(self._block("", {}))
        at = f"{whole(validation.iteration):>{self._first}}"
        for said in (f"{name} {longer}", longer, f"{name} {number}", number):
            if self._first + 1 + len(said) < size:
                return f"{at}{said:>{size - 1 - self._first}} "
        return clip(at, size)

    def _now(self, snapshot: Snapshot) -> str:
        values = {"train": loss(snapshot.loss), "before": "now"}
        return self._block(whole(snapshot.iteration), values)

    def row(self, index: int) -> Line:
        """Row number ``index`` of ``count``, oldest first."""
        blocks = []
        for evaluations in self._evaluations:
            place = index - self.count + len(evaluations)
            evaluated = evaluations[place] if 0 <= place < len(evaluations) else None
            blocks.append(self._evaluated(evaluated))
        return self._joined(blocks)

    def _evaluated(self, evaluated: Evaluated | None) -> Line:
        if evaluated is None:
            return (Span(self._block("", {})),)
        losses = evaluated.losses
        values = {
            "train": loss(evaluated.training_loss),
            "before": loss(losses[0]),
            "after": loss(losses[-1]),
        }
        return (Span(self._block(whole(evaluated.iteration), values)),)

    def _block(self, first: str, values: dict[str, str]) -> str:
        numbers = "".join(f"{values.get(name, ''):>{self._cells}}" for name in self._columns)
        return f"{first:>{self._first}}{numbers} "

    def _joined(self, blocks: Sequence[Line]) -> Line:
        spans: list[Span] = []
        for block in blocks:
            spans += [Span(_GAP), *block] if spans else block
        return fit(tuple(spans), self._width)
