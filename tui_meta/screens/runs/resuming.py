"""Resuming a run of the list in a session of its own: the present one keeps its runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.storage.run_index import RunSummary
from tui_meta.screens.dialogs.ask import Answer, Ask
from tui_meta.screens.page import Page
from tui_meta.views.runs import details


class ResumeRuns(Page, inherit_bindings=False):
    """Asks first, and says how the new session is attached to."""

    suggested = ""
    """The command that the last message suggests; moving away clears it."""

    def resume_run(self, entry: RunSummary) -> None:
        """Resume a run, or say why it cannot be."""
        reason = details.cannot_resume(
            entry,
            self.dashboard.key,
            is_here=Path(entry.path) in self.session.folders().values(),
        )
        if reason:
            self.show_message(reason)
            if entry.state == "finished":
                self.suggested = details.resume_command(entry)
            return

        def resume(answer: bool | None) -> None:
            if answer:
                self._resume(entry)

        answers = (Answer("r", "resume", True), Answer("escape", "cancel", False))
        self.app.push_screen(Ask("resume?", details.resume_details(entry), answers), resume)

    def _resume(self, entry: RunSummary) -> None:
        def fail(problem: str) -> None:
            self.show_error(f"{entry.name} cannot be resumed: {problem}")

        def take(started: tuple[str, Sequence[str]]) -> None:
            id, notes = started
            for note in notes:
                self.show_result(note)
            self.suggested = f"tui-meta attach {id}"
            self.show_result(
                f"{entry.name} resumed in session {id}; view: {self.suggested} (y: copy)"
            )

        self.show_message(f"resuming {entry.name}…")
        path = Path(entry.path)
        self.compute("resume", lambda _: self.session.resume_in_new_session(path), take, fail)
