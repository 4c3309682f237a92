"""The command palette; it returns the chosen command.

It draws the typed text itself, because an ``Input`` of Textual sends a blinking cursor.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.keys.palette import PaletteEntry, found, palette_lines
from tui_meta.widgets.lines import Lines

_LONGEST = 60


class Palette(PlainModal[PaletteEntry], inherit_bindings=False):
    """Lists ``entries``; typing filters them, and enter returns the chosen one."""

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab,ctrl+p", "choose(-1)"),
        Binding("down,tab,ctrl+n", "choose(1)"),
        Binding("pageup", "choose(-10)"),
        Binding("pagedown", "choose(10)"),
        Binding("enter", "answer"),
        Binding("backspace", "delete_left"),
        Binding("ctrl+u", "clear"),
        Binding("escape,ctrl+c,ctrl+q", "leave"),
    ]

    def __init__(self, entries: Sequence[PaletteEntry]) -> None:
        super().__init__()
        self._entries = entries
        self._typed = ""
        self._chosen = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "commands"
            box.border_subtitle = "type to search · enter: run · esc: back"
            yield Lines(id="entries")

    def on_resize(self) -> None:
        """Paint once the size is known, and again for another size."""
        self.call_after_refresh(self._paint)

    def on_key(self, event: events.Key) -> None:
        """Filter the entries by what is typed."""
        if event.character and event.character.isprintable():
            event.stop()
            self._type(self._typed + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Filter the entries by pasted text."""
        self._type(self._typed + "".join(char for char in event.text if char.isprintable()))

    def action_delete_left(self) -> None:
        self._type(self._typed[:-1])

    def action_clear(self) -> None:
        self._type("")

    def action_choose(self, steps: int) -> None:
        """Choose another entry; a single step wraps around."""
        last = len(self._shown) - 1
        place = self._chosen + steps
        if abs(steps) == 1 and last >= 0:
            place %= last + 1
        self._chosen = max(0, min(last, place))
        self._paint()

    def action_answer(self) -> None:
        self.action_pick(self._chosen)

    def action_pick(self, place: int) -> None:
        """Return the entry at ``place``, after enter or a click."""
        if place < len(self._shown):
            self.dismiss(self._shown[place])

    def action_leave(self) -> None:
        self.dismiss(None)

    @property
    def _shown(self) -> list[PaletteEntry]:
        return found(self._entries, self._typed)

    def _type(self, typed: str) -> None:
        self._typed = typed[:_LONGEST]
        self._chosen = 0
        self._paint()

    def _paint(self) -> None:
        lines = self.query_one("#entries", Lines)
        size = lines.size.width, lines.size.height
        lines.show(palette_lines(self._shown, self._chosen, self._typed, size))
