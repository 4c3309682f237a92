"""Renders the report of a run for the Runs screen, with how the run is resumed."""

from pathlib import Path

from core.storage.run_index import RunSummary
from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.numbers import whole
from tui_meta.views.printable import printable
from tui_meta.views.runs.report import Report, Section
from tui_meta.views.shell import shell_command
from tui_meta.views.text import Line, Span, line, wrap

_NAME_CELLS = 14
"""Cells of the names of facts."""


def brief_lines(run: Report, settings: str, width: int) -> list[Line]:
    """Return the status of a run without its name, and its ``settings``."""
    return [*_body(run.status, width), *_facts(Section("", [("settings", settings)]), width)]


def run_lines(run: Report, width: int) -> list[Line]:
    """Return the report of a run, wrapped to ``width`` cells."""
    return [
        *section_lines(run.status, width),
        (),
        *section_lines(run.settings, width),
        (),
        *section_lines(run.checkpoints.newest(), width),
        (),
        *section_lines(run.validations, width),
        (),
        *section_lines(run.evaluations, width),
        (),
        *section_lines(run.provenance, width),
    ]


def section_lines(section: Section, width: int) -> list[Line]:
    """Return a section under its title."""
    title = [line(Span(row, "bold")) for row in wrap(printable(section.title), width)]
    return [*title, *_body(section, width)]


def _body(section: Section, width: int) -> list[Line]:
    rows = _table(section, width) if section.columns else _facts(section, width)
    return rows + [line(Span(row, "red")) for row in wrap(section.problem, width)]


def _facts(section: Section, width: int) -> list[Line]:
    lines = []
    for name, fact in section.rows:
        for number, row in enumerate(wrap(fact, max(10, width - _NAME_CELLS)) or [""]):
            lines.append(line(Span(f"{'' if number else name:<{_NAME_CELLS}}", "dim"), row))
    return lines


def _table(section: Section, width: int) -> list[Line]:
    rows = [section.columns, *(tuple(map(printable, row)) for row in section.rows)]
    cells = [max(map(len, column)) for column in zip(*rows, strict=True)]
    fits = sum(cells) + 2 * (len(cells) - 1) <= width
    lines: list[Line] = []
    for number, row in enumerate(rows):
        columns = [
            f"{cell:>{most}}" if index in section.numbers else f"{cell:<{most}}"
            for index, (cell, most) in enumerate(zip(row, cells, strict=True))
        ]
        text = ("  " if fits else " ").join(columns).rstrip()
        pieces = [text] if len(text) <= width else wrap(text, width)
        lines += [line(Span(piece, "" if number else "dim")) for piece in pieces]
    return lines


def resume_command(entry: RunSummary) -> str:
    """Return the shell command that resumes a run; a finished one needs more iterations."""
    more = [] if entry.state != "finished" else ["--iterations", str(2 * (entry.target or 0))]
    return shell_command("tui-meta", "resume", Path(entry.path), *more)


def cannot_resume(entry: RunSummary, key: KeyOf = usual_key, *, is_here: bool) -> str:
    """Return why the run cannot be resumed, or nothing; ``is_here`` if it is in this session."""
    if entry.problem:
        return entry.problem
    if is_here:
        return f"already in this session ({key('watch')})"
    if entry.trained_by:
        return f"in use by {entry.trained_by}; view: tui-meta attach"
    if entry.state == "finished":
        return f"finished; to continue: {resume_command(entry)}"
    return ""


def resume_details(entry: RunSummary) -> str:
    """Return what resuming the run does."""
    at, target = whole(entry.iteration or 0), whole(entry.target or 0)
    return (
        f"{entry.name} continues from its latest checkpoint (it reached iteration {at}) "
        f"to {target}, in a new session. The runs of this session are not affected."
    )
