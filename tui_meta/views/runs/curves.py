"""The curves of runs on disk, drawn by the charts of Watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from core.config import RunConfig
from core.events import Snapshot, Validated
from core.storage.paths import folder_name
from core.storage.run_index import RunDetails
from tui_meta.views.event_history import EventHistory, Trouble
from tui_meta.views.plots.plot import Plot
from tui_meta.views.printable import printable
from tui_meta.views.run_status import RunStatus
from tui_meta.views.watch.charts import UNTRAINED, Charts
from tui_meta.views.watch.lens import Lens

MOST_CURVES = 8
"""On one chart: more lie upon each other."""

MOST_BANDS = 4
"""Of more curves, bands hide the others."""

Which = Literal["validation", "training"]


@dataclass(frozen=True)
class RecordedRun:
    """A run as its folder has it: its state and validations, and why it ended, if it failed."""

    snapshot: Snapshot
    validations: Sequence[Validated]
    trouble: Trouble | None = None


def recorded_run(details: RunDetails, config: RunConfig) -> RecordedRun:
    """Return what charts need of a run; its seconds since the last record are estimated."""
    entry, algorithm = details.summary, config.algorithm
    validations = details.events.of(Validated)
    files = [one.metadata for one in details.checkpoints if one.metadata and not one.discarded]
    known = {one.iteration: one.spent.seconds for one in validations}
    known |= {one.iteration: one.elapsed for one in files}
    iteration, last = entry.iteration or 0, max(known, default=0)
    snapshot = Snapshot(
        run=entry.path,
        algorithm=algorithm.name,
        title=algorithm.title,
        state="stopped",
        iteration=iteration,
        target=entry.target or 0,
        rate=0.0,
        elapsed=known[last] * max(iteration, last) / last if last else 0.0,
        engine="",
        device="",
        pace=None,
        unsaved=False,
        loss=None,
        best=entry.best,
        curve=details.events.curve,
        theta=None,
        config=config.to_dict(complete=True),
        budget=algorithm.budget,
    )
    trouble = Trouble(details.problem) if details.problem else None
    return RecordedRun(snapshot, validations, trouble)


class ComparedRuns:
    """Some runs on the charts of Watch, by their names or, where two share one, their paths."""

    def __init__(self, runs: Sequence[RecordedRun], charts: Charts | None = None) -> None:
        self.paths = [one.snapshot.run for one in runs]
        given = [folder_name(Path(path)) for path in self.paths]
        self.names = [
            printable(name if given.count(name) == 1 else path)
            for name, path in zip(given, self.paths, strict=True)
        ]
        self._history = EventHistory(self.paths)
        for one in runs:
            self._history.validations[one.snapshot.run].extend(one.validations)
        self._statuses = [
            RunStatus(name, index, one.snapshot, "", one.trouble)
            for index, (name, one) in enumerate(zip(self.names, runs, strict=True))
        ]
        self._charts = charts or Charts()

    @classmethod
    def of(cls, runs: Sequence[RecordedRun], before: ComparedRuns | None) -> ComparedRuns:
        """Return the charts of ``runs``; axes stay as they were if ``before`` showed the same."""
        if before and before.paths == [one.snapshot.run for one in runs]:
            return cls(runs, before._charts)
        return cls(runs)

    @property
    def first(self) -> Which:
        """The losses that are shown first: validation, where there is any."""
        return "validation" if any(self._history.validations.values()) else "training"

    def plot(self, which: Which, lens: Lens) -> Plot:
        """Plot one of the losses of all runs."""
        chart = self._charts.validation if which == "validation" else self._charts.training
        plot = replace(chart(self._history, self._statuses, lens), about="")  # nothing is awaited
        if len(self.names) <= MOST_BANDS:
            return plot
        named = {*self.names, UNTRAINED}
        return replace(plot, series=tuple(one for one in plot.series if one.label in named))
