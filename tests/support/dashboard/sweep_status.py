"""Sweeps as the screen shows them, with made-up results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun, specification_of
from core.experiments.summary import summarize
from tests.support.sweeps import loss_of, result
from tui_meta.views.sweep.folder import sweep_run
from tui_meta.views.sweep.status import SweepStatus
from tui_meta.views.sweep.words import names_beside_algorithms

RATES = [0.005, 0.02, 0.08]
GRID: dict[str, Any] = {"reptile.inner_lr": RATES, "network.hidden": [[8], [16, 16]]}


def status(results: Mapping[str, RunResult], runs: list[PlannedRun]) -> SweepStatus:
    """Return the status of these runs."""
    groups = summarize(runs, results)
    of_group: dict[str, list[PlannedRun]] = {}
    for run in runs:
        of_group.setdefault(run.group, []).append(run)
    members = [[sweep_run(run, results) for run in of_group[one.group]] for one in groups]
    return SweepStatus.of(groups, members, names_beside_algorithms(groups))


def swept(sweep: Mapping[str, Any], seeds: int = 3, **more: Any) -> SweepStatus:
    """Return the status of a sweep that has ended."""
    table = {"algorithms": ["reptile"], "seeds": seeds, "sweep": sweep, **more}
    runs = specification_of(table).expand()
    return status({run.digest: result(run, loss_of(run)) for run in runs}, runs)
