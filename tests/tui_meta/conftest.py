"""What a dashboard has told the garbage collector does not outlive its test."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def ordinary_garbage_collection() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer of its own on any screen: what is shown is the same however long it takes.

    Taking a picture sets the terminal's size in the environment; it must not stay there.
    """
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setattr("tui_meta.screens.watch.TICK_SECONDS", 3_600)
    monkeypatch.setattr("tui_meta.screens.page.TICK_SECONDS", 3_600)
    monkeypatch.setattr("tui_meta.screens.geometry.FOLLOW_SECONDS", 3_600)
