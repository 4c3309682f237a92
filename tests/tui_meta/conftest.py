"""Dashboards are quick, and each test starts without an SSH connection."""

from pathlib import Path

import pytest
from textual._compositor import Compositor

from tests.support.dashboard.idle import render_update
from tests.support.dashboard.pages import STILL
from tests.support.dashboard.saved_runs import make_folders


@pytest.fixture(autouse=True, scope="session")
def quick(quick_dashboards: None) -> None:
    """All dashboards are quick."""


@pytest.fixture
def every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame is rendered, as in a terminal."""
    monkeypatch.setattr(Compositor, "render_update", render_update)


@pytest.fixture(autouse=True)
def no_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def unlimited_time_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result stays on its line, however long the next key of a test takes."""
    monkeypatch.setattr("tui_meta.views.messages.log.READ_SECONDS", 3_600.0)


@pytest.fixture
def saved_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder has what the runs of a ``FakeSession`` have saved."""
    make_folders(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer of its own on any screen: what is shown is the same however long it takes.

    Taking a picture sets the terminal's size in the environment; it must not stay there.
    """
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setattr("tui_meta.app.application.rates", lambda *_: STILL)
    monkeypatch.setattr("tui_meta.screens.page.TICK_SECONDS", 3_600)
    monkeypatch.setattr("tui_meta.screens.geometry.screen.FOLLOW_SECONDS", 3_600)
