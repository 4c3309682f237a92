"""A dialog for one value; it returns what the typed text was parsed to."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from core.errors import reason
from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.text import Span, line, wrap
from tui_meta.widgets.lines import Lines

LONGEST = 100
"""Characters that can be typed, of most values."""

T = TypeVar("T")


class TypeIn(PlainModal[T], inherit_bindings=False):
    """Parses the text with ``take`` on enter; text it rejects with an error stays, with the reason.

    Escape closes the dialog without a value.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave"),
        Binding("ctrl+c,ctrl+q", "nothing"),
    ]

    def __init__(
        self,
        name: str,
        value: str,
        hint: str,
        take: Callable[[str], T],
        *,
        longest: int = LONGEST,
    ) -> None:
        super().__init__()
        self._longest = longest
        self._name, self._value = name, value
        self._below = Span(hint, "dim")
        self._take = take

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._name
            box.border_subtitle = "enter: apply · esc: cancel"
            field = Input(self._value, max_length=self._longest, compact=True)
            field.cursor_blink = False  # a blinking cursor sends bytes all the time
            yield field
            hint = Lines(id="hint")
            hint.styles.height = 1
            yield hint

    def on_resize(self) -> None:
        """Wrap the text below once the size is known, and again for another size."""
        self.call_after_refresh(self._show_below)

    @on(Input.Submitted)
    def take(self, submitted: Input.Submitted) -> None:
        """Return the parsed value, or show what is wrong with the text."""
        try:
            taken = self._take(submitted.value)
        except Exception as error:  # text that cannot be taken ends the dialog of no dashboard
            self._below = Span(reason(error), "bright_red")
            self._show_below()
            return
        self.dismiss(taken)

    def _show_below(self) -> None:
        """Show the hint, or the reason against the text."""
        hint, style = self.query_one("#hint", Lines), self._below.style
        rows = [line(Span(row, style)) for row in wrap(self._below.text, hint.size.width)]
        hint.styles.height = max(1, len(rows))
        hint.show(rows)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_nothing(self) -> None:
        """Ignore a key that elsewhere quits the program."""
