"""The list of runs: in order, filtered, with a cursor and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, takewhile
from typing import get_args

from msgspec.structs import fields

from core.storage.run_index import RunSummary
from tui_meta.views.numbers import loss, whole
from tui_meta.views.runs.curves import MOST_CURVES
from tui_meta.views.runs.settings_columns import (
    WORDS,
    Settings,
    differing,
    in_order,
    settings_of,
)
from tui_meta.views.runs.summary import (
    SortKey,
    brief_age,
    in_sort_order,
    progress_words,
    validation_words,
)
from tui_meta.views.tabular import Rows
from tui_meta.views.text import Line, Span, clip, clip_middle, first_that_fits, fit, line

SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)

_NAME_CELLS = 16
_USUAL_NAME = 24
"""Default names end in the time, and differ only there."""
_WIDEST_NAME = 60
_WIDEST_SETTING = 24
_TELLING = 3
"""Settings that tell runs of one algorithm apart where their names are cut."""
_GAP = 2
_MARK_CELLS = 2
_AGE_CELLS = 6
_VALIDATION_CELLS = len("0.0512 ± 0.0041")
_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("state", "iteration", "validation", "age"),
    ("state", "iteration", "loss", "age"),
    ("state", "iteration", "loss"),
    ("state", "iteration"),
    ("state",),
)
"""What is shown besides the name; where there is room for all, settings precede it."""
_HEADINGS = {"loss": "validation"}
_STYLES = {
    "training": "bright_green",
    "diverged": "red",
    "failed": "red",
    "damaged": "red",
    "interrupted": "yellow",
    "paused": "yellow",
}
_LEFT = ("name", "state", *WORDS)


@dataclass(frozen=True)
class Listing:
    """The runs of a list that have every wanted word, in order; the same while the cursor moves."""

    entries: tuple[RunSummary, ...] = ()
    sort: SortKey = "age"
    wanted: str = ""

    @cached_property
    def shown(self) -> list[RunSummary]:
        """Those that have every wanted word in their name, algorithm or state."""
        words = self.wanted.casefold().split()
        kept = [one for one in self.entries if all(word in _searched(one) for word in words)]
        return in_sort_order(kept, self.sort)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The row of each shown run, by its path."""
        return {one.path: place for place, one in enumerate(self.shown)}

    @cached_property
    def texts(self) -> list[dict[str, str]]:
        """What each column but the age says of each shown run."""
        return [{**of, **_texts(one)} for one, of in zip(self.shown, self._settings, strict=True)]

    @cached_property
    def _settings(self) -> list[Settings]:
        return [settings_of(one) for one in self.shown]

    @cached_property
    def settings(self) -> Mapping[str, int]:
        """The settings that differ, the most telling first, and the place of each in their order.

        They have columns where there is room.
        """
        ranked = differing(self._settings)
        order = in_order(ranked, self._settings)
        return {name: order.index(name) for name in ranked}

    @cached_property
    def cells(self) -> dict[str, int]:
        """Width of each column over all rows, in view or not."""
        names = {name for names in _COLUMNS for name in names} | self.settings.keys()
        sizes = {name: len(_heading_of(name)) for name in names}
        sizes |= {"age": _AGE_CELLS, "validation": _VALIDATION_CELLS}
        # The numbers of runs in training grow, but the columns stay.
        targets = [2 * len(whole(one.target)) + len(" / ") for one in self.shown if one.target]
        sizes["iteration"] = max(sizes["iteration"], *targets, 0)
        for texts in self.texts:
            for name in names & texts.keys():
                sizes[name] = max(sizes[name], len(texts[name]))
        sizes |= {name: min(sizes[name], _WIDEST_SETTING) for name in self.settings}
        return sizes

    def prepare(self) -> None:
        """Compute everything that the list shows, in a thread before it is shown."""
        for name in ("places", "texts", "settings", "cells", "longest"):
            getattr(self, name)

    @cached_property
    def longest(self) -> int:
        """The length of the longest name."""
        return max(_NAME_CELLS, *(len(one.name) for one in self.shown), 0)

    @property
    def width(self) -> int:
        """The cells for everything that the list can show."""
        names = (*self.settings, *_COLUMNS[0])
        name_cells = min(self.longest, _WIDEST_NAME)
        return _MARK_CELLS + name_cells + sum(self.cells[name] + _GAP for name in names)

    def columns(self, width: int) -> tuple[str, ...]:
        """Return the columns for which ``width`` has room, without the name."""

        def needed(names: Sequence[str], name_cells: int = _USUAL_NAME) -> int:
            used = _MARK_CELLS + min(self.longest, name_cells)
            return used + sum(self.cells[name] + _GAP for name in names)

        taken = [*accumulate(self.cells[name] + _GAP for name in self.settings)]
        # Where names are cut, the first settings tell runs apart, and the last columns give way.
        within = [*takewhile(lambda name: name != "algorithm", self.settings)]
        telling = len(within[:_TELLING]) if self.longest > _USUAL_NAME else 0
        for base in _COLUMNS:
            room = width - needed(base, _NAME_CELLS)
            if telling and taken[telling - 1] <= room:
                break
        else:
            base = next((names for names in _COLUMNS if needed(names) <= width), _COLUMNS[-1])
            if base != _COLUMNS[0]:
                return base
            room = width - needed(base)
        fitting = [name for name, cells in zip(self.settings, taken, strict=True) if cells <= room]
        return (*sorted(fitting, key=self.settings.__getitem__), *base)


