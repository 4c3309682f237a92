"""One or two lines with the status of a run; while they have the focus, keys act on this run."""

from tui_meta.views.run_status import RunStatus, run_lines
from tui_meta.widgets.lines import Lines


class RunLine(Lines):
    """Shows one run. The screen sets its height, one row or two."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, can_focus=True)

    def show_run(self, status: RunStatus, name_cells: int) -> None:
        """Show the status of the run; ``name_cells`` aligns its title with those of others."""
        self.show(run_lines(status, self.size.width, self.size.height, name_cells))
