"""One line to type a value into. It returns what was made of it, and knows nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from core.errors import LabError
from tui_meta.screens.dialogs.modal import Modal
from tui_meta.views.text import Span, fit, line
from tui_meta.widgets.lines import Lines

LONGEST = 100
"""Characters that can be typed."""

T = TypeVar("T")


class _Field(Input):
    """An input that submits all that was typed before enter.

    The library takes the value when the key arrives: over a slow connection, where several keys
    arrive at once, characters before it still wait in the queue then. The same holds for keys that
    edit: it would delete what was typed after backspace.
    """

    @dataclass
    class Entered(Message):
        """What stood there when enter had its turn."""

        text: str

    async def on_key(self, event: events.Key) -> None:
        """Obey here what the library would hand up and obey later."""
        bound = self._bindings.key_to_bindings.get(event.key)
        if bound and not event.is_printable:
            event.stop()
            event.prevent_default()
            await self.run_action(bound[0].action)

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        """This comes after the characters, in the same queue."""
        submitted.stop()
        self.post_message(self.Entered(self.value))


class TypeIn(Modal[T], inherit_bindings=False):
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
            field = _Field(self._value, max_length=LONGEST, compact=True)
            field.cursor_blink = False  # a blinking cursor sends bytes all the time
            yield field
            said = Lines(id="said")
            said.show([line(Span(self._hint, "dim"))])
            yield said

    @on(_Field.Entered)
    def take(self, entered: _Field.Entered) -> None:
        """Return what the text means, or say what is wrong with it."""
        try:
            taken = self._take(entered.text)
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
