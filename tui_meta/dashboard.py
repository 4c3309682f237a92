"""Opens the dashboard on a session, and says what became of its runs after it has closed."""

import contextlib
import os

from core.session import Session
from tui_meta.app import TuiMetaApp
from tui_meta.console import Exit, release_streams
from tui_meta.leaving import LeaveOnSignal
from tui_meta.views.parting import farewell


def run_dashboard(session: Session) -> int:
    """Train ``session`` under the eyes of a person; gives the exit code of the program.

    However the application ends, all runs have ended with a save when this returns, but for those
    that a person chose to discard.
    """
    for stale in ("COLUMNS", "LINES"):
        # Exported, as by any parent that loaded readline, they would hide every resize.
        os.environ.pop(stale, None)
    app = TuiMetaApp(session)
    try:
        with LeaveOnSignal(app, session):
            app.run()
    finally:
        session.stop(save=True)
    watching = app.watch_screen.watching
    watching.take_in(session.events(app.watch_screen.seen), session.snapshots())
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(*farewell(watching.snapshots, watching.record), sep="\n", flush=True)
    release_streams()
    if app.return_code:
        return app.return_code
    failed = any(one.state in ("diverged", "failed") for one in watching.snapshots.values())
    return Exit.FAILED if failed else Exit.DONE
