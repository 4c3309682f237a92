"""The questions of the application, about what concerns all runs."""

from __future__ import annotations

from core.events import RunState
from core.session.api import Connection
from tui_meta.screens.dialogs.ask import Answer, Ask
from tui_meta.views.dialogs.quit_choice import QuitChoice


def leave_question(states: set[RunState], title: str, *, detachable: bool) -> Ask[QuitChoice]:
    """Ask what becomes of the runs, which have these ``states``, and of what is not saved.

    ``title`` asks for what the key does.
    """
    goes_on = "training continues" if states & {"training", "loading"} else "nothing is lost"
    detach: Answer[QuitChoice] = Answer("d", f"detach ({goes_on})", "detach")
    answers: tuple[Answer[QuitChoice], ...] = (
        Answer("s", "save and stop", "save"),
        Answer("x", "stop and discard unsaved progress", "discard"),
        Answer("escape", "cancel", "cancel"),
    )
    return Ask(title, "", (detach, *answers) if detachable else answers)


def lost_question(connection: Connection) -> Ask[bool]:
    """Offer to reconnect or, if the session has ended, to resume from what was saved."""
    details = f"{connection.lost[:1].upper()}{connection.lost[1:]}."
    leave = Answer("escape", "quit", False)
    if connection.dropped:
        return Ask("disconnected", details, (Answer("r", "reconnect", True), leave))
    resume = Answer("r", "resume from the latest checkpoints", True)
    answers = (leave,) if connection.read_only else (resume, leave)
    return Ask("session lost", f"{details} Its checkpoints are kept.", answers)


def restart_question() -> Ask[bool]:
    """Ask first, because the current runs end."""
    details = "The current runs are saved and end; new runs start with the next seed."
    answers = (Answer("n", "new runs", True), Answer("escape", "cancel", False))
    return Ask("new runs?", details, answers)
