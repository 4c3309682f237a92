"""What each run is: its settings, budget, definitions and provenance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from core.events import Snapshot
from tui_meta.screens.dialogs.text_page import CLOSE_KEYS, TextPage
from tui_meta.views.runs.info import info_lines
from tui_meta.views.text import Line


class Info(TextPage):
    """Shows ``runs``, whose folders are ``folders``."""

    NAME = "runs"
    BINDINGS: ClassVar[list[BindingType]] = [Binding(f"i,{CLOSE_KEYS}", "dismiss")]

    def __init__(self, runs: Sequence[Snapshot], folders: Mapping[str, Path]) -> None:
        super().__init__()
        self._runs, self._folders = runs, folders

    def lines(self, width: int) -> list[Line]:
        return info_lines(self._runs, self._folders, width)