@dataclass(frozen=True)
class RunList:
    """What is listed, ``read_at`` in seconds since the epoch: ages are those of then.

    ``cursor`` and ``marked`` are paths; what is not shown has no cursor, but keeps its mark.
    """

    listing: Listing = Listing()
    read_at: float = 0.0
    cursor: str = ""
    marked: tuple[str, ...] = field(default=())

    @property
    def entries(self) -> tuple[RunSummary, ...]:
        """All runs of the folders."""
        return self.listing.entries

    @property
    def shown(self) -> list[RunSummary]:
        """The runs of the list, from top to bottom."""
        return self.listing.shown

    @property
    def sort(self) -> SortKey:
        """What they are sorted by."""
        return self.listing.sort

    @property
    def wanted(self) -> str:
        """The words that the shown runs have."""
        return self.listing.wanted

    @property
    def place(self) -> int:
        """Row of the cursor; 0 if its run is not shown."""
        return self.listing.places.get(self.cursor, 0)

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
        """Replace the entries; cursor and marks stay on their runs.

        Work is done only where an entry is not the same object as before.
        """
        old = self.entries
        if len(entries) == len(old) and all(map(lambda a, b: a is b, entries, old)):
            return replace(self, read_at=read_at)
        paths = {one.path for one in entries}
        return replace(
            self,
            listing=replace(self.listing, entries=tuple(entries)),
            read_at=read_at,
            cursor=self.current.path if self.current else "",
            marked=tuple(path for path in self.marked if path in paths),
        )

    def in_place_of(self, now: RunList) -> RunList:
        """Return this list with the view of ``now``, which may have changed while it was read."""
        listing = self.listing
        if (listing.sort, listing.wanted) != (now.sort, now.wanted):
            listing = replace(listing, sort=now.sort, wanted=now.wanted)
        paths = {one.path for one in self.entries}
        marked = tuple(path for path in now.marked if path in paths)
        return replace(self, listing=listing, cursor=now.cursor or self.cursor, marked=marked)

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
        listing = replace(self.listing, sort=SORT_KEYS[place % len(SORT_KEYS)])
        return replace(self, listing=listing, cursor=cursor)

    def filtered(self, wanted: str) -> RunList:
        """Return the list of the runs that have these words."""
        return replace(self, listing=replace(self.listing, wanted=wanted))

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
        sizes = {name: self.listing.cells[name] for name in self.listing.columns(width)}
        taken = _MARK_CELLS + sum(size + _GAP for size in sizes.values())
        room = max(4, min(width - taken, self.listing.longest, _WIDEST_NAME))
        first = self._first(max(0, height - 1))
        places = range(first, min(first + max(0, height - 1), len(self.shown)))
        return [
            fit(self._heading(sizes, room), width),
            *(fit(self._row(place, sizes, room, width), width) for place in places),
        ]

    def _first(self, rows: int) -> int:
        """The first row shown, so that the cursor is in the middle where the list allows it."""
        return max(0, min(self.place - rows // 2, len(self.shown) - rows))

    def _heading(self, sizes: Mapping[str, int], room: int) -> Line:
        spans = [Span(" " * _MARK_CELLS), self._title("name", room)]
        for name, size in sizes.items():
            spans += [Span(" " * _GAP), self._title(name, size)]
        return tuple(spans)

    def _title(self, name: str, size: int) -> Span:
        heading = _heading_of(name)
        is_key = heading.strip() == self.sort
        text = heading.replace(" ", "▾") if is_key else clip(heading.strip(), size)
        return Span(_aligned(name, text, size), "bold" if is_key else "dim")

    def _row(self, place: int, sizes: Mapping[str, int], room: int, width: int) -> Line:
        entry = self.shown[place]
        here = place == self.place
        marks = ("▸" if here else " ") + ("●" if entry.path in self.marked else " ")
        spans = [Span(marks, "bold"), *fit((Span(clip_middle(entry.name, room)),), room)]
        texts = self.listing.texts[place] | {"age": brief_age(entry, self.read_at)}
        for name, size in sizes.items():
            text = texts.get(name, "")
            aligned = _aligned(name, clip(text, size), size)
            spans += [Span(" " * _GAP), Span(aligned, _STYLES.get(text, ""))]
        if not here:
            return tuple(spans)
        return tuple(Span(one.text, "reverse") for one in fit(tuple(spans), width))


def _heading_of(name: str) -> str:
    """Return the heading of a column; one that sorts has room for the mark."""
    heading = _HEADINGS.get(name, name)
    return f"{heading} " if heading in SORT_KEYS else heading


def _aligned(name: str, text: str, size: int) -> str:
    return f"{text:<{size}}" if name in _LEFT else f"{text:>{size}}"


def _texts(entry: RunSummary) -> dict[str, str]:
    return {
        "state": entry.state,
        "iteration": progress_words(entry),
        "validation": validation_words(entry),
        "loss": loss(entry.best.mean if entry.best else None),
    }


def _searched(entry: RunSummary) -> str:
    return f"{entry.name} {entry.algorithm or ''} {entry.state}".casefold()


def no_runs(folders: str, wanted: str) -> list[Line]:
    """Return the text that replaces an empty table."""
    if wanted:
        return [line(f"no run with “{wanted}”; ", Span("esc", "bold"), ": show all")]
    return [line(f"no runs in {folders}")]


def entry_rows(entries: Sequence[RunSummary]) -> Rows:
    """Yield a header and each run of a list, with the settings that differ in the last columns."""
    names = [one.name for one in fields(RunSummary) if one.name not in ("best", "config")]
    of_runs = [settings_of(entry) for entry in entries]
    differ = differing(of_runs)
    yield [*names, "best", "best_iteration", "best_low", "best_high", *differ]
    for entry, of in zip(entries, of_runs, strict=True):
        one = entry.best
        best = (one.mean, one.iteration, one.low, one.high) if one else (None,) * 4
        values = (*(getattr(entry, name) for name in names), *best, *map(of.get, differ))
        yield ["" if value is None else str(value) for value in values]
