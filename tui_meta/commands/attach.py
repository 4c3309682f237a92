"""``tui-meta attach``: the dashboard on a session that trains already."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

from core.remote.client import RemoteSession
from core.remote.link import chosen_session
from core.remote.protocol import RemoteError
from tui_meta.commands.launch import require_terminal
from tui_meta.commands.sessions import found_sessions
from tui_meta.dashboard import run_dashboard
from tui_meta.preferences import preferences
from tui_meta.views.sessions import session_words
from tui_meta.views.text import printable

Choice = Literal["new", "leave"] | str
"""What to do beside a session that runs: begin another, leave, or attach to the one named."""


def attach(id: str | None, face: Mapping[str, Any], *, read_only: bool) -> int:
    """Show session ``id``, or the only one; ``face`` are flags of the dashboard."""
    preferred = preferences(face)
    chosen = chosen_session(id)
    require_terminal()
    return run_dashboard(RemoteSession(chosen.id, read_only=read_only), preferred)


def offered() -> Choice:
    """What a person wants who starts the program while a session trains; "new" if none does."""
    try:
        training = [one for one in found_sessions() if one.is_training]
    except RemoteError:
        return "new"  # which will say what is wrong
    if not training:
        return "new"
    for one in training:
        print(printable(session_words(one)))
    newest = training[-1].entry.id
    sys.stdout.write(f"enter attaches to session {newest}, n begins new runs, q leaves: ")
    sys.stdout.flush()
    # Bytes, as what is typed need not be text; the end of the input leaves.
    typed = sys.stdin.buffer.readline()
    answer = typed.strip().lower()
    if answer == b"n":
        return "new"
    return newest if typed and not answer else "leave"
