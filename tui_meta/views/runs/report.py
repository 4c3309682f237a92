"""The report of a run as sections and rows; ``tui-meta show`` and Runs render it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.filesize import decimal

from core.config import CheckpointSettings, RunConfig
from core.errors import LabError, RunFolderError, UnregisteredError
from core.evaluation.few_shot_tasks import PROBES
from core.events import Evaluated, Validated, Validation
from core.experiments.specification import flat_settings
from core.storage.paths import RECORD
from core.storage.provenance import SAMPLE_NAME
from core.storage.run_folder import RunRecord
from core.storage.run_index import CheckpointFile, RunDetails, RunSummary
from tui_meta.views.messages.describe import display_path
from tui_meta.views.numbers import loss, whole
from tui_meta.views.runs.summary import (
    best_words,
    last_event_words,
    progress_words,
    state_words,
)
from tui_meta.views.shell import shell_command

NEWEST = 10
"""Rows of a long section that are shown."""

_LAST_EVENT = "last event"

_BITS = "(of a sample computation; another number means that results differ in some bits)"

Row = tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A table under a title; without ``columns``, each row is a name and a fact.

    ``numbers`` are the indices of right-aligned columns. ``problem`` is shown below the rows.
    """

    title: str
    rows: Sequence[Row] = ()
    columns: Row = ()
    numbers: frozenset[int] = frozenset()
    problem: str = ""

    def newest(self) -> Section:
        """Return the section with its last rows, and say so in the title."""
        return replace(self, rows=self.rows[-NEWEST:]).of_all(len(self.rows))

    def of_all(self, count: int) -> Section:
        """Say in the title that the rows are the last ones of ``count``, if there are more."""
        if len(self.rows) == count:
            return self
        return replace(self, title=f"{self.title}, the last {len(self.rows)} of {whole(count)}")


class Report(NamedTuple):
    """Everything about a run but its loss curve."""

    status: Section
    settings: Section
    provenance: Section
    checkpoints: Section
    validations: Section
    evaluations: Section

    def at(self, entry: RunSummary, now: float) -> Report:
        """Return the report of the run ``entry`` with the age that it has at the time ``now``."""
        rows = [
            (name, last_event_words(entry, now) if name == _LAST_EVENT else fact)
            for name, fact in self.status.rows
        ]
        return self._replace(status=replace(self.status, rows=rows))


def report(details: RunDetails, config: RunConfig, now: float) -> Report:
    """Return the report of a run at the time ``now``, in seconds since the epoch."""
    return Report(
        _status(details, config.algorithm.title, now),
        _settings(details.record, config),
        provenance(details.record),
        _checkpoints(details.checkpoints, details.summary.best),
        _validations(details.events.of(Validated)),
        _evaluations(details.events.of(Evaluated)),
    )


def _status(details: RunDetails, algorithm: str, now: float) -> Section:
    """Return the state and progress of a run, under its name and folder."""
    entry = details.summary
    rows = [
        ("state", state_words(entry)),
        ("iteration", progress_words(entry)),
        ("validation", f"{best_words(entry)}, the best" if entry.best else _one_task(details)),
        (_LAST_EVENT, last_event_words(entry, now)),
        ("checkpoints", whole(len(details.checkpoints))),
    ]
    title = f"{entry.name}, {algorithm}: {display_path(entry.path)}"
    return Section(title, rows, problem=details.problem)


def _one_task(details: RunDetails) -> str:
    """Return the best evaluation of a run without validation, as version 0.1 had it."""
    found = [
        (one.losses[-1], one.iteration)
        for one in details.events.of(Evaluated)
        if one.probe == "validation" and one.losses
    ]
    if not found:
        return "-"
    best, iteration = min(found)
    return f"- (best on one random task: {loss(best)} at {whole(iteration)})"


def _settings(record: RunRecord, config: RunConfig) -> Section:
    settings = dotted(config) | saving_of(record.saving)
    usual = RunConfig(algorithm=type(config.algorithm)())
    defaults = dotted(usual) | saving_of(asdict(CheckpointSettings()))
    rows = [
        (name, value, defaults.get(name, "-"))
        for name, value in settings.items()
        if value != defaults.get(name)
    ]
    if not rows:
        return Section("All settings are defaults")
    return Section("Settings that differ from the defaults", rows, ("setting", "value", "default"))


