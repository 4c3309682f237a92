"""Choices on quitting, and the report printed after the dashboard has closed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from core.events import ENDED, Snapshot
from core.session.api import Connection
from tui_meta.views.event_history import EventHistory
from tui_meta.views.messages.describe import display_path
from tui_meta.views.numbers import whole
from tui_meta.views.printable import printable
from tui_meta.views.run_groups import titles
from tui_meta.views.shell import resume_hint

QuitChoice = Literal["detach", "save", "discard", "cancel"]


def default_quit_choice(
    snapshots: Mapping[str, Snapshot], connection: Connection
) -> QuitChoice | None:
    """Return the choice that needs no question; None if the user has to be asked.

    A question comes unless all runs have ended and are saved. Runs that other clients view, and
    runs of a read-only session, continue.
    """
    if connection.read_only or connection.lost or connection.ended:
        return "detach"
    if any(one.unsaved or one.state not in ENDED for one in snapshots.values()):
        return None
    return "detach" if connection.subscribers > 1 else "save"


def detached_message(connection: Connection) -> str:
    """Return the line printed after detaching."""
    id = connection.id
    return f"session {id} continues; reconnect with: tui-meta attach {id}"


def exit_report(
    snapshots: Mapping[str, Snapshot], history: EventHistory, save_problems: Mapping[str, str]
) -> list[str]:
    """Return a line for each run, the problems with saving, and the command that resumes the runs.

    ``save_problems`` may name runs that were replaced: nothing else reports those any more.
    """
    names = titles(snapshots)
    lines = []
    folders = []
    for run, one in snapshots.items():
        text = f"{names[run]} {one.state} at {whole(one.iteration)} / {whole(one.target)}"
        path = history.saved.get(run)
        if run in history.troubles:
            text += f": {history.troubles[run].problem}"
        if path and one.unsaved:
            text += f", not saved since {display_path(path)}"
        elif path:
            text += f", {'last ' if one.unsaved else ''}saved {display_path(path)}"
        elif one.iteration:
            text += ", not saved"
        if path:
            folders.append(Path(path).parent)
        lines.append(text)
        if run in save_problems:
            lines.append(f"{names[run]} could not be saved: {save_problems[run]}")
    replaced = {run: why for run, why in save_problems.items() if run not in snapshots}
    lines += [f"{run} could not be saved: {why}" for run, why in replaced.items()]
    if folders:
        lines.append(resume_hint(folders))
    return [printable(text) for text in lines]
