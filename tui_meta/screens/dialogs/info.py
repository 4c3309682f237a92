"""What each run is: its settings, budget, definitions and provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from core.events import Snapshot
from core.storage.run_folder import RunRecord
from core.storage.run_index import read_run
from tui_meta.screens.dialogs.text_page import CLOSE_KEYS, TextPage
from tui_meta.views.runs.info import info_lines, recorded_run
from tui_meta.views.runs.report import recorded_config
from tui_meta.views.text import Line


class Info(TextPage):
    """Shows ``runs``, whose folders are ``folders``; ``records`` are those of runs on disk."""

    NAME = "runs"
    BINDINGS: ClassVar[list[BindingType]] = [Binding(f"i,{CLOSE_KEYS}", "dismiss")]

    def __init__(
        self,
        runs: Sequence[Snapshot],
        folders: Mapping[str, Path],
        records: Mapping[str, RunRecord] | None = None,
    ) -> None:
        super().__init__()
        self._runs, self._folders, self._records = runs, folders, records or {}

    @classmethod
    def of_folder(cls, path: Path) -> Info:
        """Return the page about the run in the folder ``path``; raises ``RunFolderError``."""
        details = read_run(path)
        run = recorded_run(details, recorded_config(path, details.record))
        return cls([run], {run.run: path}, {run.run: details.record})

    def lines(self, width: int) -> list[Line]:
        return info_lines(self._runs, self._folders, width, self._records)
