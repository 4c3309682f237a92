"""What a run is, for the key info: settings, budget, definitions and provenance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

from core.config import RunConfig
from core.events import Curve, RunState, Snapshot, Validated
from core.storage.run_folder import RunRecord
from core.storage.run_index import RunDetails
from tui_meta.views.messages.describe import display_path
from tui_meta.views.numbers import duration, whole
from tui_meta.views.run_settings import config_of, training_loss_words, validation_words
from tui_meta.views.runs.details import section_lines
from tui_meta.views.runs.report import Section, dotted, provenance
from tui_meta.views.text import Line

_CHANGED = "*"

_HOUR = 3_600
"""Seconds; a shorter time is in seconds, as budgets are."""


def info_lines(
    runs: Sequence[Snapshot],
    folders: Mapping[str, Path],
    width: int,
    records: Mapping[str, RunRecord] | None = None,
) -> list[Line]:
    """Return everything about ``runs``, one after the other; ``records`` where they are known."""
    lines: list[Line] = []
    for run in runs:
        origin = _provenance(run, folders.get(run.run), (records or {}).get(run.run))
        for section in (_budget(run), _definitions(run), origin, _settings(run)):
            lines += [*section_lines(section, width), ()]
    return lines[:-1]


def recorded_run(details: RunDetails, config: RunConfig) -> Snapshot:
    """Return a run as its folder shows it, in the form of a run of this session."""
    summary, record = details.summary, details.record
    metadata = [one.metadata for one in details.checkpoints if one.metadata and not one.discarded]
    times = [one.elapsed for one in metadata]
    times += [one.spent.seconds for one in details.events.of(Validated)]
    return Snapshot(
        run=summary.name,
        algorithm=config.algorithm.name,
        title=config.algorithm.title,
        state=cast(RunState, summary.state if summary.state in get_args(RunState) else "stopped"),
        iteration=summary.iteration or 0,
        target=summary.target or config.iterations,
        rate=0.0,
        elapsed=max(times, default=0.0),
        engine=record.engine,
        device=record.device,
        pace=None,
        unsaved=False,
        loss=None,
        best=summary.best,
        curve=Curve(),
        theta=None,
        config=config.to_dict(complete=True),
        budget=config.algorithm.budget,
    )


def _budget(run: Snapshot) -> Section:
    spent = run.spent
    seconds = spent.seconds
    time = f"{seconds:,.1f} seconds" if seconds < _HOUR else duration(seconds)
    rows = [
        ("iterations", f"{whole(run.iteration)} of {whole(run.target)}"),
        ("tasks", whole(spent.tasks)),
        ("points", f"{whole(spent.points)}, of support and query sets"),
        ("gradients", f"{whole(spent.gradients)} evaluations, each of one task's loss"),
        ("training", time),
    ]
    return Section(f"{run.title}, {run.run}: used so far", rows)


def _definitions(run: Snapshot) -> Section:
    _, _, loss = training_loss_words([run]).partition(": ")
    tasks = validation_words([run])
    validation = (
        f"mean query loss after the last step on {tasks}: the same tasks each time and for all "
        "runs with these settings; ± is the 95 % interval over tasks"
        if tasks
        else "off"
    )
    rows = [("training loss", loss or "-"), ("validation", validation)]
    return Section("Definitions", rows)


def _provenance(run: Snapshot, folder: Path | None, record: RunRecord | None) -> Section:
    origin = [("engine", f"{run.engine} on {run.device}")]
    rows = provenance(record).rows if record else origin
    place = ("folder", display_path(str(folder)) if folder else "-")
    return Section("Provenance", [place, *rows])


def _settings(run: Snapshot) -> Section:
    config = config_of(run)
    if config is None:
        return Section("Settings unknown: those of another version")
    usual = dotted(RunConfig(algorithm=type(config.algorithm)()))
    rows = [
        (_CHANGED if value != usual.get(name) else "", name, value, usual.get(name, "-"))
        for name, value in dotted(config).items()
    ]
    title = f"Settings ({_CHANGED} differs from the default)"
    return Section(title, rows, ("", "setting", "value", "default"))
