"""Copies and screenshots in the user's state folder."""

from pathlib import Path

import pytest
from textual.driver import Driver

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch import press
from tests.support.homes import without_home
from tui_meta.app import application
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens import copies
from tui_meta.views.tabular import clipboard_sequences, without_clipboard


def test_a_copy_of_a_name_that_is_not_unicode_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "user_folder", lambda _: tmp_path)
    # A folder's name whose bytes are not UTF-8 has such characters.
    assert copies.keep_copy("runs", "run-\udcff").read_text() == "run-\\udcff"


def test_without_a_home_a_path_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    without_home(monkeypatch)
    assert copies.from_home(Path("/state/copies/a.tsv")) == "/state/copies/a.tsv"


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"STY": "1.pts", "TERM": "xterm"}, "GNU screen"),
        ({"TERM": "screen.xterm-256color"}, "GNU screen"),  # over ssh from within it
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux"}, ""),
        ({"STY": "1.pts", "TERM": "tmux-256color", "TMUX": "/tmp/tmux"}, ""),
        ({"TERM": "linux"}, "the Linux console"),
        ({"TERM": "xterm-256color"}, ""),
        ({}, ""),
    ],
)
def test_terminals_without_a_clipboard_are_known(environment: dict[str, str], name: str) -> None:
    assert without_clipboard(environment) == name


def test_text_that_is_not_unicode_can_be_copied() -> None:
    assert clipboard_sequences("run-\udcff", tmux=False)


@pytest.mark.parametrize(("sty", "copied"), [("", True), ("1.pts", False)])
async def test_a_copy_in_gnu_screen_goes_to_a_file_alone(
    monkeypatch: pytest.MonkeyPatch, sty: str, copied: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("TMUX", raising=False)
    if sty:
        monkeypatch.setenv("STY", sty)
    written: list[str] = []
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        driver = pilot.app._driver
        assert isinstance(driver, Driver)
        monkeypatch.setattr(driver, "write", written.append)
        monkeypatch.setattr(application, "driver_of", lambda _: driver)
        text = await press(pilot, "y")
    assert any("\x1b]52;" in one for one in written) is copied
    assert ("copied; also saved to" in text) is copied
    assert ("GNU screen has no clipboard; saved to" in text) is not copied
