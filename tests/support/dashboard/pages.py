"""What tests of the further screens share: opening one, pressing keys, reading what is shown."""

from __future__ import annotations

import msgspec
from textual.pilot import Pilot

from tests.support.dashboard.watch import workers_done
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.page import Page
from tui_meta.upstream.repaint import rendered
from tui_meta.views.rates import LOCAL

STILL = msgspec.structs.replace(LOCAL, tick=3_600, fast_polls=0, rest=0)
"""Rates at which the watch screen does nothing by itself."""

SIZES = [(80, 24), (120, 40), (200, 60)]


def shown(pilot: Pilot[None]) -> str:
    """Return the screen as text of its size."""
    app = pilot.app
    rows = rendered(app.screen)
    assert len(rows) == app.size.height
    assert all(row.cell_length == app.size.width for row in rows)
    return "\n".join(row.text for row in rows)


async def settle(pilot: Pilot[None], *, answers: bool = True) -> str:
    """Let everything that was asked be answered, and painted; gives the screen."""
    await pilot.pause()
    await _settle(pilot, answers)
    return shown(pilot)


async def press(pilot: Pilot[None], *keys: str, answers: bool = True) -> str:
    """Press keys; gives the screen once all is answered."""
    for key in keys:
        await pilot.press(key)
        await _settle(pilot, answers)
    return shown(pilot)


async def _settle(pilot: Pilot[None], answers: bool) -> None:
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    app.watch_screen.tick()
    while app.watch_screen.paints_later:
        await pilot.pause()
    for _ in range(5):  # what is painted may ask for more
        if answers:
            await workers_done(pilot)
        if isinstance(app.screen, Page):
            app.screen.tick()
        await pilot.pause()
        if not any(worker.is_running for worker in app.workers):
            break
