"""The key of the Watch screen that begins another run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import LabError, reason
from core.events import Snapshot
from core.session.run_requests import AddRequest
from tui_meta.screens.watch.run_list import RunList
from tui_meta.views.run_groups import titles

if TYPE_CHECKING:
    from tui_meta.screens.dialogs.new_run import NewRunDialog


class AddRuns(RunList, inherit_bindings=False):
    """Asks for the settings of a run and adds it to the session; makes room for those of others."""

    @property
    def scope(self) -> Sequence[Snapshot]:
        """The runs that a key acts on."""
        raise NotImplementedError

    def refuses_commands(self) -> bool:
        """Return True where no commands are accepted now."""
        raise NotImplementedError

    def take_runs(self) -> None:
        """Make room for runs that there were not before."""
        if self.is_attached:
            self.grid.grow(len(self.dashboard.snapshots))
            self.refocus_line()

    def action_add(self) -> None:
        """Open the form, with the settings of the run in focus, or of the first."""
        if self.refuses_commands():
            return
        from tui_meta.screens.dialogs.new_run import NewRunDialog
        from tui_meta.views.dialogs.new_run import NewRun
        from tui_meta.views.dialogs.new_run_form import NewRunForm

        beside, present = self.scope[0], list(self.dashboard.snapshots.values())
        folder = self.session.folders().get(beside.run)
        if folder is None:  # it arrives a moment after its run
            self.show_message(f"{self.dashboard.titles[beside.run]} has just begun; try again")
            return
        new = NewRun(beside, present, folder.parent, beside.algorithm)
        try:
            new.check()
        except LabError as error:
            self.show_error(f"no other run: {error}")
            return
        self.app.push_screen(NewRunDialog(NewRunForm(new), self._add))

    def _add(self, dialog: NewRunDialog, request: AddRequest, words: str) -> None:
        """Add the run, in a thread; a dialog that is still open shows why that is not possible."""

        def add() -> None:
            try:
                run = self.session.add(request)
            except Exception as error:  # a request that fails ends, and nothing else
                self.app.call_from_thread(refuse, reason(error))
            else:
                self.app.call_from_thread(take, run)

        def take(run: str) -> None:
            if dialog.is_current:
                dialog.dismiss(None)
            known = titles(self.session.snapshots())
            self.show_result(f"{known.get(run, run)} started: {words}")

        def refuse(problem: str) -> None:
            if dialog.is_current:
                dialog.refuse(problem)
            else:
                self.show_error(f"no other run: {problem}")

        self.run_worker(add, thread=True)
