"""The curves of some runs, as the chart keys show them, and a table of these runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from core.storage.run_index import RunSummary
from tui_meta.views.numbers import loss
from tui_meta.views.plots.plot import Plot
from tui_meta.views.run_status import sample
from tui_meta.views.runs.curves import ComparedRuns, RecordedRun, Which
from tui_meta.views.runs.settings_columns import WORDS, differing, in_order, settings_of
from tui_meta.views.runs.summary import progress_words, validation_words
from tui_meta.views.text import Line, Span, clip, fit, line
from tui_meta.views.watch import layout
from tui_meta.views.watch.lens import (
    Lens,
    LensPart,
    moved,
    place,
    read_in_legend,
    reason_against,
    value_at,
)

_GAP = 2
_USUAL_NAME = 24
_SAMPLE = 3
"""Cells of the sample of a curve, and of the space after it."""


class Curves:
    """Curves of some runs: which of their losses, and through which lens. A plot is made once."""

    def __init__(self) -> None:
        self.runs: ComparedRuns | None = None
        self._chosen: Which | None = None
        self._lenses: dict[Which, Lens] = {}
        self._plot: Plot | None = None

    @property
    def which(self) -> Which:
        """The losses that are shown: validation, if there is any, until others are chosen."""
        return self._chosen or (self.runs.first if self.runs else "validation")

    @property
    def lens(self) -> Lens:
        """The display options of the chart."""
        return self._lenses.get(self.which, Lens())

    @property
    def name(self) -> str:
        """The name of the chart, with how it is shown."""
        return f"{layout.CHART_NAMES[self.which]}{self.lens.words}"

    @property
    def plot(self) -> Plot | None:
        """The chart; None without runs."""
        if self._plot is None and self.runs:
            self._plot = self.runs.plot(self.which, self.lens)
        return self._plot

    def show(self, runs: Sequence[RecordedRun]) -> None:
        """Show ``runs`` from now on; without any, nothing."""
        self.runs, self._plot = ComparedRuns.of(runs, self.runs) if runs else None, None

    def turn_back(self) -> None:
        """Show the losses that are shown first."""
        self._chosen = self._plot = None

    def turn(self) -> None:
        """Show the other losses."""
        self._chosen = "training" if self.which == "validation" else "validation"
        self._plot = None

    def change_lens(self, part: LensPart) -> str:
        """Change a display option; return the words for it, or why there is none."""
        reason = reason_against(part, self.which)
        if reason:
            return reason
        self._set(self.lens.changed(part))
        return f"{layout.CHART_NAMES[self.which]}: {self.lens.words_of(part)}"

    def toggle_cursor(self) -> bool:
        """Put a cursor on the chart, or take it away; return False where there is no curve."""
        if self.lens.cursor is None:
            return self.move_cursor(0)
        self._set(replace(self.lens, cursor=None))
        return True

    def move_cursor(self, steps: int) -> bool:
        """Move the cursor, or put one there; return False where there is no curve."""
        at = moved(self.plot, self.lens.cursor, steps) if self.plot else None
        self._set(replace(self.lens, cursor=at))
        return at is not None

    def _set(self, lens: Lens) -> None:
        self._lenses[self.which] = lens
        self._plot = None


def with_reading(plot: Plot, name: str) -> Plot:
    """Return the plot with the values at its cursor, if it has one, in its legend.

    Its title is its ``name`` and the position, before the rest of the name, which may be cut.
    """
    if plot.cursor is None:
        return plot
    first, dot, words = name.partition(" · ")
    read = read_in_legend(plot, first, plot.cursor)
    return replace(read, title=f"{read.title}{dot}{words}")


def unlisted(plot: Plot, names: Sequence[str]) -> Plot:
    """Return the plot without these names in its legend, as a table has them."""
    series = tuple(
        replace(one, listed=one.listed and one.label not in names) for one in plot.series
    )
    return replace(plot, series=series)


def compared_lines(
    entries: Sequence[RunSummary], names: Sequence[str], plot: Plot, width: int
) -> list[Line]:
    """Return a line for each run: the look of its curve, what differs, how good it is.

    With a cursor, the last column has the values there.
    """
    settings = [settings_of(one) for one in entries]
    columns: dict[str, Sequence[str]] = {
        "iteration": [progress_words(one) for one in entries],
        "validation": [validation_words(one) for one in entries],
    }
    if plot.cursor is not None:
        lines = {one.label: one for one in plot.series}
        at = plot.cursor
        values = [value_at(plot, lines[name], at) if name in lines else None for name in names]
        columns[place(plot, at)] = list(map(loss, values))
    name_cells = min(_USUAL_NAME, max(map(len, ("run", *names))))
    room = width - _SAMPLE - name_cells - _cells(columns)
    differ = {name: [one.get(name, "") for one in settings] for name in differing(settings)}
    while differ and _cells(differ) > room:
        differ.popitem()
    shown = {name: differ[name] for name in in_order(differ, settings)}
    return _table(names, {**shown, **columns}, width)


def _cells(columns: Mapping[str, Sequence[str]]) -> int:
    return sum(max(map(len, (name, *texts))) + _GAP for name, texts in columns.items())


def _table(names: Sequence[str], columns: Mapping[str, Sequence[str]], width: int) -> list[Line]:
    room = max(4, min(width - _SAMPLE - _cells(columns), max(map(len, ("run", *names)))))
    sizes = {name: max(map(len, (name, *texts))) for name, texts in columns.items()}

    def row(cells: Sequence[str]) -> str:
        aligned = (
            f"{cell:<{size}}" if name in WORDS else f"{cell:>{size}}"
            for cell, (name, size) in zip(cells, sizes.items(), strict=True)
        )
        return "".join(f"{' ' * _GAP}{cell}" for cell in aligned)

    heading = line(Span(f"{'':{_SAMPLE}}{'run':<{room}}{row(list(columns))}", "dim"))
    rows = zip(*columns.values(), strict=True)
    return [
        fit(heading, width),
        *(
            fit(line(sample(index), " ", *fit((Span(clip(name, room)),), room), row(cells)), width)
            for index, (name, cells) in enumerate(zip(names, rows, strict=True))
        ),
    ]
