"""Every screen as a picture: at each size, in colour, without colour and in ASCII."""

from __future__ import annotations

import time
import types
from itertools import groupby
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.events import AnyEvent
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import SIZES, settle
from tests.support.dashboard.pictures import picture, size_name, style_words
from tests.support.dashboard.saved_runs import make_folders
from tests.support.run_folders import evaluated, make_run, progress, validated
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences

pytestmark = pytest.mark.usefixtures("no_timers")

SCENES = {
    "watch": ("e", "s", "L"),
    "lab": ("a", "shift+tab", "minus", *["comma"] * 20),
    "time-machine": ("t", "left"),
    "battery": ("b",),
    "survey": ("b", "e", "down", "down"),
    "geometry": ("v",),
    "runs": ("f", "M"),
    "run": ("f", "enter"),
    "curves": ("f", "M", "M", "M", "C"),
    "sweep": ("V",),
    "messages": ("s", "e", "1", "m"),
    "palette": ("colon", *"ev"),
    "help": ("question_mark",),
}
"""The keys that lead to each picture."""

SMALL = (60, 15)
TOO_SMALL = (39, 9)

MODES: dict[str, tuple[dict[str, str], Preferences]] = {
    "color": ({}, Preferences()),
    "no-color": ({"NO_COLOR": "1"}, Preferences()),
    "ascii": ({}, Preferences(ascii=True)),
}
"""Environment variables and preferences."""

COLORLESS = {"bold", "dim", "italic", "underline", "reverse"}

FROM_LARGE = tuple(reversed(SIZES))
MODE_SIZES = {
    "color": FROM_LARGE,
    "no-color": (*FROM_LARGE, SMALL, TOO_SMALL),
    "ascii": FROM_LARGE,
}


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs with checkpoints and one that learned less, under a clock that does not advance."""
    make_folders(tmp_path)
    worse: list[AnyEvent] = [progress(at, 2 / at**0.3) for at in range(100, 9_000, 100)]
    for at in range(0, 9_000, 500):
        loss = 4 / (1 + at / 2_000)
        worse += [evaluated(at, 4.0, loss), validated(at, 4.0, loss)]
    make_run(tmp_path / "checkpoints" / "fomaml-0", worse)
    monkeypatch.chdir(tmp_path)
    clock = types.SimpleNamespace(
        time=lambda: 5_000.0, strftime=time.strftime, localtime=time.gmtime
    )
    for module in ("tui_meta.screens.runs.screen", "tui_meta.views.messages.log"):
        monkeypatch.setattr(f"{module}.time", clock)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scene", SCENES)
async def test_every_screen_at_every_size(
    text_snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, scene: str, mode: str
) -> None:
    variables, preferences = MODES[mode]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with TuiMetaApp(CannedSession(), preferences).run_test(size=SIZES[-1]) as pilot:
        await settle(pilot)
        for _, same in groupby(SCENES[scene]):
            await pilot.press(*same)
            await settle(pilot)
        for size in MODE_SIZES[mode]:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            drawn = picture(pilot)
            if mode == "ascii":
                assert drawn.isascii()
            if mode == "no-color":
                assert style_words(drawn) <= COLORLESS
            if size == TOO_SMALL and scene not in ("palette", "help"):
                assert "please enlarge" in drawn
            assert drawn == text_snapshot(name=size_name(size))
