"""``tui-meta attach``, ``ls``, ``stop`` and ``watch``: the user's sessions on this machine."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from core.events import ENDED
from core.remote.client import RemoteSession
from core.remote.connection import find_session, session_status
from core.remote.protocol import RemoteError, RunProgress, SessionStatus
from core.remote.registry import SessionInfo, live_sessions, places_searched
from tui_meta.app.signals import FirstSignal, is_by_signal
from tui_meta.cli.background_stdio import background_stdio
from tui_meta.console import (
    Exit,
    ask,
    flush_stdio,
    print_error,
    print_note,
    require_terminal,
)
from tui_meta.views.numbers import duration, whole
from tui_meta.views.printable import printable
from tui_meta.views.shell import resume_hint

Choice = Literal["new", "leave"] | str
"""The answer when a session is running: start another, leave, or attach to the one named."""


class SessionListing(Struct, frozen=True):
    """A running session with its status, or why the status is unknown."""

    entry: SessionInfo
    status: SessionStatus | None
    problem: str = ""

    @property
    def runs(self) -> Sequence[RunProgress]:
        """Runs of the session; empty if its status is unknown."""
        return self.status.runs if self.status else ()

    @property
    def lines(self) -> list[str]:
        """Progress of each run, or the problem."""
        progress = [
            f"{run.run} {run.state} {whole(run.iteration)} / {whole(run.target)}"
            for run in self.runs
        ]
        return progress or [self.problem]

    @property
    def words(self) -> str:
        """Progress of the runs, or the problem."""
        return "; ".join(self.lines)


def attach(id: str | None, dashboard: Mapping[str, Any], *, read_only: bool) -> int:
    """Show session ``id``, or the only one; ``dashboard`` holds the dashboard's flags."""
    # Imported late: the other commands need no Textual.
    from tui_meta.app.dashboard import run_dashboard
    from tui_meta.cli.preferences import preferences

    preferred = preferences(dashboard)
    chosen = find_session(id)
    require_terminal()
    return run_dashboard(RemoteSession(chosen.id, read_only=read_only), preferred)


def watch(id: str | None, *, as_json: bool) -> int:
    """Print the events of session ``id`` from now on, until it ends or a signal arrives."""
    session = RemoteSession(find_session(id).id, read_only=True, progress=as_json)
    with background_stdio() as stdio:
        code = _watch(session, as_json=as_json)
        stdio.finish(patient=not is_by_signal(code))
        return code


def _watch(session: RemoteSession, *, as_json: bool) -> int:
    # Imported late, here and below: training in the dashboard asks for sessions too.
    from tui_meta.cli.headless import Report

    with FirstSignal() as interrupts:
        report = Report(session, as_json=as_json, first=session.first_new)
        try:
            report.follow(interrupts)
        except OSError:
            if not interrupts.received:
                raise
            flush_stdio()  # as after the hang-up of the terminal
        finally:
            session.detach()
    if session.connection.lost:
        print_error(session.connection.lost)
        return Exit.FAILED
    return interrupts.exit_code or Exit.DONE


def found_sessions() -> list[SessionListing]:
    """Return the running sessions and their status; raises ``RemoteError``."""
    found = []
    for entry in live_sessions():
        try:
            found.append(SessionListing(entry, session_status(entry.id)))
        except RemoteError as error:
            found.append(SessionListing(entry, None, str(error)))
    return found


def list_sessions(*, as_json: bool) -> int:
    """Print sessions as a table, as tab-separated lines if piped, or as JSON."""
    found = found_sessions()
    if not found:
        print_note(f"no session is running ({places_searched()}); start one with tui-meta")
    elif as_json:
        for one in found:
            sys.stdout.write(json.dumps(_plain(one)) + "\n")
    elif sys.stdout.isatty():
        _show(found)
    else:
        for one in found:
            sys.stdout.write("\t".join(map(printable, _cells(one))) + "\n")
    return Exit.DONE


def stop_sessions(ids: Sequence[str]) -> int:
    """Stop the sessions ``ids`` after saving."""
    from tui_meta.output import Output

    chosen = [find_session(id) for id in dict.fromkeys(ids)]
    output, code = Output(), Exit.DONE
    for entry in chosen:
        session = RemoteSession(entry.id)
        session.stop(save=True)
        if not session.connection.ended:
            raise RemoteError(f"session {entry.id}: {session.connection.lost}")
        for shot in session.snapshots().values():
            output.print_line(f"{shot.run} {shot.state} at {shot.iteration:,} / {shot.target:,}")
            if shot.unsaved and shot.iteration:
                print_error(f"{shot.run}: iteration {shot.iteration:,} is not saved")
                code = Exit.FAILED
        output.print_line(f"session {entry.id} ended; {resume_hint(session.folders().values())}")
        session.detach()
    return code


def _plain(found: SessionListing) -> dict[str, object]:
    return {
        "id": found.entry.id,
        "pid": found.entry.pid,
        "started": found.entry.started,
        "command": found.entry.command,
        "runs": msgspec.to_builtins(list(found.runs)),
        "watchers": list(found.status.subscribers) if found.status else [],
        "problem": found.problem or None,
    }


def _cells(found: SessionListing) -> list[str]:
    return [
        found.entry.id,
        found.words,
        duration(max(0.0, time.time() - found.entry.started)),
        ", ".join(found.status.subscribers if found.status else ()) or "-",
    ]


def _show(found: Sequence[SessionListing]) -> None:
    """Print a table with a line for each run; the other cells are those of its session."""
    from tui_meta.cli.tables import print_table
    from tui_meta.output import Output

    rows = []
    for one in found:
        id, _, running, viewers = _cells(one)
        first, *others = one.lines
        rows += [(id, first, running, viewers), *(("", other, "", "") for other in others)]
    columns = ("id", "runs", "running for", "viewers")
    print_table(Output(), columns, rows, numbers=(2,), names=(1,), optional=(3,))


def ask_attach_or_new() -> Choice:
    """Ask whether to attach to a session in training; "new" where there is none."""
    try:
        found = found_sessions()
    except RemoteError:
        return "new"  # starting one reports the problem
    training = [one for one in found if any(run.state not in ENDED for run in one.runs)]
    if not training:
        return "new"
    for one in training:
        print(printable(f"session {one.entry.id} is running: {one.words}"))
    newest = training[-1].entry.id
    typed = ask(f"enter: attach to session {newest}; n, enter: start new runs; q, enter: quit ")
    answer = typed.strip().lower()
    if answer == b"n":
        return "new"
    return newest if typed and not answer else "leave"  # the end of the input leaves
