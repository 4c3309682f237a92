"""A table with a cursor: sorted by a column, filtered by words, in any width and height."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tui_meta.views.text import Line, Span, clip, fit

_GAP = 2
_MARK_CELLS = 2
LOOK_CELLS = 3
"""Cells of a sample of a row's curve, with the gap behind it."""

_WIDEST = 40


@dataclass(frozen=True)
class Column:
    """A column; those of the highest ``rank`` are left out first where the width is short."""

    title: str
    is_left: bool = False
    rank: int = 0


@dataclass(frozen=True)
class Row:
    """A row: a text for each column, and what that column is sorted by.

    The words of a filter are looked for in what is ``searched``. ``marked`` is the best one, and
    ``styles`` has those of columns that stand out.
    """

    key: str
    texts: Sequence[str]
    order: Sequence[Any]
    searched: str
    marked: bool = False
    styles: Mapping[int, str] | None = None


@dataclass(frozen=True)
class Listing:
    """The rows that have every wanted word, in order; the same while the cursor moves."""

    columns: Sequence[Column]
    rows: Sequence[Row] = ()
    sort: int = 0
    wanted: str = ""

    @cached_property
    def shown(self) -> Sequence[Row]:
        """The rows from top to bottom; what is equal stays in its order."""
        words = self.wanted.casefold().split()
        kept = [one for one in self.rows if all(word in one.searched for word in words)]
        return sorted(kept, key=lambda row: row.order[self.sort])

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The row of each key that is shown."""
        return {row.key: place for place, row in enumerate(self.shown)}

    @cached_property
    def cells(self) -> Sequence[int]:
        """The width of each column over all rows, in view or not; there is room for the mark."""
        return [
            min(_WIDEST, max([len(one.title) + 1, *(len(row.texts[place]) for row in self.rows)]))
            for place, one in enumerate(self.columns)
        ]

    @cached_property
    def used(self) -> Sequence[int]:
        """The columns that have a text."""
        return [
            place
            for place in range(len(self.columns))
            if any(row.texts[place] for row in self.rows)
        ]

    def prepare(self) -> None:
        """Compute everything that the table shows, in a thread before it is shown."""
        for name in ("places", "cells", "used"):
            getattr(self, name)

    def fitting(self, width: int, *, looks: bool = False) -> Sequence[int]:
        """Return the columns for which there is room, besides samples of curves if there are."""
        kept = list(self.used)
        while len(kept) > 1 and self.width(kept, looks=looks) > width:
            kept.remove(max(kept, key=lambda place: (self.columns[place].rank, place)))
        return kept

    def width(self, places: Sequence[int], *, looks: bool = False) -> int:
        """Return the cells that these columns take."""
        first = _MARK_CELLS + LOOK_CELLS * looks
        return first + sum(self.cells[place] + _GAP for place in places) - _GAP


@dataclass(frozen=True)
class Table:
    """A listing and the row under the cursor, by its key."""

    listing: Listing
    cursor: str = ""

    @property
    def place(self) -> int:
        """The row of the cursor; 0 if it is not shown."""
        return self.listing.places.get(self.cursor, 0)

    @property
    def current(self) -> str:
        """The key of the row under the cursor; empty without rows."""
        return self.listing.shown[self.place].key if self.listing.shown else ""

    @property
    def sort(self) -> str:
        """What the rows are sorted by."""
        return self.listing.columns[self.listing.sort].title

    def showing(self, listing: Listing) -> Table:
        """Return the table with other rows; sort order, filter and cursor stay where they can."""
        titles = [one.title for one in listing.columns]
        if self.sort in titles and listing.sort != titles.index(self.sort):
            listing = replace(listing, sort=titles.index(self.sort))
        if self.listing.wanted:
            listing = replace(listing, wanted=self.listing.wanted)
        return Table(listing, self.current or self.cursor)

    def moved(self, steps: int) -> Table:
        """The cursor further down, or up."""
        shown = self.listing.shown
        place = max(0, min(self.place + steps, len(shown) - 1))
        return replace(self, cursor=shown[place].key) if shown else self

    def sorted_by_next(self, steps: int) -> Table:
        """In the order of another column that is used; the cursor stays on its row."""
        used = self.listing.used or range(len(self.listing.columns))
        place = used.index(self.listing.sort) if self.listing.sort in used else 0
        chosen = used[(place + steps) % len(used)]
        return Table(replace(self.listing, sort=chosen), self.current)

    def filtered(self, wanted: str) -> Table:
        """Return the table of the rows that have these words."""
        return Table(replace(self.listing, wanted=wanted), self.cursor)

    def lines(self, width: int, height: int, looks: Mapping[str, Span] | None = None) -> list[Line]:
        """The names of the columns, and as many rows around the cursor as there is room for.

        Rows begin with samples of their curves, if there are ``looks`` by key.
        """
        listing, rows = self.listing, max(0, height - 1)
        places = listing.fitting(width, looks=bool(looks))
        first = max(0, min(self.place - rows // 2, len(listing.shown) - rows))
        heading: list[Span] = []
        for place in places:
            column, is_key = listing.columns[place], place == listing.sort
            text = f"{column.title}▾" if is_key else column.title
            heading.append(self._cell(place, text, "bold" if is_key else "dim"))
        visible = listing.shown[first : first + rows]
        samples = [_sample(looks, one.key) for one in visible]
        lines = [
            self._row(row, look, places, width, here=at == self.place)
            for at, (row, look) in enumerate(zip(visible, samples, strict=True), first)
        ]
        marks = Span(" " * _MARK_CELLS, "bold")
        return [fit((marks, *_sample(looks, ""), *_joined(heading)), width), *lines]

    def _row(self, row: Row, look: Line, places: Sequence[int], width: int, *, here: bool) -> Line:
        marks = Span(("▸" if here else " ") + ("◆" if row.marked else " "), "bold")
        styles = row.styles or {}
        cells = [self._cell(place, row.texts[place], styles.get(place, "")) for place in places]
        shown = fit((marks, *look, *_joined(cells)), width)
        return (
            tuple(one if one in look else Span(one.text, "reverse") for one in shown)
            if here
            else shown
        )

    def _cell(self, place: int, text: str, style: str) -> Span:
        size = self.listing.cells[place]
        text = clip(text, size)
        aligned = f"{text:<{size}}" if self.listing.columns[place].is_left else f"{text:>{size}}"
        return Span(aligned, style)


def _sample(looks: Mapping[str, Span] | None, key: str) -> Line:
    """Return the sample of a row's curve with a gap; without any looks, nothing."""
    if not looks:
        return ()
    look = looks.get(key, Span(""))
    return (Span(f"{look.text:<{LOOK_CELLS}}", look.style),)


def _joined(cells: Sequence[Span]) -> Line:
    """Return a row of cells with gaps between them."""
    spans: list[Span] = []
    for place, cell in enumerate(cells):
        spans += [Span(" " * _GAP), cell] if place else [cell]
    return tuple(spans)
