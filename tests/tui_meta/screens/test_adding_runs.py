"""Another run is begun from the Watch screen, and joins the others on every screen."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.commands import Pause
from core.errors import RunFolderError
from core.session.api import Connection
from core.session.run_requests import AddRequest
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.grouped import grouped_session
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.pictures import picture, size_name
from tests.support.dashboard.saved_runs import answered
from tests.support.runs import PATIENCE
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.dialogs.new_run import NewRunDialog
from tui_meta.screens.page import Page
from tui_meta.views.dialogs.new_run import NewRun
from tui_meta.views.dialogs.new_run_form import NewRunForm
from tui_meta.views.keys.table import SCREEN_KEYS

pytestmark = pytest.mark.usefixtures("no_timers")

OPEN = {key.action.split("'")[1]: key.names for key in SCREEN_KEYS}


def begun(session: FakeSession, beside: str = "reptile-1", **changes: object) -> str:
    """Add a run as another client does, and let it train."""
    config = {**session.snapshots()[beside].config, "seed": 1, **changes}
    name = session.add(AddRequest(config=config, beside=beside))
    session.trainers[name].start()
    return name


async def test_a_run_is_begun_and_joins_the_others() -> None:
    session = FakeSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "plus")
        assert "━ another run, as FOMAML ━" in text
        assert "differs: seed 1 instead of 0" in text
        await press(pilot, "x", "escape")
        assert app.screen is app.watch_screen
        text = await press(pilot, "plus", "plus", "m", "e", "enter")
        assert "FOMAML seed 1 started: seed 1 instead of 0" in text
        assert not isinstance(app.screen, NewRunDialog)
        session.trainers["fomaml-me"].start()
        text = await settle(pilot)
        for name in ("FOMAML seed 0 ", "Reptile ", "FOMAML seed 1 "):
            assert re.search(rf"[⠒╍┅]{{2}} {name}", text)


async def test_the_form_has_the_settings_of_the_run_in_focus() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "shift+tab")  # the line of Reptile
        text = await press(pilot, "plus", *5 * ["down"])
        assert "━ another run, as Reptile ━" in text
        assert re.search(r"batch-size +10 ", text)
        assert "Meta-iterations; also the length of the learning-rate schedule" in text
        assert "must be a whole number from 1 to" in text


async def test_an_invalid_value_is_shown_at_once_and_starts_nothing() -> None:
    session = FakeSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await press(pilot, "plus", *4 * ["down"], "ctrl+u", "minus", "3")
        assert text.count("must be a whole number") == 2  # by the field, and below
        await press(pilot, "up", "enter")  # leads back to it
        assert "add" not in session.calls
        text = await press(pilot, "ctrl+u", "3", "enter")
        assert "FOMAML seed 3 started: seed 3 instead of 0" in text


async def test_a_refusal_stays_in_the_form_with_what_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    add = session.add

    def refuse(request: AddRequest) -> str:
        monkeypatch.setattr(session, "add", add)
        raise RunFolderError("checkpoints", "cannot create a run folder here (Read-only)")

    monkeypatch.setattr(session, "add", refuse)
    app = TuiMetaApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await press(pilot, "plus", "m", "enter")
        assert "checkpoints: cannot create a run folder here (Read-only)" in text
        assert "FOMAML seed 1 started" in await press(pilot, "enter")
        assert list(session.snapshots()) == ["fomaml-1", "reptile-1", "fomaml-m"]


async def test_a_form_that_is_closed_while_the_run_starts_still_reports_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session, gate = FakeSession(), threading.Event()
    add = session.add

    def add_late(request: AddRequest) -> str:
        assert gate.wait(PATIENCE)
        return add(request)

    monkeypatch.setattr(session, "add", add_late)
    app = TuiMetaApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "starting…" in await press(pilot, "plus", "enter", "enter", "x", answers=False)
        await press(pilot, "escape", answers=False)
        assert app.screen is app.watch_screen
        gate.set()
        assert "FOMAML seed 1 started" in await settle(pilot)
        assert session.calls.count("add") == 1


async def test_a_read_only_client_has_no_form() -> None:
    app = TuiMetaApp(FakeSession(connection=Connection(id="1", read_only=True)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "read-only session" in await press(pilot, "plus")
        assert app.screen is app.watch_screen


async def test_what_is_known_of_the_other_runs_stays() -> None:
    session = FakeSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "view frozen" in await press(pilot, "z")
        history = app.dashboard.history
        before = {run: len(history.validations[run]) for run in session.snapshots()}
        begun(session)
        await settle(pilot)
        assert app.dashboard.history is history
        assert {run: len(history.validations[run]) for run in before} == before
        text = await settle(pilot)
        assert "view live again" in text
        assert "Reptile seed 1" in text


async def test_the_waves_of_the_others_do_not_wait_for_it() -> None:
    session = FakeSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        added = begun(session)
        session.trainers[added].evaluate("validation", 1_000, 1_000)
        for run in ("fomaml-1", "reptile-1"):
            session.trainers[run].evaluate("validation", 19_000, 19_000)
        await settle(pilot)
        newest = app.dashboard.history.newest()
        assert [one.iteration for one in newest.values()] == [19_000, 19_000, 1_000]


async def test_the_fifth_run_gives_each_a_line_of_its_own() -> None:
    session = FakeSession({f"reptile-{number}": 2_000 for number in (1, 2, 3, 4)})
    for number, run in enumerate(session.snapshots()):
        session.change(run, config={**session.snapshots()[run].config, "seed": number})
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        begun(session, seed=9)
        text = await settle(pilot)
        assert "of 5 done" in text
        await press(pilot, "k", "k", "enter", "j", "space")
        assert len(session.commands(Pause)) == 1


async def test_a_further_seed_joins_the_opened_group() -> None:
    session = grouped_session(3, 0.005, 0.02)
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "k", "j", "enter")
        beside = session.snapshots()["reptile-4"]
        begun(session, "reptile-4", seed=3, algorithm=beside.config["algorithm"])
        text = await settle(pilot)
        assert "Reptile inner_lr=0.02 seed 3" in text
        assert app.watch_screen.focused_name == "run-3"
        text = await press(pilot, "escape")
        assert "of 4 done" in text


async def test_the_verdict_waits_for_an_added_run() -> None:
    session = CannedSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for run in ("fomaml-1", "reptile-1"):
            session.finish(run)
        await settle(pilot)
        verdicts = app.watch_screen.state.verdicts
        assert verdicts.current
        added = begun(session)
        await settle(pilot)
        assert verdicts.current is None
        session.finish(added)
        await settle(pilot)
        assert verdicts.current


@pytest.mark.usefixtures("saved_runs")
@pytest.mark.parametrize(
    ("name", "size"),
    [("lab", (200, 60)), ("time-machine", (80, 24)), ("geometry", (120, 40))],
    ids=str,
)
async def test_a_run_that_comes_while_another_screen_is_open_joins_it(
    name: str, size: tuple[int, int]
) -> None:
    session = CannedSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=size) as pilot:
        await answered(pilot, OPEN[name])
        begun(session)
        for _ in range(2):
            app.watch_screen.tick()
            page = app.screen
            assert isinstance(page, Page)
            page.tick()
            text = await answered(pilot)
        assert "Reptile seed 1" in text
        await answered(pilot, "w")
        app.watch_screen.tick()
        assert "Reptile seed 1" in await answered(pilot)


async def test_the_form(text_snapshot: SnapshotAssertion) -> None:
    session = FakeSession()
    runs = session.snapshots()
    form = NewRunForm(NewRun(runs["fomaml-1"], list(runs.values()), Path("."), "fomaml"))
    place = [one.key for one in form.fields].index("fomaml.outer_lr")
    async with TuiMetaApp(session).run_test() as pilot:
        await settle(pilot)
        await press(pilot, "plus", "x", *place * ["down"], "ctrl+u", "0")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert picture(pilot) == text_snapshot(name=size_name(size))
