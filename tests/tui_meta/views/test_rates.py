"""A terminal far away is repainted less often."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.timer import Timer

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.pages import PAGES
from tui_meta.app.preferences import Preferences
from tui_meta.screens.page import Page
from tui_meta.views.rates import (
    BEHIND_SECONDS,
    LOCAL,
    OVER_SSH,
    RECOVERY_SECONDS,
    SLOWEST,
    Throttle,
    rates,
)

BEHIND = 100.0
"""Seconds that no terminal needs to show a screen."""


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY"])
def test_a_remote_terminal_is_repainted_at_most_four_times_a_second(variable: str) -> None:
    far = rates({variable: "10.0.0.1 22"})
    assert far == OVER_SSH
    assert 1 / far.tick <= 4
    assert not far.fast_polls  # or else they would come between the ticks


def test_a_local_terminal_is_not_slowed_down() -> None:
    assert rates({"TERM": "xterm", "SSH_TTY": ""}) == LOCAL


@pytest.mark.parametrize("environment", [{}, {"SSH_TTY": "/dev/pts/1"}])
@pytest.mark.parametrize("fps", [0.1, 0.5, 1, 4, 10, 30, 60])
def test_the_chosen_rate_applies_to_any_connection(fps: float, environment: dict[str, str]) -> None:
    chosen, usual = rates(environment, fps), rates(environment)
    assert chosen.tick == pytest.approx(1 / fps)
    assert chosen.fast_tick >= min(1 / fps, 1 / 50)
    for name in ("number_ticks", "panel_ticks", "wave_ticks"):
        ticks = getattr(chosen, name)
        assert ticks >= 1
        if fps >= 10:  # as often as usual, in seconds
            expected = getattr(usual, name) * usual.tick
            assert ticks * chosen.tick == pytest.approx(expected, abs=chosen.tick)
    assert chosen.panels_at_once * chosen.panel_ticks >= 9


async def test_the_dashboard_takes_its_rates_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSH_TTY", "/dev/pts/1")
    app = TuiMetaApp(FakeSession())
    assert app.dashboard.rates == OVER_SSH


async def test_far_away_a_tick_paints_every_panel_that_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSH_TTY", "/dev/pts/1")
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.watch_screen.paint()
        painted: list[list[str]] = []
        monkeypatch.setattr(
            app.watch_screen, "_paint_panels", lambda panels: painted.append(list(panels))
        )
        for _ in range(OVER_SSH.wave_ticks):
            app.watch_screen.tick()
        assert sorted(painted[-1]) == sorted(app.watch_screen.state.arrangement.panels)


def throttled(looks: int, backlog: float, throttle: Throttle | None = None) -> Throttle:
    """A throttle that has looked so often at a terminal that was behind."""
    throttle = throttle or Throttle(tick=0.25)
    for _ in range(looks):
        throttle.update(backlog)
    return throttle


def test_a_terminal_that_keeps_up_is_repainted_as_often_as_usual() -> None:
    assert throttled(100, 0.9 * BEHIND_SECONDS).factor == 1


def test_a_terminal_that_does_not_take_the_bytes_is_repainted_ever_more_rarely() -> None:
    throttle = Throttle(tick=0.25)
    times = [throttled(1, BEHIND, throttle).factor for _ in range(5)]
    assert times == [2, 4, 8, 8, 8]


def test_what_has_slowed_down_is_left_at_that_while_it_suffices() -> None:
    throttle = throttled(1, BEHIND_SECONDS)
    assert throttled(100, 1.5 * BEHIND_SECONDS, throttle).factor == 2


def test_a_terminal_that_takes_the_bytes_again_is_repainted_as_often_as_before() -> None:
    throttle = throttled(3, BEHIND)
    calm = round(RECOVERY_SECONDS / 0.25)
    times = [throttled(calm, 0.0, throttle).factor for _ in range(4)]
    assert times == [4, 2, 1, 1]


def test_one_late_repaint_restarts_the_count_of_timely_ones() -> None:
    throttle = throttled(1, BEHIND)
    calm = round(RECOVERY_SECONDS / 0.25)
    throttled(calm - 1, 0.0, throttle)
    throttled(1, BEHIND_SECONDS, throttle)
    assert throttled(calm - 1, 0.0, throttle).factor == 2
    assert throttled(1, 0.0, throttle).factor == 1


@given(st.lists(st.floats(0, 60)), st.sampled_from([0.02, 0.1, 0.25, 1, 10]))
def test_whatever_the_terminal_does_the_rate_comes_back(backlogs: list[float], tick: float) -> None:
    throttle = Throttle(tick)
    for backlog in backlogs:
        throttle.update(backlog)
        assert 1 <= throttle.factor <= SLOWEST
    assert throttled(3 * round(RECOVERY_SECONDS / tick + 1), 0.0, throttle).factor == 1


def fall_behind(pilot: Pilot[None], seconds: float) -> None:
    """The terminal does not take what it is sent, for so long already."""
    pilot.app._driver.backlog = seconds  # type: ignore[union-attr]


async def test_the_watch_screen_repaints_more_rarely_while_the_terminal_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = app.watch_screen
        painted: list[int] = []
        monkeypatch.setattr(screen, "paint_messages", lambda: painted.append(1))

        def repaints(ticks: int) -> int:
            painted.clear()
            for _ in range(ticks):
                screen.tick()
            return len(painted)

        ticks = 10 * LOCAL.number_ticks * SLOWEST
        repaints(1)  # of what has happened at the start
        usual = repaints(ticks)
        fall_behind(pilot, BEHIND)
        repaints(ticks)
        assert repaints(ticks) == usual / SLOWEST
        painted.clear()
        await pilot.press("space")
        assert painted  # a key is answered at once
        fall_behind(pilot, 0.0)
        repaints(ticks)
        assert repaints(ticks) == usual


@pytest.mark.usefixtures("no_timers")
@pytest.mark.parametrize("page", PAGES)
async def test_every_other_screen_repaints_more_rarely_while_the_terminal_is_behind(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(CannedSession())
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_visit(page)
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, Page)
        painted: list[int] = []
        monkeypatch.setattr(screen, "paint", lambda: painted.append(1))
        app.dashboard.throttle = throttled(3, BEHIND)
        for _ in range(2 * SLOWEST):
            screen._timer_tick()
        assert len(painted) == 2
        screen.tick()
        assert len(painted) == 3


@pytest.mark.parametrize(("fps", "expected"), [(0.5, 2.0), (1, 1.0), (30, 0.5)])
async def test_no_screen_is_repainted_more_often_than_the_chosen_rate(
    fps: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: dict[str, float] = {}
    set_interval = Page.set_interval

    def noting(page: Page, interval: float, callback: Callable[[], None], **named: Any) -> Timer:
        begun[callback.__name__] = interval
        return set_interval(page, interval, callback, **named)

    monkeypatch.setattr(Page, "set_interval", noting)
    app = TuiMetaApp(CannedSession(), Preferences(fps=fps))
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_visit("messages")
        await pilot.pause()
        assert begun["_timer_tick"] == expected
