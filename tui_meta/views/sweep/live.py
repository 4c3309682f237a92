"""The runs of a session as a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.events import Snapshot
from core.experiments.results import Ended, RunResult
from core.experiments.summary import GroupSummary, compared
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.event_history import EventHistory
from tui_meta.views.run_groups import run_groups
from tui_meta.views.run_status import remaining
from tui_meta.views.runs.report import flattened_table
from tui_meta.views.sweep.status import SweepRun, SweepStatus
from tui_meta.views.sweep.words import diverged_tasks
from tui_meta.views.watch.groups import group_status, seed_curve


def live_status(dashboard: DashboardState) -> SweepStatus:
    """Return the runs of ``dashboard`` as they are now.

    The loss of a group is that of Watch: at the newest validation that two of its seeds have.
    """
    runs, history = list(dashboard.snapshots.values()), dashboard.history
    groups = run_groups(runs)
    varied = _varied([runs[one.members[0]] for one in groups])
    summaries, members = [], []
    for group, settings in zip(groups, varied, strict=True):
        own = [runs[place] for place in group.members]
        drawn = seed_curve(group_status(group, 0, dashboard.statuses), history).iterations
        results = [_result(one, group.label, settings, history, drawn) for one in own]
        validated_on = [own[0].config.get(name) for name in ("waves", "tasks", "validation")]
        summaries.append(GroupSummary.of(group.label, settings, len(own), validated_on, results))
        members.append([_run(one, dashboard.titles[one.run], history) for one in own])
    left = [seconds for one in runs if (seconds := remaining(one)) is not None]
    return SweepStatus.of(
        compared(summaries),
        members,
        seconds_left=max(left, default=None),
    )


def _varied(leads: Sequence[Snapshot]) -> list[dict[str, Any]]:
    """Return the algorithm of each group and the settings in which groups of it differ."""
    settings = [flattened_table(one.config) if one.config else {} for one in leads]
    found = []
    for lead, own in zip(leads, settings, strict=True):
        same = [
            of for one, of in zip(leads, settings, strict=True) if one.algorithm == lead.algorithm
        ]
        names = [name for name in own if len({of.get(name) for of in same}) > 1 and name != "seed"]
        found.append({"algorithm": lead.algorithm, **{name: own[name] for name in names}})
    return found


def _run(shot: Snapshot, title: str, history: EventHistory) -> SweepRun:
    validations, trouble = history.validations[shot.run], history.troubles.get(shot.run)
    return SweepRun(
        title,
        shot.config.get("seed", 0),
        shot.state,
        shot.iteration,
        validations[-1].result if validations else None,
        shot.loss,
        shot.elapsed,
        trouble.problem if trouble else diverged_tasks([*validations][-1:]),
    )


def _result(
    shot: Snapshot,
    group: str,
    varied: Mapping[str, Any],
    history: EventHistory,
    drawn: Sequence[int],
) -> RunResult:
    """Return what the run has measured at the iterations that are ``drawn`` as a result."""
    states: dict[str, Ended] = {"diverged": "diverged", "failed": "failed"}
    found = [*history.validations[shot.run]]
    validations = [one for one in found if one.iteration in drawn]
    # A loss that is not finite is in no curve, and hides an earlier one that was.
    last = [one for one in found[-1:] if one.result is None]
    last += [one for one in validations if one.iteration == drawn[-1]]
    return RunResult(
        digest=shot.run,
        run=shot.run,
        group=group,
        seed=shot.config.get("seed", 0),
        varied=dict(varied),
        state=states.get(shot.state, "finished"),
        iteration=shot.iteration,
        spent=shot.spent,
        training_loss=shot.loss,
        validations=tuple(one.result for one in validations if one.result),
        last=next(iter(last), None),
    )
