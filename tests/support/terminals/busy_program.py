"""A program that changes every cell of its screen, and rings the bell, in every frame.

Its file ``frames`` holds the number of frames and the seconds for which they have waited. Its
argument, if any, is the number of seconds after which a terminal's answer counts as lost.
"""

import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui_meta.delta_driver import driver, flow
from tui_meta.delta_driver.driver import DeltaDriver


class BusyProgram(App[None]):
    """Counts frames; ``f`` redraws everything, ``s`` stops counting, ``q`` quits."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit"), ("f", "forget"), ("s", "stop_counting")]

    def __init__(self) -> None:
        super().__init__(driver_class=DeltaDriver, ansi_color=True)
        self.frames = 0
        self.stopped = False

    def compose(self) -> ComposeResult:
        yield Static(id="wall")

    def on_mount(self) -> None:
        """Start to count."""
        self.set_interval(0.002, self.count)

    def count(self) -> None:
        """Change every cell."""
        if self.stopped:
            return
        self.frames += 1
        self.fill(f"frame {self.frames}")
        self.bell()
        assert isinstance(self._driver, DeltaDriver)
        Path("next").write_text(f"{self.frames} {self._driver.backlog}")
        Path("next").rename("frames")

    def action_forget(self) -> None:
        """Send everything again."""
        assert isinstance(self._driver, DeltaDriver)
        self._driver.forget()

    def action_stop_counting(self) -> None:
        """Stop counting."""
        self.stopped = True
        self.fill("still")

    def fill(self, word: str) -> None:
        """Fill the screen with ``word``."""
        rows = "\n".join([f"{word:<14}" * 5] * self.size.height)
        self.query_one("#wall", Static).update(rows)


if __name__ == "__main__":
    for seconds in map(float, sys.argv[1:]):
        driver.ANSWER_TIMEOUT = flow.ANSWER_TIMEOUT = seconds
    BusyProgram().run()
