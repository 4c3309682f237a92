"""A repaint of the dashboard sends few bytes, whatever the time it takes."""

import pytest
from textual.pilot import Pilot

from tests.tui_meta.fake_session import FakeSession
from tui_meta.app import TuiMetaApp
from tui_meta.thrifty.output import Output

BOUNDS = {(80, 24): 1300, (120, 40): 2100, (200, 60): 3000}
"""Bytes of the largest repaint: numbers, table, and another wave in every chart of waves."""

NUMBERS_BOUND = 400
"""Bytes of a repaint in which every number of the header is another one."""


async def sent(pilot: Pilot[None], output: Output) -> int:
    """Bytes of a repaint: all that is on the screen is written, as after a change of layout."""
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    app.watch_screen.tick()
    app.watch_screen.paint()
    await pilot.pause()
    frame = app.screen._compositor.render_full_update().render_segments(app.console)
    output.write(f"\x1b[?2026h\x1b[0m{frame}\x1b[1;1H\x1b[?2026l")
    return len(output.take().encode())


@pytest.mark.parametrize("size", BOUNDS, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_repaint_sends_what_changed(size: tuple[int, int]) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await pilot.press("e")  # the waves are seen at every size
        output = Output(*size)
        await sent(pilot, output)
        assert await sent(pilot, output) == 0
        for run in session.snapshots():
            session.change(run, iteration=13_457, loss=0.498, rate=4_118.0, elapsed=5.0)
        numbers = await sent(pilot, output)
        session.evaluate("random")
        everything = await sent(pilot, output)

        assert 0 < numbers <= NUMBERS_BOUND
        assert numbers < everything <= BOUNDS[size]
