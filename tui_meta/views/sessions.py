"""Sessions in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.events import ENDED
from core.remote.protocol import RunProgress, SessionStatus
from core.remote.registry import SessionInfo
from tui_meta.views.numbers import duration, whole


@dataclass(frozen=True)
class SessionListing:
    """A running session with its status, or why the status is unknown."""

    entry: SessionInfo
    status: SessionStatus | None
    problem: str = ""

    @property
    def is_training(self) -> bool:
        """Whether any of its runs has not ended."""
        runs = self.status.runs if self.status else ()
        return any(run.state not in ENDED for run in runs)


def run_words(run: RunProgress) -> str:
    """Return the progress of one run of a session."""
    return f"{run.run} {run.state} {whole(run.iteration)} / {whole(run.target)}"


def session_words(found: SessionListing) -> str:
    """Return the session in one line."""
    runs = found.status.runs if found.status else ()
    progress = "; ".join(map(run_words, runs)) or found.problem
    return f"session {found.entry.id} is running: {progress}"


def since_words(entry: SessionInfo, now: float) -> str:
    """Return how long the session has been running."""
    return duration(max(0.0, now - entry.started))


def viewer_words(viewers: Sequence[str]) -> str:
    """Return the names of the viewers."""
    return ", ".join(viewers) or "-"
