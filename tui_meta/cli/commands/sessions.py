"""``tui-meta ls`` and ``tui-meta stop``: the user's sessions on this machine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Literal

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from core.remote.client import RemoteSession
from core.remote.connection import find_session, session_status
from core.remote.protocol import RemoteError
from core.remote.registry import live_sessions
from tui_meta.console import Exit, Output
from tui_meta.views.describe import display_path
from tui_meta.views.sessions import (
    SessionListing,
    run_words,
    session_words,
    since_words,
    viewer_words,
)
from tui_meta.views.text import printable

Choice = Literal["new", "leave"] | str
"""The answer when a session is running: start another, leave, or attach to the one named."""


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
    if as_json:
        for one in found:
            sys.stdout.write(json.dumps(_plain(one)) + "\n")
    elif sys.stdout.isatty():
        _show(found)
    else:
        for one in found:
            sys.stdout.write("\t".join(map(printable, _cells(one, "; "))) + "\n")
    return Exit.DONE


def stop_sessions(ids: Sequence[str]) -> int:
    """Stop the sessions ``ids`` after saving."""
    chosen = [find_session(id) for id in dict.fromkeys(ids)]
    output = Output()
    for entry in chosen:
        session = RemoteSession(entry.id)
        session.stop(save=True)
        if not session.connection.ended:
            raise RemoteError(f"session {entry.id}: {session.connection.lost}")
        for shot in session.snapshots().values():
            output.print_line(f"{shot.run} {shot.state} at {shot.iteration:,} / {shot.target:,}")
        folders = " ".join(display_path(str(folder)) for folder in session.folders().values())
        output.print_line(f"session {entry.id} ended; resume with: tui-meta resume {folders}")
        session.detach()
    return Exit.DONE


def _plain(found: SessionListing) -> dict[str, object]:
    status = found.status
    return {
        "id": found.entry.id,
        "pid": found.entry.pid,
        "started": found.entry.started,
        "command": found.entry.command,
        "runs": msgspec.to_builtins(status.runs) if status else [],
        "watchers": list(status.subscribers) if status else [],
        "problem": found.problem or None,
    }


def _cells(found: SessionListing, between: str) -> list[str]:
    runs = found.status.runs if found.status else ()
    return [
        found.entry.id,
        between.join(map(run_words, runs)) or found.problem,
        since_words(found.entry, time.time()),
        viewer_words(found.status.subscribers if found.status else ()),
    ]


def _show(found: Sequence[SessionListing]) -> None:
    output = Output()
    if not found:
        output.print_line("no session is running; start one with tui-meta")
        return
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("id")
    table.add_column("runs", overflow="fold")
    table.add_column("running for", justify="right", no_wrap=True)
    table.add_column("viewers", overflow="fold")
    for one in found:
        table.add_row(*(Text(printable(cell)) for cell in _cells(one, "\n")))
    output.print(table)


def ask_attach_or_new() -> Choice:
    """Ask whether to attach to a session in training; "new" where there is none."""
    try:
        training = [one for one in found_sessions() if one.is_training]
    except RemoteError:
        return "new"  # starting one reports the problem
    if not training:
        return "new"
    for one in training:
        print(printable(session_words(one)))
    newest = training[-1].entry.id
    sys.stdout.write(f"enter: attach to session {newest}, n: start new runs, q: quit ")
    sys.stdout.flush()
    # Bytes are read, as the answer need not be valid text; the end of the input leaves.
    typed = sys.stdin.buffer.readline()
    answer = typed.strip().lower()
    if answer == b"n":
        return "new"
    return newest if typed and not answer else "leave"
