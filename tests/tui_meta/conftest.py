"""Each test starts with a default garbage collector and without an SSH connection."""

import functools
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

from tests.support.dashboard.idle import wait_for_idle
from tests.support.dashboard.pages import STILL
from tests.support.dashboard.saved_runs import make_folders
from tui_meta.widgets.canvas import _Lines


@pytest.fixture(autouse=True, scope="session")
def quick_waits() -> Iterator[None]:
    """The pilot of an application waits no longer than there is something to do."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("pilot", "app"):
            patch.setattr(f"textual.{module}.wait_for_idle", wait_for_idle)
        yield


@pytest.fixture(autouse=True, scope="session")
def shared_rules() -> Iterator[None]:
    """Applications of the same theme share parsed style sheets, a fifth of the time of a test."""
    caches: dict[frozenset[tuple[str, str]], LRUCache[tuple[object, ...], object]] = {}
    make, set_variables = Stylesheet.__init__, Stylesheet.set_variables

    def share(sheet: Stylesheet) -> None:
        of = frozenset(sheet._variables.items())
        sheet._parse_cache = caches.setdefault(of, LRUCache(1_024))  # type: ignore[assignment]

    def made(sheet: Stylesheet, *, variables: dict[str, str] | None = None) -> None:
        make(sheet, variables=variables)
        share(sheet)

    def varied(sheet: Stylesheet, variables: dict[str, str]) -> None:
        sheet._parse_cache = LRUCache(1)
        set_variables(sheet, variables)
        share(sheet)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "__init__", made)
        patch.setattr(Stylesheet, "set_variables", varied)
        yield


@pytest.fixture(autouse=True, scope="session")
def plain_caches() -> Iterator[None]:
    """Each piece of a line has seven caches, which take longer to make than they save in tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textual.strip.FIFOCache", lambda maxsize: {})
        yield


@pytest.fixture(autouse=True, scope="session")
def shared_drawings() -> Iterator[None]:
    """The same lines are drawn once for all tests: another tenth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Lines, "draw", functools.lru_cache(2_048)(_Lines.draw))
        yield


@pytest.fixture(autouse=True, scope="session")
def ordinary_garbage_collection() -> Iterator[None]:
    """Dashboards exempt nothing from it: what they leave would stay to the end of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        none = types.SimpleNamespace(freeze=lambda: None, set_threshold=lambda *_: None)
        patch.setattr("tui_meta.app.pages.gc", none)
        yield


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
