"""The report of a run as sections and rows; ``tui-meta show`` and Runs render it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.filesize import decimal

from core.config import CheckpointSettings, RunConfig
from core.errors import LabError, RunFolderError
from core.events import Diverged, Evaluated, Failed
from core.storage.paths import RECORD
from core.storage.run_folder import RunRecord
from core.storage.run_index import CheckpointFile, RunDetails
from tui_meta.views.describe import display_path
from tui_meta.views.numbers import loss, whole
from tui_meta.views.runs.summary import age_words, best_words, progress_words, state_words
from tui_meta.views.shell import shell_command

NEWEST = 10
"""Rows of a long section that are shown."""

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

    def newest(self, count: int = NEWEST) -> Section:
        """Return the section with its last ``count`` rows, and say so in the title."""
        if len(self.rows) <= count:
            return self
        title = f"{self.title}, the last {count} of {whole(len(self.rows))}"
        return replace(self, title=title, rows=self.rows[-count:])


class Report(NamedTuple):
    """Everything about a run but its loss curve."""

    status: Section
    settings: Section
    provenance: Section
    checkpoints: Section
    evaluations: Section


def report(details: RunDetails, config: RunConfig, now: float) -> Report:
    """Return the report of a run at the time ``now``, in seconds since the epoch."""
    return Report(
        status(details, config.algorithm.title, now),
        _settings(details.record, config),
        _provenance(details.record),
        _checkpoints(details.checkpoints),
        _evaluations([event for event in details.events if isinstance(event, Evaluated)]),
    )


def status(details: RunDetails, algorithm: str, now: float) -> Section:
    """Return the state and progress of a run, under its name and folder."""
    entry = details.summary
    rows = [
        ("state", state_words(entry)),
        ("iteration", progress_words(entry)),
        ("best loss", best_words(entry)),
        ("last event", f"{age_words(entry, now)} ago" if entry.last_event else "-"),
        ("checkpoints", whole(len(details.checkpoints))),
    ]
    problems = [event for event in details.events if isinstance(event, Diverged | Failed)]
    ended = problems and entry.state in ("diverged", "failed")
    title = f"{entry.name}, {algorithm}: {display_path(entry.path)}"
    return Section(title, rows, problem=problems[-1].problem if ended else "")


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


def _provenance(record: RunRecord) -> Section:
    versions = ", ".join(f"{package} {number}" for package, number in record.versions.items())
    rows = [
        ("started", record.started),
        ("host", record.host),
        ("processor", record.processor),
        ("engine", f"{record.engine} on {record.device}"),
        ("versions", f"{versions}, python {record.python}"),
        *([("git commit", record.commit)] if record.commit else []),
        ("command line", shell_command(*record.command_line)),
    ]
    return Section("Provenance", rows)


def _checkpoints(files: Sequence[CheckpointFile]) -> Section:
    if not files:
        return Section("No checkpoint yet")
    rows = [(file.path.name, file.description, decimal(file.size)) for file in files]
    return Section("Checkpoints", rows, ("file", "kind", "size"), frozenset({2}))


def _evaluations(evaluations: Sequence[Evaluated]) -> Section:
    if not evaluations:
        return Section("No evaluation yet")
    rows = [
        (
            whole(one.iteration),
            one.probe,
            whole(len(one.losses) - 1),
            loss(one.losses[0]),
            loss(one.losses[-1]),
        )
        for one in evaluations
    ]
    columns = ("iteration", "task", "steps", "before", "after")
    return Section("Evaluations", rows, columns, frozenset({0, 2, 3, 4})).newest()


def recorded_config(path: Path, record: RunRecord) -> RunConfig:
    """Return the configuration of the run folder ``path``; raises ``RunFolderError``."""
    try:
        return RunConfig.from_dict(record.config)
    except LabError as error:
        problem = f"invalid configuration ({error})"
        raise RunFolderError(path / RECORD, problem, "retrain this run") from error


def dotted(config: RunConfig, algorithm: str | None = None) -> dict[str, str]:
    """Return every setting by name: ``seed``, ``network.hidden``, ``fomaml.inner_lr``.

    ``algorithm`` replaces the algorithm's own name in the keys.
    """
    plain = config.to_dict()
    name = plain["algorithm"].pop("name")
    settings = {"algorithm": name}
    for key, value in plain.items():
        if isinstance(value, dict):
            table = algorithm or name if key == "algorithm" else key
            settings |= {f"{table}.{inner}": _shown(one) for inner, one in value.items()}
        else:
            settings[key] = _shown(value)
    return settings


def saving_of(saving: Mapping[str, Any]) -> dict[str, str]:
    """Return autosave settings by name."""
    return {name: _shown(value) for name, value in saving.items()}


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)
