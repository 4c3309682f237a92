"""Waiting for an application that is tested, in a sixth of the time that Textual's pilot waits."""

from __future__ import annotations

import asyncio

from textual._context import active_app

from tui_meta.app.application import TuiMetaApp

STEP, STEPS = 0.001, 3
"""Seconds between looks, and how many of them must find nothing to do."""


async def wait_for_idle(min_sleep: float = STEP * STEPS, max_sleep: float = 1.0) -> None:
    """Wait until no callback is ready, and all keys have taken effect.

    Textual 8.2.8 waits for 20 ms in which the process takes less than one of processor time: for
    most of a test. Its timers, too, cost what they paint meanwhile.
    """
    loop = asyncio.get_running_loop()
    began, found = loop.time(), 0
    while found < STEPS or loop.time() - began < min_sleep:
        if loop.time() - began > max_sleep:
            return
        await asyncio.sleep(STEP)
        found = 0 if is_busy(loop) else found + 1


def is_busy(loop: asyncio.AbstractEventLoop) -> bool:
    """Return True if something is ready, or waits for the next repaint as a key does."""
    app = active_app.get(None)
    if isinstance(app, TuiMetaApp) and (app.has_pending_keys or app.screen._callbacks):
        return True
    return bool(loop._ready)  # type: ignore[attr-defined]
