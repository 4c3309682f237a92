"""The dialog for another run: a form over its settings.

It draws the typed text itself, because an ``Input`` of Textual sends a blinking cursor.
"""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from core.session.run_requests import AddRequest
from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.dialogs.new_run_form import DIFFERENCE_ROWS, HINT_ROWS, NewRunForm
from tui_meta.views.text import Span, line
from tui_meta.widgets.lines import Lines

_FAR = 999
"""More than there are fields, or characters in one."""

_EDGES = 2


class NewRunDialog(PlainModal[None], inherit_bindings=False):
    """Shows ``form``; enter calls ``start`` with the request, and what differs in words.

    The dialog stays until that has succeeded; escape closes it at any time.
    """

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab", "move(-1)"),
        Binding("down,tab", "move(1)"),
        Binding("pageup", f"move(-{10})"),
        Binding("pagedown", f"move({10})"),
        Binding("left", "sideways(-1)"),
        Binding("right", "sideways(1)"),
        Binding("home", f"sideways(-{_FAR})"),
        Binding("end", f"sideways({_FAR})"),
        Binding("backspace", "delete(-1, 0)"),
        Binding("delete", "delete(0, 1)"),
        Binding("ctrl+u", f"delete(-{_FAR}, 0)"),
        Binding("enter", "start"),
        Binding("escape", "leave"),
        Binding("ctrl+c,ctrl+q", "nothing"),
    ]

    def __init__(
        self, form: NewRunForm, start: Callable[["NewRunDialog", AddRequest, str], None]
    ) -> None:
        super().__init__()
        self.form = form
        self._start = start
        self._is_starting = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self.form.title
            box.border_subtitle = "tab, up, down: fields · enter: start · esc: cancel"
            yield Lines(id="fields")
            yield Lines(id="hint")
            yield Lines(id="differs")

    def on_mount(self) -> None:
        self.query_one("#hint").styles.height = HINT_ROWS
        self.query_one("#differs").styles.height = DIFFERENCE_ROWS
        below = HINT_ROWS + DIFFERENCE_ROWS + _EDGES
        self.query_one("#box").styles.height = self.form.count + below

    def on_resize(self) -> None:
        """Paint once the size is known, and again for another size."""
        self.call_after_refresh(self._paint)

    def on_key(self, event: events.Key) -> None:
        """Type into the field in focus; no value needs the key that has opened the form."""
        character = event.character or ""
        if character.isprintable() and character:
            event.stop()
            if character not in "+=":
                self._edit(lambda form: form.insert(character))

    def on_paste(self, event: events.Paste) -> None:
        """Insert pasted text into the field in focus."""
        self._edit(lambda form: form.insert(event.text))

    def action_move(self, steps: int) -> None:
        self._edit(lambda form: form.move(steps))

    def action_pick(self, place: int) -> None:
        """Focus a field that was clicked."""
        self._edit(lambda form: form.focus(place))

    def action_sideways(self, steps: int) -> None:
        self._edit(lambda form: form.sideways(steps))

    def action_delete(self, first: int, last: int) -> None:
        self._edit(lambda form: form.delete(first, last))

    def action_start(self) -> None:
        """Start the run, or show what is wrong."""
        if self._is_starting:
            return
        request = self.form.request()
        if request:
            self._is_starting = True
            self._start(self, request, self.form.new.difference_words)
        self._paint()

    def refuse(self, problem: str) -> None:
        """Show why the run was not started; the form can be changed."""
        self._is_starting = False
        self.form.refuse(problem)
        self._paint()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_nothing(self) -> None:
        """Ignore a key that elsewhere quits the program."""

    def _edit(self, change: Callable[[NewRunForm], None]) -> None:
        if not self._is_starting:
            change(self.form)
            self._paint()

    def _paint(self) -> None:
        fields, hint, differs = (
            self.query_one(f"#{id}", Lines) for id in ("fields", "hint", "differs")
        )
        starting = [line(Span("starting…", "bold"))]
        fields.show(self.form.lines(*fields.size))
        hint.show(starting if self._is_starting else self.form.hint(hint.size.width))
        differs.show(self.form.differences(differs.size.width))
