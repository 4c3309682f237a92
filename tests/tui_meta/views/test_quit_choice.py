"""The question before quitting, and the report after it."""

import pytest

from core.events import SaveFailed
from core.session.api import Connection
from tests.support.dashboard.watch_state import started_session, watch_state
from tui_meta.views.dialogs.quit_choice import default_quit_choice, exit_report
from tui_meta.views.messages.log import MessageKey
from tui_meta.views.messages.status_line import status_lines
from tui_meta.views.text import plain


@pytest.mark.parametrize("here", [Connection(), Connection(id="1", subscribers=2)])
def test_leaving_asks_unless_all_runs_have_ended_and_are_saved(here: Connection) -> None:
    session = started_session(reptile=50_000)
    assert default_quit_choice(session.snapshots(), here)
    for state in ("finished", "diverged", "failed", "stopped"):
        session.change("reptile-1", state=state, unsaved=False)
        assert default_quit_choice(session.snapshots(), here)
        session.change("reptile-1", unsaved=True)
        assert default_quit_choice(session.snapshots(), here) is None
    for state in ("loading", "training", "paused"):
        session.change("reptile-1", state=state, unsaved=False)
        assert default_quit_choice(session.snapshots(), here) is None


@pytest.mark.parametrize(
    "connection",
    [
        Connection(id="1", read_only=True),
        Connection(id="1", lost="the training process has exited"),
        Connection(id="1", ended=True),
    ],
    ids=["read-only", "lost", "ended"],
)
def test_a_session_that_cannot_be_ended_from_here_is_detached_without_a_question(
    connection: Connection,
) -> None:
    assert default_quit_choice(started_session().snapshots(), connection) == "detach"


def test_finished_runs_with_other_subscribers_are_detached() -> None:
    session = started_session(fomaml=50_000, reptile=50_000)
    assert default_quit_choice(session.snapshots(), Connection(id="1", subscribers=2)) == "detach"
    assert default_quit_choice(session.snapshots(), Connection(id="1")) == "save"


def test_the_exit_report_has_the_end_of_each_run_and_the_command_to_resume() -> None:
    session = started_session()
    session.stop(save=True)
    state = watch_state(session)
    assert exit_report(state.dashboard.snapshots, state.dashboard.history, {}) == [
        "FOMAML stopped at 12,300 / 50,000, saved checkpoints/fomaml-1/000012300.safetensors",
        "Reptile stopped at 18,700 / 50,000, saved checkpoints/reptile-1/000018700.safetensors",
        "resume with: tui-meta resume checkpoints/fomaml-1 checkpoints/reptile-1",
    ]


def test_the_exit_report_has_what_is_not_saved_and_why() -> None:
    session = started_session(fomaml=12_300)
    session.publish(SaveFailed(problem="disk full", run="fomaml-1", iteration=12_300, time=0.0))
    state = watch_state(session)
    assert exit_report(
        state.dashboard.snapshots, state.dashboard.history, state.dashboard.save_problems
    ) == [
        "FOMAML training at 12,300 / 50,000, not saved",
        "FOMAML could not be saved: disk full",
    ]


def test_the_exit_report_has_the_failed_save_of_a_run_that_was_replaced() -> None:
    session = started_session()
    state = watch_state(session)
    seen = len(session.events(0))
    session.publish(SaveFailed(problem="disk full", run="fomaml-1", iteration=12_300, time=0.0))
    session.restart()
    session.start()
    state.dashboard.update(session.events(seen), session.snapshots())
    state.arrange(120, 40)
    assert any("disk full" in plain(one) for one in status_lines(state.messages, 9, 120))
    for _ in range(9):
        state.messages.show_message("something else")
        state.messages.expect(MessageKey("key"), "and more")
    assert not any("disk full" in plain(one) for one in state.message_lines(120))
    last = exit_report(
        state.dashboard.snapshots, state.dashboard.history, state.dashboard.save_problems
    )
    assert last.count("fomaml-1 could not be saved: disk full") == 1
