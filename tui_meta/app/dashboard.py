"""Opens the dashboard on a session, and says what became of its runs after it has closed."""

import contextlib
import sys
from functools import partial

from core.session.api import Session
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.crash import crash_line
from tui_meta.app.preferences import Preferences
from tui_meta.app.shutdown import LeaveOnSignal
from tui_meta.console import Exit, flush_stdio, print_error
from tui_meta.upstream.drivers import drop_stale_size
from tui_meta.views.dialogs.quit_choice import farewell, going_on

_SWITCH_SECONDS = 0.001
"""So long the threads that read keys and send what changed wait for the one that paints. They do
so several times in the answer to a key, for Python's own 5 ms each.
"""


def run_dashboard(session: Session, preferred: Preferences | None = None) -> int:
    """Train ``session`` under the eyes of a person; gives the exit code of the program.

    However the application ends, when this returns the runs have ended with a save, but for those
    that a person chose to discard; or they go on in a process of their own.
    """
    drop_stale_size()
    sys.setswitchinterval(_SWITCH_SECONDS)
    app = TuiMetaApp(session, preferred)
    leaving = LeaveOnSignal(app, session)
    with leaving:
        _run(app, session)
    with contextlib.suppress(OSError):  # the terminal may be gone
        _part(app)
    flush_stdio()
    if app.crash:
        return Exit.FAILED
    if leaving.exit_code:
        return leaving.exit_code
    if session.connection.id and not session.connection.ended:
        return Exit.DONE if session.connection.keeps_running else Exit.FAILED
    states = {one.state for one in app.dashboard.snapshots.values()}
    return Exit.FAILED if states & {"diverged", "failed"} else Exit.DONE


def _run(app: TuiMetaApp, session: Session) -> None:
    """All of it, whatever of it fails; the first fault is kept as ``app.crash``."""
    run = partial(app.run, mouse=app.preferred.mouse)
    leave = partial(session.leave, terminated=False)
    for step in (run, leave, partial(app.dashboard.poll, session)):
        try:
            step()
        except Exception as error:
            app.crash = app.crash or error


def _part(app: TuiMetaApp) -> None:
    """Say what became of the runs."""
    dashboard = app.dashboard
    if app.crash:
        print_error(crash_line(app.crash))
    connection = app.session.connection
    if connection.keeps_running:
        last = [going_on(connection)]
    else:
        last = farewell(dashboard.snapshots, dashboard.history, dashboard.save_problems)
    print(*last, sep="\n", flush=True)
