"""The lines about each run at the top of the watch screen."""

import pytest

from core.commands import Pause, Resume
from core.events import Saved
from tests.support.dashboard.watch_state import started_session, watch_state
from tui_meta.views.run_status import page_title, run_lines
from tui_meta.views.text import cells, plain
from tui_meta.views.watch import commands


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("width", [1, 20, 47, 48, 60, 80, 100, 118, 200])
def test_a_run_takes_at_most_its_rows_at_any_width(rows: int, width: int) -> None:
    session = started_session()
    session.diverge("fomaml-1")
    for one in watch_state(session).dashboard.statuses:
        lines = run_lines(one, width, rows, 7)
        assert len(lines) <= rows
        assert all(cells(each) <= max(width, 48 * (width >= 48)) for each in lines)


def test_the_lines_of_a_run_show_state_count_rate_and_times() -> None:
    (_, reptile) = watch_state(started_session()).dashboard.statuses
    first, second = (plain(each) for each in run_lines(reptile, 118, 2, 7))
    for part in ("╍╍ Reptile", "training", "18,700 / 50,000", "37%", "3,912 it/s", "━", "─"):
        assert part in first
    for part in ("elapsed 0:04", "left 0:08", "loss 0.531", "0.120 at 15,000", "not saved"):
        assert part in second


def test_the_lines_of_a_run_show_its_newest_checkpoint_where_there_is_room() -> None:
    session = started_session()
    run = "reptile-1"

    def shown(width: int = 118) -> str:
        (_, reptile) = watch_state(session).dashboard.statuses
        return plain(run_lines(reptile, width, 2, 7)[1])

    assert "not saved yet" in shown()
    session.publish(Saved(run=run, iteration=12_000, time=0.0, path="a/000012000.safetensors"))
    assert "saved at 12,000" in shown()
    assert "saved" not in shown(100)
    assert "0.120 at 15,000" in shown(100)


def test_a_command_is_shown_as_pending_until_the_run_answers() -> None:
    session = started_session()
    state = watch_state(session)
    planned = commands.pause_or_resume(
        state.scope("run-0"), state.dashboard.history.wanted, state.dashboard.titles
    )
    state.show_command(planned)
    assert [one.word for one in state.dashboard.statuses] == ["pausing…", "training"]
    seen = len(session.events(0))
    session.send(Pause(), "fomaml-1")
    state.dashboard.update(session.events(seen), session.snapshots())
    assert [one.word for one in state.dashboard.statuses] == ["paused", "training"]


def test_a_key_pressed_again_before_the_next_snapshot_reverses_the_first_press() -> None:
    session = started_session()
    state, before = watch_state(session), session.snapshots()
    state.show_command(
        commands.pause_or_resume(
            state.scope(None), state.dashboard.history.wanted, state.dashboard.titles
        )
    )
    seen = len(session.events(0))
    session.send(Pause(), "fomaml-1")
    state.dashboard.update(session.events(seen), before)
    again = commands.pause_or_resume(
        state.scope(None), state.dashboard.history.wanted, state.dashboard.titles
    )
    assert [type(command) for _, command in again.commands] == [Resume, Resume]


@pytest.mark.parametrize("width", range(20, 90))
def test_the_title_of_a_page_keeps_its_name_whole(width: int) -> None:
    statuses = watch_state(started_session()).dashboard.statuses
    assert plain(page_title("Runs", statuses, width)).startswith("tui-meta  ·  Runs")
