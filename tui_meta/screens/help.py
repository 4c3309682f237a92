"""The list of keys, made from the bindings themselves."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tui_meta.views.help_text import help_lines
from tui_meta.widgets.lines import Lines


class Help(ModalScreen[None], inherit_bindings=False):
    """Shows keys until any closing key; ``bound`` has what each does, by its shown name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space,ctrl+c,ctrl+q", "dismiss")
    ]

    def __init__(self, bound: Mapping[str, str]) -> None:
        super().__init__()
        self._bound = bound

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page") as page:
            page.border_title = "keys"
            page.border_subtitle = "escape: back"
            yield Lines(id="help")

    def on_mount(self) -> None:
        """Fill the page once its width is known."""
        self.call_after_refresh(self._paint)

    def on_resize(self) -> None:
        """Wrap the words anew."""
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        shown = self.query_one("#help", Lines)
        lines = help_lines(self._bound, max(1, shown.size.width))
        shown.styles.height = len(lines)
        shown.show(lines)
