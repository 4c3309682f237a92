"""What is said of sessions: in a list, and where one is offered."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.events import ENDED
from core.remote.protocol import RunProgress, SessionStatus
from core.remote.registry import SessionInfo
from tui_meta.views.numbers import duration, whole


@dataclass(frozen=True)
class Found:
    """A session that lives: how it stands, or why that cannot be known."""

    entry: SessionInfo
    standing: SessionStatus | None
    problem: str = ""

    @property
    def is_training(self) -> bool:
        """Whether there is a run in it that has not ended."""
        runs = self.standing.runs if self.standing else ()
        return any(run.state not in ENDED for run in runs)


def run_words(run: RunProgress) -> str:
    """One run of a session, how far it is."""
    return f"{run.run} {run.state} {whole(run.iteration)} / {whole(run.target)}"


def session_words(found: Found) -> str:
    """The session in one line."""
    runs = found.standing.runs if found.standing else ()
    said = ", ".join(map(run_words, runs)) or found.problem
    return f"session {found.entry.id} is running: {said}"


def since_words(entry: SessionInfo, now: float) -> str:
    """How long the session has been there."""
    return duration(max(0.0, now - entry.started))


def watcher_words(watchers: Sequence[str]) -> str:
    """Who watches."""
    return ", ".join(watchers) or "nobody"
