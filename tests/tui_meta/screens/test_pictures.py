"""Every screen as a picture: at each size, in colour, without colour and in ASCII.

Pictures in colour are SVG, to be looked at. The others are text, with a letter for the style of
each cell below it: what differs is read in a diff, and they take a tenth of the room.
"""

from __future__ import annotations

import string
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.style import Style
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.saved_runs import make_folders
from tests.support.run_folders import evaluated, make_run
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences

pytestmark = pytest.mark.usefixtures("calm")

SCENES = {
    "watch": ("e", "s", "L"),
    "lab": ("a", "shift+tab", "minus", *["comma"] * 20),
    "time-machine": ("t", "left"),
    "battery": ("b",),
    "survey": ("b", "enter", "down", "down"),
    "geometry": ("v",),
    "runs": ("f", "space"),
    "run": ("f", "enter"),
    "curves": ("f", "space", "space", "space", "c"),
    "messages": ("s", "e", "1", "m"),
    "palette": ("colon", *"ev"),
    "help": ("question_mark",),
}
"""The keys that lead to each picture."""

SMALL = (60, 15)
TOO_SMALL = (39, 9)

MODES: dict[str, tuple[dict[str, str], Preferences]] = {
    "no-color": ({"NO_COLOR": "1"}, Preferences()),
    "ascii": ({}, Preferences(ascii=True)),
}
"""What is in the environment, and what was preferred."""

COLORLESS = {"bold", "dim", "italic", "underline", "reverse"}

TEXT_SIZES = {"no-color": [*reversed(SIZES), SMALL, TOO_SMALL], "ascii": [*reversed(SIZES)]}


class TextPicture(SingleFileSnapshotExtension):
    """A text file for each picture."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


def named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


every_scene = pytest.mark.parametrize("scene", SCENES)


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs with checkpoints and one that learned less, at a time that stands still."""
    make_folders(tmp_path)
    worse = [evaluated(at, 4.0, 4 / (1 + at / 2_000)) for at in range(0, 9_000, 500)]
    make_run(tmp_path / "checkpoints" / "fomaml-0", worse)
    monkeypatch.chdir(tmp_path)
    clock = types.SimpleNamespace(
        time=lambda: 5_000.0, strftime=time.strftime, localtime=time.gmtime
    )
    for module in ("tui_meta.screens.runs.screen", "tui_meta.views.messages.log"):
        monkeypatch.setattr(f"{module}.time", clock)


@every_scene
@pytest.mark.parametrize("size", SIZES, ids=named)
def test_in_colour(snap_compare: Callable[..., bool], scene: str, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await press(pilot, *SCENES[scene])

    assert snap_compare(TuiMetaApp(CannedSession()), terminal_size=size, run_before=look)


@pytest.mark.parametrize("mode", MODES)
@every_scene
async def test_as_text(
    snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, scene: str, mode: str
) -> None:
    variables, preferred = MODES[mode]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with TuiMetaApp(CannedSession(), preferred).run_test(size=SIZES[-1]) as pilot:
        await settle(pilot)
        await press(pilot, *SCENES[scene])
        for size in TEXT_SIZES[mode]:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            drawn = picture(pilot)
            if mode == "ascii":
                assert drawn.isascii()
            else:
                assert styles(drawn) <= COLORLESS
            if size == TOO_SMALL and scene not in ("palette", "help"):
                assert "please enlarge" in drawn
            assert snapshot(name=named(size), extension_class=TextPicture) == drawn


def styles(drawn: str) -> set[str]:
    """All words of the styles in a picture."""
    lines = drawn.rpartition("styles:\n")[2].splitlines()
    return {word for line in lines for word in line.split()[1:]}


def picture(pilot: Pilot[None]) -> str:
    """The screen as text; below it a letter for the style of each cell, and what letters mean."""
    app, letters = pilot.app, Letters()
    rows = app.screen._compositor.render_strips(app.size)
    texts = [row.text.rstrip() for row in rows]
    marks = [
        "".join(letters.of(char, one.style) for one in row for char in one.text).rstrip()
        for row in rows
    ]
    return "\n".join([*texts, "marks:", *marks, "styles:", *letters.lines, ""])


class Letters:
    """A letter for each style, in the order in which they are met."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def of(self, char: str, style: Style | None) -> str:
        """The letter; a blank where no style is seen."""
        said = _said(style or Style(), is_blank=char == " ")
        if not said:
            return " "
        return self._letters.setdefault(said, string.ascii_letters[len(self._letters)])

    @property
    def lines(self) -> list[str]:
        """What each letter means."""
        return [f"{letter}: {said}" for said, letter in self._letters.items()]


def _said(style: Style, *, is_blank: bool) -> str:
    """A style as words; of a blank, what is seen of it."""
    front, back = (
        color.name if color and not color.is_default else ""
        for color in (style.color, style.bgcolor)
    )
    words = [name for name in ("underline", "reverse") if getattr(style, name)]
    if not is_blank:
        words += [name for name in ("bold", "dim", "italic") if getattr(style, name)]
    if front and (style.reverse or not is_blank):
        words.append(front)
    return " ".join([*words, *([f"on {back}"] if back else [])])
