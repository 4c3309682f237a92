"""A program with a screen full of numbers that all change in every frame, and a bell in each.

In its folder it keeps ``frames``: the number of frames, and for how many seconds they wait.
"""

from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui_meta.delta_driver.driver import DeltaDriver


class Wall(App[None]):
    """Counts frames until ``q``; with ``f`` it draws all anew, with ``s`` it stands still."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit"), ("f", "forget"), ("s", "stand")]

    def __init__(self) -> None:
        super().__init__(driver_class=DeltaDriver, ansi_color=True)
        self.frames = 0
        self.stands = False

    def compose(self) -> ComposeResult:
        yield Static(id="wall")

    def on_mount(self) -> None:
        """Begin to count."""
        self.set_interval(0.002, self.count)

    def count(self) -> None:
        """Change every cell."""
        if self.stands:
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

    def action_stand(self) -> None:
        """Count no more."""
        self.stands = True
        self.fill("still")

    def fill(self, word: str) -> None:
        """Show nothing else."""
        rows = "\n".join([f"{word:<14}" * 5] * self.size.height)
        self.query_one("#wall", Static).update(rows)


if __name__ == "__main__":
    Wall().run()
