"""Waiting for an application that is tested, in a sixth of the time that Textual's pilot waits.

What changes until then is painted once. Textual paints up to sixty frames a second meanwhile, which
a test without a terminal cannot see, and which are more or fewer on each machine.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App
from textual.pilot import Pilot

from tui_meta.app.application import TuiMetaApp

STEP, STEPS = 0.001, 3
"""Seconds between looks, and how many of them must find nothing to do."""

render_update = Compositor.render_update
"""Textual's own."""


async def wait_for_idle(min_sleep: float = STEP * STEPS, max_sleep: float = 1.0) -> None:
    """Wait until no callback is ready, and all keys have taken effect; then paint.

    Textual 8.2.8 waits for 20 ms in which the process takes less than one of processor time: for
    most of a test. Its timers, too, cost what they paint meanwhile. Looks are counted instead of
    seconds, which also pass while the machine does something else.
    """
    loop = asyncio.get_running_loop()
    looks = found = 0
    while (found < STEPS or looks * STEP < min_sleep) and looks * STEP < max_sleep:
        await asyncio.sleep(STEP)
        looks += 1
        found = 0 if is_busy(loop) else found + 1
    paint(active_app.get(None))


async def wait_for_screen(pilot: Pilot[None], timeout: float = 30.0) -> bool:
    """Wait until the application and its screen have handled what was sent to them so far.

    Textual 8.2.8 asks every widget, with some thirty messages a key: a twentieth of the time of a
    test. Widgets await nothing in a handler, so that `wait_for_idle` waits for them.
    """
    app, handled = pilot.app, asyncio.Event()
    if not app.screen_stack:
        return False
    screen = app.screen

    def ask_screen() -> None:
        if not screen.call_later(handled.set):
            handled.set()

    if not app.call_later(ask_screen):
        return True
    ends = [asyncio.ensure_future(one.wait()) for one in (handled, app._exception_event)]
    _, pending = await asyncio.wait(ends, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for one in pending:
        one.cancel()
    assert len(pending) < len(ends), "messages are not handled"
    return handled.is_set()


def is_busy(loop: asyncio.AbstractEventLoop) -> bool:
    """Return True if something is ready, or waits for the next repaint as a key does."""
    app = active_app.get(None)
    if isinstance(app, TuiMetaApp) and (app.has_pending_keys or app.screen._callbacks):
        return True
    return bool(loop._ready)  # type: ignore[attr-defined]


def render_later(compositor: Compositor, full: bool = False, **more: Any) -> RenderableType | None:
    """Leave what has changed to `paint` where no terminal shows it, else render it."""
    app = active_app.get(None)
    if app is not None and app.is_headless and not full:
        return None
    return render_update(compositor, full, **more)


def paint(app: App[object] | None) -> None:
    """Render what has changed; an error ends the application, as in its own frames."""
    if app is None or not app.is_headless or not app.screen_stack:
        return
    compositor = app.screen._compositor
    if compositor._dirty_regions:
        try:
            render_update(compositor, screen_stack=app._background_screens)
        except Exception as error:
            app._handle_exception(error)
