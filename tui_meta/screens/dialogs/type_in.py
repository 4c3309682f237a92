"""One line to type a value into. It returns what was made of it, and knows nothing else."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from core.errors import LabError
from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.text import Span, fit, line
from tui_meta.widgets.lines import Lines

LONGEST = 100
"""Characters that can be typed."""

T = TypeVar("T")


class TypeIn(PlainModal[T], inherit_bindings=False):
    """Enter hands the text to ``take``; what it refuses with an error stays, with the reason.

    Escape leaves without a value.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave"),
        Binding("ctrl+c,ctrl+q", "nothing"),
    ]

    def __init__(self, name: str, value: str, hint: str, take: Callable[[str], T]) -> None:
        super().__init__()
        self._name, self._value, self._hint = name, value, hint
        self._take = take

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._name
            box.border_subtitle = "enter takes it, escape leaves"
            field = Input(self._value, max_length=LONGEST, compact=True)
            field.cursor_blink = False  # a blinking cursor sends bytes all the time
            yield field
            said = Lines(id="said")
            said.show([line(Span(self._hint, "dim"))])
            yield said

    @on(Input.Submitted)
    def take(self, submitted: Input.Submitted) -> None:
        """Return what the text means, or say what is wrong with it."""
        try:
            taken = self._take(submitted.value)
        except LabError as error:
            self._say(str(error), "bright_red")
            return
        self.dismiss(taken)

    def action_leave(self) -> None:
        """Return nothing."""
        self.dismiss(None)

    def action_nothing(self) -> None:
        """A key that would leave the program leaves nothing here."""

    def _say(self, said: str, style: str) -> None:
        lines = self.query_one("#said", Lines)
        lines.show([fit(line(Span(said, style)), lines.size.width)])
