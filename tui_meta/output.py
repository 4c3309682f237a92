"""Charts, tables and bars on standard output."""

import os
import sys

from rich.console import Console

from tui_meta.console import needs_ascii
from tui_meta.views.printable import printable


class Output(Console):
    """Standard output; a closed pipe raises ``BrokenPipeError``.

    Other output than a terminal gets no progress bars, not even where FORCE_COLOR asks for colours.
    """

    def __init__(self) -> None:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        super().__init__(force_interactive=None if terminal else False)
        self._needs_ascii = needs_ascii(os.environ)

    @property
    def encoding(self) -> str:
        """The encoding that decides on the characters of charts, tables and bars."""
        return "ascii" if self._needs_ascii else super().encoding

    def on_broken_pipe(self) -> None:
        raise

    def print_line(self, text: str, style: str | None = None) -> None:
        """Print ``text`` without markup, on one line of any length."""
        self.print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)
