"""One run of a folder, in lines: what it is, how it stands, what it has left behind."""

from __future__ import annotations

from collections.abc import Sequence

from rich.filesize import decimal

from core.config import RunConfig
from core.events import Diverged, Evaluated, Failed
from core.storage.run_index import CheckpointFile, RunDetails, RunSummary
from tui_meta.views.describe import display_path
from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.numbers import loss, whole
from tui_meta.views.runs.settings_table import (
    DEFAULT_SAVING,
    default_config,
    dotted,
    saving_of,
    typed,
)
from tui_meta.views.runs.summary import age_words, best_words, progress_words, state_words
from tui_meta.views.text import Line, Span, line, printable, wrap

_SHOWN = 10
"""Checkpoints and evaluations, the newest of them."""

_NAME_CELLS = 14


def brief_lines(opened: RunDetails, now: float, width: int) -> list[Line]:
    """How the run stands, for one who passes by."""
    entry = opened.summary
    lines = [
        *_fact("state", state_words(entry), width),
        *_fact("iteration", progress_words(entry), width),
        *_fact("best", best_words(entry), width),
        *_fact("last event", f"{age_words(entry, now)} ago", width),
        *_fact("checkpoints", whole(len(opened.checkpoints)), width),
    ]
    if entry.state in ("diverged", "failed"):
        troubles = (one for one in reversed(opened.events) if isinstance(one, Diverged | Failed))
        newest = next(troubles, None)
        lines += [line(Span(row, "red")) for row in wrap(newest.problem, width)] if newest else []
    return lines


def run_lines(opened: RunDetails, config: RunConfig, now: float, width: int) -> list[Line]:
    """All that ``tui-meta show`` tells of it but the curve, wrapped to ``width``."""
    evaluations = [one for one in opened.events if isinstance(one, Evaluated)]
    return [
        line(Span(f"{opened.summary.name}, {config.algorithm.title}", "bold")),
        *_fact("folder", display_path(opened.summary.path), width),
        *brief_lines(opened, now, width),
        (),
        *_settings(opened, config, width),
        (),
        *_checkpoints(opened.checkpoints, width),
        (),
        *_evaluations(evaluations),
        (),
        *_origin(opened, width),
    ]


def _fact(name: str, value: str, width: int) -> list[Line]:
    rows = wrap(value, max(10, width - _NAME_CELLS)) or [""]
    names = [name, *("" for _ in rows[1:])]
    return [
        line(Span(f"{title:<{_NAME_CELLS}}", "dim"), row)
        for title, row in zip(names, rows, strict=True)
    ]


def _settings(opened: RunDetails, config: RunConfig, width: int) -> list[Line]:
    settings = dotted(config) | saving_of(opened.record)
    defaults = dotted(default_config(config)) | DEFAULT_SAVING
    changed = {name: value for name, value in settings.items() if value != defaults.get(name)}
    if not changed:
        return [line(Span("all settings are the defaults", "bold"))]
    lines = [line(Span("settings that differ from the defaults", "bold"))]
    longest = max(map(len, changed))
    for name, value in changed.items():
        said = f"{name:<{longest}}  {value}"
        lines.append(line(said, Span(f"  (default {defaults.get(name, '-')})", "dim")))
    return lines


def _checkpoints(files: Sequence[CheckpointFile], width: int) -> list[Line]:
    if not files:
        return [line(Span("no checkpoint yet", "bold"))]
    lines = [line(Span(_counted("checkpoints", len(files)), "bold"))]
    for file in files[-_SHOWN:]:
        said = f"{printable(file.path.name):<25}  {decimal(file.size):>9}  {file.description}"
        lines += [line(row) for row in ([said] if len(said) <= width else wrap(said, width))]
    return lines


def _evaluations(evaluations: Sequence[Evaluated]) -> list[Line]:
    if not evaluations:
        return [line(Span("no evaluation yet", "bold"))]
    heading = f"{'iteration':>11}  {'task':<10}  {'updates':>7}  {'before':>6}  {'after':>6}"
    lines = [
        line(Span(_counted("evaluations", len(evaluations)), "bold")),
        line(Span(heading, "dim")),
    ]
    for one in evaluations[-_SHOWN:]:
        numbers = f"{loss(one.losses[0]):>6}  {loss(one.losses[-1]):>6}"
        updates = whole(len(one.losses) - 1)
        lines.append(line(f"{whole(one.iteration):>11}  {one.probe:<10}  {updates:>7}  {numbers}"))
    return lines


def _counted(what: str, count: int) -> str:
    return what if count <= _SHOWN else f"{what}, the last {_SHOWN} of {whole(count)}"


def _origin(opened: RunDetails, width: int) -> list[Line]:
    record = opened.record
    versions = ", ".join(f"{package} {number}" for package, number in record.versions.items())
    facts = {
        "started": record.started,
        "host": record.host,
        "processor": record.processor,
        "engine": f"{record.engine} on {record.device}",
        "versions": f"{versions}, python {record.python}",
        **({"git commit": record.commit} if record.commit else {}),
        "command line": typed(record.command_line),
    }
    lines = [line(Span("where it comes from", "bold"))]
    for name, value in facts.items():
        lines += _fact(name, value, width)
    return lines


def resume_command(entry: RunSummary) -> str:
    """What takes the run up again, typed in a shell; a finished one needs more iterations."""
    more = [] if entry.state != "finished" else ["--iterations", str(2 * (entry.target or 0))]
    return typed(["tui-meta", "resume", display_path(entry.path), *more])


def cannot_resume(entry: RunSummary, key: KeyOf = usual_key, *, is_here: bool) -> str:
    """Why the run is not taken up again at once; nothing if it can be. ``is_here``: it is one of
    this session.
    """
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
    """What it means to take the run up again."""
    at, target = whole(entry.iteration or 0), whole(entry.target or 0)
    return (
        f"{entry.name} continues from its latest checkpoint (it reached iteration {at}) "
        f"to {target}, in a new session. The runs of this session are not affected."
    )
