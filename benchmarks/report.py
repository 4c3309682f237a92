"""The report: tables of measurements, rendered as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.rounds import Spread

Cell = str | float | int | Spread | None
"""A number keeps all its digits in JSON; None was not measured."""


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class Section:
    """One part of the report: its tables, and notes that explain them."""

    title: str
    tables: Sequence[Table]
    notes: Sequence[str] = ()
    failed: bool = False
    apart: str = ""
    """Command and date of the measurement, if they differ from those of the report."""


@dataclass(frozen=True)
class Report:
    """All sections, and ``facts`` about the machine, date and command of the measurement."""

    facts: Mapping[str, str]
    sections: Sequence[Section]


def markdown(report: Report) -> str:
    """Render the report as Markdown."""
    facts = [f"- {name}: {value}" for name, value in report.facts.items()]
    intro = (
        "Candidates take turns; each figure is the median over the rounds, with the quartiles in "
        "brackets; a ratio is the median of the ratios of each round. Only ratios within one run "
        "carry over to another machine."
    )
    parts = ["# Benchmark results", intro, "\n".join(facts)]
    parts += [section_markdown(section) for section in report.sections]
    return "\n\n".join(parts) + "\n"


def section_markdown(section: Section) -> str:
    """Render one section, without a line break at its end."""
    parts = [f"## {section.title}"]
    parts += [_table_markdown(table) for table in section.tables]
    notes = [*section.notes, section.apart] if section.apart else section.notes
    if notes:
        parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts)


def as_json(report: Report) -> bytes:
    """Encode the report as indented JSON with all digits."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def merge_sections(report: Report, sections: Iterable[Section]) -> Report:
    """Return ``report`` with ``sections`` replacing those of the same title, or appended."""
    by_title = {section.title: section for section in (*report.sections, *sections)}
    return Report(report.facts, list(by_title.values()))


def from_json(text: bytes) -> Report:
    """Decode what ``as_json`` has encoded."""
    return msgspec.json.decode(text, type=Report)


def _table_markdown(table: Table) -> str:
    lines = [_line(table.columns), "|---" + "|---:" * (len(table.columns) - 1) + "|"]
    lines += [_line(_text(cell) for cell in row) for row in table.rows]
    return f"### {table.title}\n\n" + "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, Spread):
        if cell.n == 1:
            return _number(cell.median)
        return f"{_number(cell.median)} ({_number(cell.low)} - {_number(cell.high)})"
    return cell if isinstance(cell, str) else _number(cell)


def _number(value: float) -> str:
    """Format three significant digits, or all digits of a whole number."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    for limit, decimals in ((10, 1), (1, 2), (0.1, 3)):
        if abs(value) >= limit:
            return f"{value:.{decimals}f}"
    return f"{value:#.3g}"
