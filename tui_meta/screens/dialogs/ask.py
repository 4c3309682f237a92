"""A question with a few answers; it returns the value of the chosen one."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.keys.table import key_word
from tui_meta.views.printable import printable
from tui_meta.views.text import Span, line
from tui_meta.widgets.lines import Lines

T = TypeVar("T")


class Answer(Struct, Generic[T], frozen=True):
    """An answer: its key, its label, and the value that the question then returns."""

    key: str
    label: str
    value: T


class Ask(PlainModal[T], inherit_bindings=False):
    """Shows a question; the first answer is chosen initially, and escape returns the last one.

    No answer lies on a key that is likely to be pressed twice, so that impatience destroys nothing.
    """

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,left,shift+tab", "choose(-1)"),
        Binding("down,right,tab", "choose(1)"),
        Binding("enter", "answer"),
        Binding("escape", "leave"),
        Binding("q,ctrl+c,ctrl+q", "nothing"),
    ]

    def __init__(self, question: str, details: str, answers: Sequence[Answer[T]]) -> None:
        super().__init__()
        self._question = question
        self._details = details
        self._answers = answers
        self._chosen = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._question
            if self._details:
                yield Static(printable(self._details), markup=False)
            lines = Lines(id="answers")
            lines.styles.height = len(self._answers)
            yield lines

    def on_key(self, event: events.Key) -> None:
        """Return the answer that has this key."""
        for index, answer in enumerate(self._answers):
            if event.key == answer.key:
                event.stop()
                self.action_pick(index)

    def on_resize(self) -> None:
        """Paint once the size is known, and again for another size."""
        self.call_after_refresh(self._paint)

    def action_choose(self, steps: int) -> None:
        self._chosen = (self._chosen + steps) % len(self._answers)
        self._paint()

    def action_answer(self) -> None:
        self.dismiss(self._answers[self._chosen].value)

    def action_pick(self, index: int) -> None:
        """Return an answer, after its key or a click."""
        self.dismiss(self._answers[index].value)

    def action_leave(self) -> None:
        """Return the last answer, which changes nothing."""
        self.dismiss(self._answers[-1].value)

    def action_nothing(self) -> None:
        """Ignore the key that opened the question, if it is pressed again."""

    def _paint(self) -> None:
        rows = []
        for index, answer in enumerate(self._answers):
            chosen = index == self._chosen
            pointer, action = ("> " if chosen else "  "), f"pick({index})"
            rows.append(
                line(
                    Span(f"{pointer}{key_word(answer.key):<7}", "bold", action),
                    Span(answer.label, "reverse" if chosen else "", action),
                )
            )
        self.query_one("#answers", Lines).show(rows)
