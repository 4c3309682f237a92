"""A dashboard on runs that stand still, with one fault of our own injected: ``python -m`` it."""

import asyncio
import sys
import time
from pathlib import Path

from tests.support.dashboard.fake_session import FakeSession
from tui_meta.app.application import TerminalDriver, TuiMetaApp
from tui_meta.app.dashboard import run_dashboard
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.widgets.lines import Lines

PROBLEM = "injected fault"


def main() -> int:
    """Run the dashboard with the fault named first; the faults strike when a key is pressed."""
    session = NotedSession()
    fault = sys.argv[1]
    if fault in FAULTS:
        WatchScreen.action_step = lambda screen: FAULTS[fault](screen.app)  # type: ignore[method-assign]
    session.slow = fault == "slow save"
    session.broken = fault == "save"
    return run_dashboard(session)


class NotedSession(FakeSession):
    """Notes in a file how it was stopped."""

    slow = broken = False

    def stop(self, *, save: bool) -> None:
        if self.slow:
            Path("saving").touch()
            while not Path("go").exists():
                time.sleep(0.01)
        if self.broken:
            raise RuntimeError(PROBLEM)
        super().stop(save=save)
        with Path("stopped").open("a") as file:
            file.write(f"{save}\n")


def fail(*_: object) -> None:
    raise RuntimeError(PROBLEM)


async def fail_later() -> None:
    fail()


def in_render(app: TuiMetaApp) -> None:
    Lines.render_line = fail  # type: ignore[method-assign,assignment]
    for widget in app.screen.query(Lines):
        widget.refresh()


def in_timer(app: TuiMetaApp) -> None:
    WatchScreen._poll = fail  # type: ignore[method-assign,assignment]


def in_loop(app: TuiMetaApp) -> None:
    asyncio.get_running_loop().call_soon(fail)


def in_thread_of_keys(app: TuiMetaApp) -> None:
    TerminalDriver.process_message = fail  # type: ignore[method-assign]
    Path("armed").touch()


def for_ever(app: TuiMetaApp) -> None:
    Path("stuck").touch()
    while True:
        time.sleep(0.1)


FAULTS = {
    "render": in_render,
    "timer": in_timer,
    "loop": in_loop,
    "keys": in_thread_of_keys,
    "stuck": for_ever,
}

if __name__ == "__main__":
    sys.exit(main())
