"""A chart of waves that reports mouse presses in the units of its axes."""

from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui_meta.widgets.chart import Chart, data_at

_NEAR_COLUMNS, _NEAR_ROWS = 1.5, 0.75
"""Distance in cells within which the mouse hits a point."""


class WaveChart(Chart):
    """Posts messages about the mouse while it is on the canvas."""

    @dataclass
    class Pressed(Message):
        """A button went down at ``(x, y)``; points within ``near`` of it are hit as well."""

        x: float
        y: float
        near: tuple[float, float]
        button: int

    @dataclass
    class Dragged(Message):
        """The mouse moved to ``(x, y)`` with its button down."""

        x: float
        y: float

    class Released(Message):
        """The button went up."""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Capture the mouse until its button goes up."""
        place = self._place(event)
        if self.plot is None or place is None:
            return
        width, height = self.content_size
        x, y = self.plot.x, self.plot.y
        near = (
            _NEAR_COLUMNS * (x.upper - x.lower) / width,
            _NEAR_ROWS * (y.upper - y.lower) / height,
        )
        self.capture_mouse()
        self.post_message(self.Pressed(*place, near, event.button))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Report the position while a button is down."""
        place = self._place(event) if self.app.mouse_captured is self else None
        if place:
            self.post_message(self.Dragged(*place))

    def on_mouse_up(self) -> None:
        if self.app.mouse_captured is self:
            self.release_mouse()
            self.post_message(self.Released())

    def _place(self, event: events.MouseEvent) -> tuple[float, float] | None:
        at = event.get_content_offset(self)
        if self.plot is None or at is None:
            return None
        return data_at(self.plot, self.content_size, at.x, at.y)
