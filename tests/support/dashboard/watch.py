"""Helpers for tests of the watch screen: press keys, wait until it is painted, read it."""

from __future__ import annotations

from contextlib import suppress

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from core.remote.client import RemoteSession
from tui_meta.app.application import TuiMetaApp
from tui_meta.upstream.repaint import rendered

FOMAML, REPTILE = "fomaml-1", "reptile-1"

_ATTEMPTS = 100
"""Times that a busy machine may need to lay a screen out after a resize."""


def shown(app: TuiMetaApp) -> str:
    """Return the screen as text."""
    width, height = app.size
    rows = rendered(app.screen)
    assert len(rows) == height
    assert all(row.cell_length == width for row in rows)
    return "\n".join(row.text for row in rows)


async def settle(pilot: Pilot[None]) -> None:
    """Let the dashboard read and paint what its session sends."""
    await pilot.pause()
    session = pilot.app.session  # type: ignore[attr-defined]
    if isinstance(session, RemoteSession):
        session.sync()
    pilot.app.watch_screen.tick()  # type: ignore[attr-defined]
    pilot.app.watch_screen.paint()  # type: ignore[attr-defined]
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> str:
    """Press keys and return the screen after them."""
    await pilot.press(*keys)
    await settle(pilot)
    return shown(pilot.app)  # type: ignore[arg-type]


async def workers_done(pilot: Pilot[None]) -> None:
    """Wait for all workers; one is cancelled by a later one, or by the exit that it asked for."""
    while pilot.app.workers:
        with suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
            return


async def assert_intact(pilot: Pilot[None]) -> None:
    """Assert that the screen becomes complete and printable, and that the application runs."""
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    for _ in range(_ATTEMPTS):
        await settle(pilot)
        if _fits(app):
            break
    assert app.is_running
    assert app.crash is None
    assert all(row.isprintable() for row in shown(app).split("\n"))


def _fits(app: TuiMetaApp) -> bool:
    """Return True if every row has the width of the terminal."""
    rows = rendered(app.screen)
    return {row.cell_length for row in rows} == {app.size.width}
