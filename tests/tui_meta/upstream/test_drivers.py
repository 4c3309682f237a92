"""Textual's driver still has the faults that are worked around."""

from types import SimpleNamespace
from typing import Any

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui_meta.upstream.drivers import driver_of, drop_empty_no_color, drop_stale_size


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A driver without a terminal, which records what it does."""
    driver: Any = object.__new__(LinuxDriver)
    driver.done = []
    driver._auto_restart = True
    driver._must_signal_resume = False
    monkeypatch.setattr(driver, "suspend_application_mode", lambda: driver.done.append("suspend"))
    monkeypatch.setattr(driver, "resume_application_mode", lambda: driver.done.append("resume"))
    return driver


def test_textual_still_enters_the_terminal_twice_after_a_stop_without_sigtstp(driver: Any) -> None:
    driver._sigcont_application()
    assert driver.done == ["resume"]


def test_textual_still_draws_nothing_after_a_stop(driver: Any) -> None:
    calls: list[object] = []
    driver._app = SimpleNamespace(call_later=lambda *call, **_: calls.append(call))
    driver._must_signal_resume = True
    driver._sigcont_application()
    assert calls == []


def test_textual_still_only_panics_when_the_thread_that_reads_keys_fails(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError

    calls: list[object] = []
    panic = object()
    driver._app = SimpleNamespace(call_later=lambda call, *_: calls.append(call), panic=panic)
    monkeypatch.setattr(driver, "run_input_thread", fail)
    driver._run_input_thread()
    assert calls == [panic]


def test_textual_still_believes_the_size_in_the_environment(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "123")
    monkeypatch.setenv("LINES", "45")
    assert driver._get_terminal_size() == (123, 45)
    drop_stale_size()
    assert driver._get_terminal_size() != (123, 45)


def test_textual_still_has_no_public_way_to_the_driver() -> None:
    app = App[None]()
    public = [name for name in dir(app) if not name.startswith("_") and "driver" in name]
    assert public == ["driver_class", "get_driver_class"]
    assert driver_of(app) is None


def test_textual_still_takes_an_empty_no_color_for_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert App[None]().no_color
    monkeypatch.setenv("NO_COLOR", "")
    drop_empty_no_color()
    assert not App[None]().no_color
