"""The commands behind the keys of the watch screen."""

import pytest
from msgspec.structs import replace

from core.commands import Pause, Resume, SetPace, Step
from tests.support.dashboard.watch_state import NAMES, snapshots_of, started_session
from tui_meta.views.watch import commands


def test_space_pauses_training_runs_before_it_resumes_any() -> None:
    session = started_session()
    session.change("fomaml-1", state="paused")
    planned = commands.pause_or_resume(snapshots_of(session), {}, NAMES)
    assert planned.commands == (("reptile-1", Pause()),)
    planned = commands.pause_or_resume(snapshots_of(session), {"reptile-1": "paused"}, NAMES)
    assert planned.commands == (("fomaml-1", Resume()), ("reptile-1", Resume()))


def test_a_step_needs_a_paused_run() -> None:
    session = started_session()
    planned = commands.step(snapshots_of(session), {}, NAMES)
    assert not planned.commands
    assert "FOMAML is training, Reptile is training; pause first (space)" in planned.message
    session.change("fomaml-1", state="paused")
    assert commands.step(snapshots_of(session), {}, NAMES).commands == (("fomaml-1", Step(1)),)


def test_a_message_counts_many_runs() -> None:
    runs = [*snapshots_of(started_session())] * 3
    assert commands.pause_or_resume(runs[:4], {}, NAMES).message.startswith("pausing FOMAML and")
    ended = [replace(one, state="finished", run=f"{place}") for place, one in enumerate(runs)]
    saving = commands.save(ended, {})
    assert saving.message == "saving 6 runs…"
    assert commands.step(ended, {}, {}).message.startswith(". steps paused runs: 6 runs are finis")


@pytest.mark.parametrize(
    ("now", "steps", "then"),
    [
        (None, -1, 3_000),
        (3_000, 1, None),
        (500, -1, 100),
        (500, 1, 1_000),
        (0.5, 1, 3),
        (10, -1, 3),
    ],
)
def test_the_pace_changes_by_one_of_its_steps(
    now: float | None, steps: int, then: float | None
) -> None:
    session = started_session()
    planned = commands.change_pace(snapshots_of(session), {"fomaml-1": now}, steps, NAMES)
    assert planned.commands == (("fomaml-1", SetPace(then)), ("reptile-1", SetPace(then)))


def test_a_refused_command_has_its_reason() -> None:
    session = started_session(reptile=50_000)
    assert (
        "Reptile is finished at 50,000"
        in commands.pause_or_resume(snapshots_of(session), {}, NAMES).message
    )
    session.change("reptile-1", state="failed")
    assert (
        commands.save(snapshots_of(session), NAMES).message == "nothing to save: Reptile is failed"
    )
    assert commands.extend(snapshots_of(session), NAMES).message.endswith("Reptile is failed")
