"""The first run of a user: slowed down, with a line that says so and a key to let it go."""

import pytest

from core.commands import SetPace
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, press, settle
from tui_meta.app.application import TuiMetaApp

pytestmark = pytest.mark.usefixtures("no_timers")

SAID = "first run: 1,667 it/s, to watch it learn for 30 s"


@pytest.mark.parametrize("size", SIZES)
async def test_a_first_run_is_paced_says_so_and_one_key_lets_it_go(size: tuple[int, int]) -> None:
    session = FakeSession()
    async with TuiMetaApp(session, first_pace=1_667.0).run_test(size=size) as pilot:
        text = await settle(pilot)
        assert f"{SAID} · U: full speed" in text
        assert [one.pace for one in session.snapshots().values()] == [1_667, 1_667]
        assert "pace of FOMAML and Reptile: full speed" in await press(pilot, "U")
        assert session.sent[2:] == [(SetPace(None), "fomaml-1"), (SetPace(None), "reptile-1")]


async def test_other_runs_start_at_full_speed() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        assert "first run" not in await settle(pilot)
        assert session.sent == []
        assert "pace: full speed is the fastest" in await press(pilot, "U")
