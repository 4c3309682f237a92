"""Opens the dashboard on a session, and prints how its runs ended after it has closed."""

import contextlib
import sys
from functools import partial
from pathlib import Path

from core.session.api import Session
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.crash import crash_line
from tui_meta.app.preferences import Preferences
from tui_meta.app.shutdown import LeaveOnSignals
from tui_meta.console import Exit, flush_stdio, print_error
from tui_meta.upstream.drivers import drop_stale_size
from tui_meta.views.dialogs.quit_choice import detached_message, exit_report

_SWITCH_SECONDS = 0.001
"""Switch interval of Python's threads. The threads that read keys and write to the terminal wait
for the one that paints several times per key, for 5 ms each by default.
"""


def run_dashboard(
    session: Session,
    preferred: Preferences | None = None,
    first_pace: float | None = None,
    sweep: Path | None = None,
) -> int:
    """Train ``session`` with the dashboard open, and return the exit code of the program.

    With a ``sweep``, the session has no runs and that folder is shown. However the application
    ends, afterwards the runs have been saved and have ended, unless the user chose to discard them,
    or they continue in a process of their own.
    """
    drop_stale_size()
    sys.setswitchinterval(_SWITCH_SECONDS)
    app = TuiMetaApp(session, preferred, first_pace, sweep)
    signals = LeaveOnSignals(app, session)
    with signals:
        _run(app, session)
    with contextlib.suppress(OSError):  # the terminal may be gone
        _print_outcome(app)
    flush_stdio()
    if app.crash:
        return Exit.FAILED
    if signals.exit_code:
        return signals.exit_code
    if session.connection.id and not session.connection.ended:
        return Exit.DONE if session.connection.keeps_running else Exit.FAILED
    states = {one.state for one in app.dashboard.snapshots.values()}
    return Exit.FAILED if states & {"diverged", "failed"} else Exit.DONE


def _run(app: TuiMetaApp, session: Session) -> None:
    """Run every step even if one fails; the first exception is kept as ``app.crash``."""
    run = partial(app.run, mouse=app.preferred.mouse)
    leave = partial(session.leave, terminated=False)
    for step in (run, leave, partial(app.dashboard.poll, session)):
        try:
            step()
        except BaseException as error:
            app.crash = app.crash or error


def _print_outcome(app: TuiMetaApp) -> None:
    """Print how the runs ended."""
    dashboard = app.dashboard
    if app.crash:
        print_error(crash_line(app.crash))
    connection = app.session.connection
    if connection.keeps_running:
        last = [detached_message(connection)]
    else:
        last = exit_report(dashboard.snapshots, dashboard.history, dashboard.save_problems)
    if last:
        print(*last, sep="\n", flush=True)
