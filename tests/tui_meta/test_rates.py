"""A terminal far away is repainted less often."""

import pytest

from tests.tui_meta.fake_session import FakeSession
from tui_meta.app import TuiMetaApp
from tui_meta.views.rates import AT_HAND, FAR_AWAY, rates


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY"])
def test_a_remote_terminal_is_repainted_at_most_four_times_a_second(variable: str) -> None:
    far = rates({variable: "10.0.0.1 22"})
    assert far == FAR_AWAY
    assert 1 / far.tick <= 4
    assert not far.looks  # or else they would come between the ticks


def test_a_terminal_at_hand_is_not_held_back() -> None:
    assert rates({"TERM": "xterm", "SSH_TTY": ""}) == AT_HAND


@pytest.mark.parametrize("environment", [{}, {"SSH_TTY": "/dev/pts/1"}])
@pytest.mark.parametrize("fps", [0.1, 0.5, 1, 4, 10, 30, 60])
def test_a_person_chooses_how_often_whatever_the_connection(
    fps: float, environment: dict[str, str]
) -> None:
    chosen, usual = rates(environment, fps), rates(environment)
    assert chosen.tick == pytest.approx(1 / fps)
    assert chosen.hurry >= min(1 / fps, 1 / 50)
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
    assert app.watch_screen.rates == FAR_AWAY


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
        for _ in range(FAR_AWAY.wave_ticks):
            app.watch_screen.tick()
        assert sorted(painted[-1]) == sorted(app.watch_screen.watching.arrangement.panels)
