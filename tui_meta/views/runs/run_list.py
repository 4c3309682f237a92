"""The list of runs: in order, filtered, with a cursor and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import get_args

from core.storage.run_index import RunSummary
from tui_meta.views.numbers import loss, whole
from tui_meta.views.runs.curves import MOST_CURVES
from tui_meta.views.runs.summary import SortKey, age_words, best_words, in_order, progress_words
from tui_meta.views.text import Line, Span, clip, first_that_fits, fit, line

SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)

_NAME_CELLS = 16
_USUAL_NAME = 24
"""Default names end in the time, and differ only there."""
_WIDEST_NAME = 60
_GAP = 2
_MARK_CELLS = 2
_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("algorithm", "state", "iteration", "best", "age"),
    ("state", "iteration", "best", "age"),
    ("state", "iteration", "loss", "age"),
    ("state", "iteration", "loss"),
    ("state", "iteration"),
    ("state",),
)
_SORTED_BY = {"best": ("best", "loss")}
_HEADINGS = {"loss": "best"}
_STYLES = {
    "training": "bright_green",
    "diverged": "red",
    "failed": "red",
    "damaged": "red",
    "interrupted": "yellow",
}


@dataclass(frozen=True)
class RunList:
    """What is listed, ``read_at`` in seconds since the epoch: ages are those of then.

    ``cursor`` and ``marked`` are paths; what is not shown has no cursor, but keeps its mark.
    """

    entries: tuple[RunSummary, ...] = ()
    read_at: float = 0.0
    sort: SortKey = "age"
    wanted: str = ""
    cursor: str = ""
    marked: tuple[str, ...] = field(default=())

    @cached_property
    def shown(self) -> list[RunSummary]:
        """Those that have every wanted word in their name, algorithm or state."""
        words = self.wanted.casefold().split()
        kept = [one for one in self.entries if all(word in _searched(one) for word in words)]
        return in_order(kept, self.sort)

    @cached_property
    def place(self) -> int:
        """Row of the cursor; 0 if its run is not shown."""
        paths = [one.path for one in self.shown]
        return paths.index(self.cursor) if self.cursor in paths else 0

    @property
    def current(self) -> RunSummary | None:
        """The run under the cursor, if any is shown."""
        return self.shown[self.place] if self.shown else None

    @property
    def marked_entries(self) -> list[RunSummary]:
        """The marked runs, in the order in which they were marked."""
        known = {one.path: one for one in self.entries}
        return [known[path] for path in self.marked if path in known]

    def with_entries(self, entries: Sequence[RunSummary], read_at: float) -> RunList:
        """Replace the entries; cursor and marks stay on their runs."""
        paths = {one.path for one in entries}
        marked = tuple(path for path in self.marked if path in paths)
        return replace(self, entries=tuple(entries), read_at=read_at, marked=marked)

    def moved(self, steps: int) -> RunList:
        """The cursor further down, or up."""
        if not self.shown:
            return self
        place = max(0, min(self.place + steps, len(self.shown) - 1))
        return replace(self, cursor=self.shown[place].path)

    def sorted_by_next(self, steps: int) -> RunList:
        """In the next order; the cursor stays on its run."""
        place = SORT_KEYS.index(self.sort) + steps
        cursor = self.current.path if self.current else ""
        return replace(self, sort=SORT_KEYS[place % len(SORT_KEYS)], cursor=cursor)

    def toggled(self) -> RunList:
        """The run under the cursor marked, or no longer; the same list where there are enough."""
        if self.current is None:
            return self
        path = self.current.path
        if path in self.marked:
            return replace(self, marked=tuple(one for one in self.marked if one != path))
        if len(self.marked) >= MOST_CURVES:
            return self
        return replace(self, marked=(*self.marked, path))

    def head(self, folders: str, width: int) -> Line:
        """Return the number of runs, the filter, and the sort order."""
        count = len(self.entries)
        runs = Span("1 run" if count == 1 else f"{whole(count)} runs", "bold")
        parts: list[Span | str] = [f"{folders}: ", runs]
        if self.wanted:
            parts += ["  ·  ", Span(f"{whole(len(self.shown))} with “{self.wanted}”", "yellow")]
        marks = [f"  ·  {len(self.marked)} marked"] if self.marked else []
        order = line(*parts, *marks, Span(f"  ·  by {self.sort}", "dim"))
        return fit(first_that_fits([order, line(*parts, *marks), line(*parts)], width), width)

    def table(self, width: int, height: int) -> list[Line]:
        """The names of the columns, and as many rows around the cursor as there is room for."""
        columns = self._columns(width)
        sizes = {name: self._cells[name] for name in columns}
        taken = _MARK_CELLS + sum(size + _GAP for size in sizes.values())
        room = max(4, min(width - taken, self._longest, _WIDEST_NAME))
        first = self._first(max(0, height - 1))
        rows = self.shown[first : first + max(0, height - 1)]
        return [
            fit(self._heading(columns, sizes, room), width),
            *(fit(self._row(one, sizes, room, width), width) for one in rows),
        ]

    def _first(self, rows: int) -> int:
        """The first row shown, so that the cursor is in the middle where the list allows it."""
        return max(0, min(self.place - rows // 2, len(self.shown) - rows))

    def _columns(self, width: int) -> tuple[str, ...]:
        def needed(names: Sequence[str]) -> int:
            name_cells = min(self._longest, _USUAL_NAME)
            return _MARK_CELLS + name_cells + sum(self._cells[name] + _GAP for name in names)

        return next((names for names in _COLUMNS if needed(names) <= width), _COLUMNS[-1])

    @cached_property
    def _longest(self) -> int:
        return max(_NAME_CELLS, *(len(one.name) for one in self.shown), 0)

    @cached_property
    def _cells(self) -> dict[str, int]:
        """Width of each column over all rows, in view or not."""
        sizes = {name: len(name) + 1 for names in _COLUMNS for name in names}
        for one in self.shown:
            for name, text in _texts(one, self.read_at).items():
                sizes[name] = max(sizes[name], len(text))
        return sizes

    def _heading(self, columns: Sequence[str], sizes: dict[str, int], room: int) -> Line:
        spans = [Span(" " * _MARK_CELLS), self._title("name", room)]
        for name in columns:
            spans += [Span(" " * _GAP), self._title(name, sizes[name])]
        return tuple(spans)

    def _title(self, name: str, size: int) -> Span:
        sorted_by = name in _SORTED_BY.get(self.sort, (self.sort,))
        text = _HEADINGS.get(name, name) + "▾" * sorted_by
        aligned = f"{text:<{size}}" if name in _LEFT else f"{text:>{size}}"
        return Span(aligned, "bold" if sorted_by else "dim")

    def _row(self, entry: RunSummary, sizes: dict[str, int], room: int, width: int) -> Line:
        here = self.current is not None and entry.path == self.current.path
        marks = ("▸" if here else " ") + ("●" if entry.path in self.marked else " ")
        spans = [Span(marks, "bold"), *fit((Span(clip(entry.name, room)),), room)]
        texts = _texts(entry, self.read_at)
        for name, size in sizes.items():
            text = texts[name]
            aligned = f"{text:<{size}}" if name in _LEFT else f"{text:>{size}}"
            spans += [Span(" " * _GAP), Span(aligned, _STYLES.get(text, ""))]
        if not here:
            return tuple(spans)
        return tuple(Span(one.text, "reverse") for one in fit(tuple(spans), width))


_LEFT = ("name", "algorithm", "state")


def _texts(entry: RunSummary, now: float) -> dict[str, str]:
    return {
        "algorithm": entry.algorithm or "-",
        "state": entry.state,
        "iteration": progress_words(entry),
        "best": best_words(entry),
        "loss": loss(entry.best.mean if entry.best else None),
        "age": age_words(entry, now),
    }


def _searched(entry: RunSummary) -> str:
    return f"{entry.name} {entry.algorithm or ''} {entry.state}".casefold()


def no_runs(folders: str, wanted: str) -> list[Line]:
    """Return the text that replaces an empty table."""
    if wanted:
        return [line(f"no run with “{wanted}”; ", Span("escape", "bold"), ": show all")]
    return [line(f"no runs in {folders}")]
