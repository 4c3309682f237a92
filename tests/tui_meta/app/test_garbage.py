"""Garbage is searched for at known moments, and never in what imported modules hold."""

from pathlib import Path

import pytest

from core.session.local import LocalSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.garbage import collect_garbage, freeze_modules


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The calls of ``gc.freeze``, none of which takes effect."""
    calls: list[int] = []
    monkeypatch.setattr("tui_meta.app.garbage.gc.freeze", lambda: calls.append(1))
    return calls


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The generations that are searched."""
    generations: list[int] = []
    monkeypatch.setattr("tui_meta.app.garbage.gc.collect", generations.append)
    monkeypatch.setattr("tui_meta.app.garbage.gc.get_freeze_count", lambda: 1)
    return generations


@pytest.mark.parametrize(
    ("count", "generations"),
    [((9_000, 21, 0), []), ((11_000, 20, 0), [0]), ((11_000, 21, 0), [1]), ((11_000, 0, 101), [2])],
)
def test_what_is_older_is_searched_more_seldom(
    count: tuple[int, ...],
    generations: list[int],
    searched: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui_meta.app.garbage.gc.get_count", lambda: count)
    collect_garbage()
    assert searched == generations


@pytest.mark.usefixtures("no_timers")
async def test_no_garbage_is_searched_for_while_a_key_is_handled(
    searched: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test() as pilot:
        await settle(pilot)
        monkeypatch.setattr("tui_meta.app.garbage.gc.get_count", lambda: (11_000, 0, 0))
        monkeypatch.setattr(app, "_key_started", 0.0)
        app._collect_garbage()
        assert searched == []
        monkeypatch.setattr(app, "_key_started", None)
        app._collect_garbage()
        assert searched == [0]


@pytest.mark.usefixtures("no_timers")
async def test_modules_are_frozen_once_the_runs_are_loaded(
    monkeypatch: pytest.MonkeyPatch, frozen: list[int]
) -> None:
    session = FakeSession()
    begin = session.start
    monkeypatch.setattr(session, "start", lambda: None)
    monkeypatch.setattr("tui_meta.app.application.in_background", lambda work: work())
    app = TuiMetaApp(session)
    monkeypatch.setattr(app, "set_timer", lambda _, call: call())
    async with app.run_test() as pilot:
        await settle(pilot)
        assert not frozen
        begin()
        await settle(pilot)
        await settle(pilot)
        assert len(frozen) == 1


@pytest.mark.usefixtures("no_timers")
async def test_modules_are_frozen_where_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: list[int]
) -> None:
    app = TuiMetaApp(LocalSession([]), sweep=tmp_path)
    monkeypatch.setattr(app, "set_timer", lambda _, call: call())
    async with app.run_test():
        assert len(frozen) == 1


@pytest.mark.usefixtures("no_timers")
async def test_modules_of_a_screen_are_frozen_after_it_was_first_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test() as pilot:
        later: list[object] = []
        monkeypatch.setattr(app, "set_timer", lambda _, call: later.append(call))
        for name in ("messages", "watch", "messages"):
            app.action_visit(name)
            await pilot.pause()
        assert later.count(freeze_modules) == 1
