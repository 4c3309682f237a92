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
_GAP = Span("│ ", "dim")

_LONGEST_RESULT = len(" best 0.0123 ± 0.0045")
"""Cells of a line at the end, after the iteration."""

_FORMS = 5
"""In which a line at the end can be shown."""


class LossTable:
    """The table in ``width`` cells: a block of columns for each run, each with its own newest row.

    The runs differ in speed, so that rows of one iteration seldom stand side by side: a line
    separates the blocks, and each ends with where its run is now. Where the width is short, columns
    give way.
    """

    def __init__(self, history: EventHistory, statuses: Sequence[RunStatus], width: int) -> None:
        self._width = width
        self._evaluations = [tuple(history.evaluations[one.snapshot.run]) for one in statuses]
        self._validations = [history.validations[one.snapshot.run] for one in statuses]
        self._statuses = statuses
        room = (width - len(_GAP.text) * (len(statuses) - 1)) // max(1, len(statuses))
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
        numbers = self._cells * len(self._columns) + 1
        self._size = max(self._first + numbers, min(room, len(whole(longest)) + _LONGEST_RESULT))
        self._first = self._size - numbers
        self.count = max(map(len, self._evaluations), default=0)
        """Rows there are."""

    @property
    def head(self) -> tuple[Line, ...]:
        """The runs' names and the columns' names."""
        size = self._size
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
        """The best validation so far and the newest one; without any, the training loss now.

        Both have their names in front; what finds no room in one block is left out of all.
        """
        best = [_result("best", one.snapshot.best) for one in self._statuses]
        newest = [
            _result("now", of[-1].result, of[-1].diverged[-1])
            if of
            else _training_loss(run.snapshot)
            for run, of in zip(self._statuses, self._validations, strict=True)
        ]
        fitting = (
            form
            for form in range(_FORMS)
            if all(cell_len(_words(*one[form])) <= self._size for one in best + newest)
        )
        form = next(fitting, _FORMS - 1)
        return (
            self._joined([(Span(self._result(*one[form]), "bold green"),) for one in best]),
            self._joined([(Span(self._result(*one[form]), "bold"),) for one in newest]),
        )

    def _result(self, at: str, said: str) -> str:
        """Return a line of a block: the iteration in its column, where what is ``said`` fits."""
        if cell_len(said) + 1 < self._size - self._first:
            return f"{at:>{self._first}}{said:>{self._size - self._first - 1}} "
        text = clip(_words(at, said), self._size)
        return f"{text:>{self._size - 1}}".ljust(self._size)

    def row(self, index: int) -> Line:
        """Row number ``index`` of ``count``, oldest first; after the last come empty ones."""
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
            spans += [_GAP, *block] if spans else block
        return fit(tuple(spans), self._width)


def _words(at: str, said: str) -> str:
    return f"{at} {said}".strip()


def _result(
    name: str, validation: Validation | None, diverged: int = 0
) -> tuple[tuple[str, str], ...]:
    """Return the forms of a validation, the longest first, each with its iteration or without.

    Tasks on which adaptation ``diverged`` decide on the mean, and are left out after its margin.
    """
    if validation is None:
        return _forms(name, "", loss(None), loss(None), loss(None))
    mean, margin = loss(validation.mean), interval(validation.mean, validation.margin)
    few = f", {whole(diverged)} diverged"
    texts = (f"{margin}{few}", f"{mean}{few}") if diverged else (margin, margin)
    return _forms(name, whole(validation.iteration), *texts, mean)


def _training_loss(now: Snapshot) -> tuple[tuple[str, str], ...]:
    train = f"train {loss(now.loss)}"
    return _forms("now", whole(now.iteration), train, train, loss(now.loss))


def _forms(name: str, at: str, long: str, middle: str, short: str) -> tuple[tuple[str, str], ...]:
    with_iteration = [(at, f"{name} {text}") for text in (long, middle, short)]
    return (*with_iteration, ("", f"{name} {short}"), ("", name))
