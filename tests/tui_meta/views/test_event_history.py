"""The events of a session that the screens keep."""

import msgspec
import pytest

from core.events import Saved, Started
from tests.support.dashboard.watch_state import one_evaluation, started_session, watch_state
from tui_meta.views.event_history import KEPT_EVALUATIONS, EventHistory


def test_a_resumed_run_counts_as_saved_at_its_first_iteration() -> None:
    record = EventHistory(["a"])
    record.add([Started(run="a", iteration=0, time=0.0, target=9, engine="fused", device="cpu")])
    assert record.saved_at == {}
    record.add([Saved(run="a", iteration=8, time=0.0, path="8.safetensors")])
    record.add([Started(run="a", iteration=4, time=0.0, target=9, engine="fused", device="cpu")])
    assert record.saved_at == {"a": 4}


def test_the_newest_evaluations_are_of_the_newest_task_that_all_training_runs_have_met() -> None:
    shown = watch_state(started_session()).dashboard.history.newest()
    assert {one.index for one in shown.values()} == {12_000}
    assert shown["fomaml-1"].support_x == shown["reptile-1"].support_x


def test_a_diverged_run_does_not_hold_up_the_evaluations_of_others() -> None:
    session = started_session()
    session.diverge("fomaml-1")
    state = watch_state(session)
    state.dashboard.history.add([one_evaluation("reptile-1", 19_000)])
    shown = state.dashboard.history.newest()
    assert (shown["fomaml-1"].index, shown["reptile-1"].index) == (12_000, 19_000)


def test_an_evaluation_that_cannot_be_drawn_is_shown_with_its_losses() -> None:
    shown = msgspec.structs.replace(
        one_evaluation("fomaml-1", 3, "standard"), losses=(3.0, 2.0, 1.0)
    )
    record = EventHistory(["fomaml-1"])
    record.add([shown.without_points()])
    assert record.newest("standard")["fomaml-1"].losses == (3.0, 2.0, 1.0)
    record.add([shown.abridged()])
    assert record.newest("standard")["fomaml-1"].losses == (3.0, 2.0, 1.0)


@pytest.mark.slow
def test_a_long_history_takes_bounded_memory() -> None:
    session = started_session(fomaml=0, reptile=0)
    record = EventHistory(session.snapshots())
    record.add(session.events(0))
    record.add(one_evaluation("fomaml-1", index) for index in range(3 * KEPT_EVALUATIONS))
    assert len(record.evaluations["fomaml-1"]) == KEPT_EVALUATIONS
    assert len(record._open) <= KEPT_EVALUATIONS