def provenance(record: RunRecord) -> Section:
    """Return where, when and with what a run was started."""
    versions = dict(record.versions)
    digest = versions.pop(SAMPLE_NAME, "")
    named = ", ".join(f"{package} {number}" for package, number in versions.items())
    rows = [
        ("started", record.started),
        ("host", record.host),
        ("processor", record.processor),
        ("engine", f"{record.engine} on {record.device}"),
        ("versions", f"{named}, python {record.python}"),
        *([("bits", f"{digest} {_BITS}")] if digest else []),
        *([("git commit", record.commit)] if record.commit else []),
        ("command line", shell_command(*record.command_line)),
    ]
    return Section("Provenance", rows)


def _checkpoints(files: Sequence[CheckpointFile], best: Validation | None) -> Section:
    """List the files; those that are kept for the history alone are summarized in the last rows."""
    if not files:
        return Section("No checkpoint yet")
    current = [file for file in files if file.metadata and not file.discarded]
    rows, history = [], dict[str, list[CheckpointFile]]()
    for file in files:
        kind = file.description
        is_best = best is not None and file.iteration == best.iteration and not file.discarded
        if is_best:
            kind = "best so far" if kind == "best" else f"{kind}, best so far"
        if kind.startswith("history") and not is_best and file not in current[-1:]:
            history.setdefault(kind, []).append(file)
        else:
            rows.append((file.path.name, kind, decimal(file.size)))
    for kind, kept in history.items():
        first, last = (whole(file.iteration) for file in (kept[0], kept[-1]))
        size = decimal(sum(file.size for file in kept))
        names = f"{len(kept)} of iterations {first} to {last}"
        rows.append((names if len(kept) > 1 else kept[0].path.name, kind, size))
    return Section("Checkpoints", rows, ("file", "kind", "size"), frozenset({2}))


def _validations(validations: Sequence[Validated]) -> Section:
    if not validations:
        return Section("No validation yet")
    rows = [
        (
            whole(one.iteration),
            loss(one.mean[0]),
            loss(one.mean[-1]),
            f"{loss(one.low[-1])} to {loss(one.high[-1])}",
            loss(one.median[-1]),
            whole(one.diverged[-1]),
        )
        for one in validations[-NEWEST:]
    ]
    last = validations[-1]
    title = f"Validation on {whole(len(last.losses))} tasks, {whole(last.steps[-1])} gradient steps"
    columns = ("iteration", "before", "after", "95% interval", "median", "diverged")
    return Section(title, rows, columns, frozenset(range(6))).of_all(len(validations))


def _evaluations(evaluations: Sequence[Evaluated]) -> Section:
    if not evaluations:
        return Section("No evaluation yet")
    rows = [
        (
            whole(one.iteration),
            PROBES[one.probe].title,
            whole(len(one.losses) - 1),
            loss(one.losses[0]),
            loss(one.losses[-1]),
        )
        for one in evaluations[-NEWEST:]
    ]
    columns = ("iteration", "task", "steps", "before", "after")
    section = Section("Evaluations on one task", rows, columns, frozenset({0, 2, 3, 4}))
    return section.of_all(len(evaluations))


def recorded_config(path: Path, record: RunRecord) -> RunConfig:
    """Return the configuration of the run folder ``path``; raises ``RunFolderError``."""
    try:
        return RunConfig.from_dict(record.config)
    except UnregisteredError as error:
        raise RunFolderError(path / RECORD, error.statement, error.advice) from error
    except LabError as error:
        problem = f"invalid configuration ({error})"
        raise RunFolderError(path / RECORD, problem, "retrain this run") from error


def dotted(config: RunConfig, algorithm: str | None = None) -> dict[str, str]:
    """Return every setting in words by name: ``seed``, ``network.hidden``, ``fomaml.inner_lr``.

    ``algorithm`` replaces the algorithm's own name in the keys.
    """
    return {name: _shown(value) for name, value in flattened(config, algorithm).items()}


def flattened(config: RunConfig, algorithm: str | None = None) -> dict[str, object]:
    """Return every setting by the same names; lists are text with spaces between the values."""
    return flattened_table(config.to_dict(complete=True), algorithm)


def flattened_table(plain: Mapping[str, Any], algorithm: str | None = None) -> dict[str, object]:
    """Return every setting of a configuration in plain values, as `flattened` does."""
    name = plain["algorithm"]["name"]
    settings: dict[str, object] = {"algorithm": name}
    for key, value in flat_settings(plain, "").items():
        table, _, inner = key.partition(".")
        if table != "algorithm":
            settings[key] = _joined(value)
        elif inner != "name":
            settings[f"{algorithm or name}.{inner}"] = _joined(value)
    return settings


def saving_of(saving: Mapping[str, Any]) -> dict[str, str]:
    """Return autosave settings by name."""
    return {name: _shown(value) for name, value in saving.items()}


def _joined(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _shown(value: object) -> str:
    return "-" if value in (None, "") else str(value)
