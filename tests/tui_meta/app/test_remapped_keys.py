"""Texts name the keys to which the user has moved actions."""

from __future__ import annotations

import pytest

from core.events import Finished
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import press, settle
from tests.support.run_folders import run_summary
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.views.keys.concepts import concepts
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.keymap import key_in
from tui_meta.views.keys.table import mapped_groups
from tui_meta.views.keys.watch import GROUPS
from tui_meta.views.messages.log import MessageLog
from tui_meta.views.runs.details import cannot_resume
from tui_meta.views.text import plain
from tui_meta.views.watch import commands

ELSEWHERE = {
    "pause": "P",
    "step": "M",
    "continue": "C",
    "quit": "Q",
    "help": "H",
    "watch": "O",
    "battery start": "A",
    "battery open": "U",
    "geometry newest": "E",
    "lab setting": "S",
    "lab less": "D",
    "lab change": "F",
    "lab type": "Y",
    "lab freeze": "X",
}
NAMES = {"fomaml-1": "FOMAML", "reptile-1": "Reptile"}

KEY = key_in(ELSEWHERE)


def test_an_order_that_is_refused_names_the_keys_there_are() -> None:
    session = FakeSession({"fomaml": 12_300, "reptile": 18_700})
    session.start()
    runs = list(session.snapshots().values())
    refused = commands.step(runs, {}, NAMES, key=KEY).message
    assert refused.startswith("M steps paused runs")
    assert refused.endswith("pause first (P)")
    assert commands.extend(runs, NAMES, KEY).message.startswith("C continues finished runs")
    for run in NAMES:
        session.change(run, state="finished")
    runs = list(session.snapshots().values())
    assert commands.pause_or_resume(runs, {}, NAMES, KEY).message.endswith("; C: continue")


def test_the_end_of_a_run_names_the_key_that_continues_it() -> None:
    messages = MessageLog()
    messages.key = KEY
    messages.add_event(Finished(run="a", iteration=9, time=0.0))
    assert "C: continue" in messages.all[-1].text


def test_a_run_of_this_session_names_the_keys_to_it() -> None:
    said = cannot_resume(run_summary("a"), KEY, is_here=True)
    assert said == "already in this session (O)"


def test_the_help_names_them() -> None:
    about = concepts("Watch", KEY)
    lines = help_lines({}, 300, mapped_groups(GROUPS, ELSEWHERE), about)
    text = " ".join(map(plain, lines))
    assert "Without one, P, M, s, C, < and > act on all runs" in text


@pytest.mark.usefixtures("saved_runs", "no_timers")
async def test_every_screen_names_them() -> None:
    app = TuiMetaApp(CannedSession(), Preferences(keys=ELSEWHERE))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "Q: quit · H: help" in await press(pilot, "escape")
        lab = await press(pilot, "a")
        assert "S: select · D/F: change · Y: type" in lab
        assert "θ (X: freeze)" in lab
        assert "θ (X: unfreeze)" in await press(pilot, "X")
        battery = await press(pilot, "b")
        assert "Press A to start" in battery
        assert "which U opens in the Lab" in " ".join(battery.split())
        assert "E: newest iteration" in await press(pilot, "v", "z", "z")
