"""The screen of messages: all that was said, with times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from core.session.api import Session
from tui_meta.screens.page import Page, page_bindings
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.export import Rows, message_rows
from tui_meta.views.keys.pages import MESSAGES_KEYS
from tui_meta.views.messages.log import message_lines
from tui_meta.widgets.lines import Lines


class MessagesPage(Page):
    """Follows the newest message until somebody scrolls up."""

    NAME = "Messages"
    KEYS = MESSAGES_KEYS

    BINDINGS: ClassVar[list[BindingType]] = page_bindings(KEYS)

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._follows = True

    def body(self) -> Iterable[Widget]:
        page = VerticalScroll(Lines(id="said"), id="scroll")
        page.can_focus = False
        yield page

    def copied(self) -> tuple[str, Rows]:
        return "messages", message_rows(self.dashboard.messages.said)

    def on_mount(self) -> None:
        """Whoever scrolls says where; another size, or more messages, scroll nothing."""
        self.watch(self.query_one("#scroll"), "scroll_y", self._note, init=False)

    def _note(self) -> None:
        scroll = self.query_one("#scroll", VerticalScroll)
        self._follows = scroll.scroll_y >= scroll.max_scroll_y - 1

    def paint(self) -> None:
        said, scroll = self.query_one("#said", Lines), self.query_one("#scroll", VerticalScroll)
        lines = message_lines(self.dashboard.messages.said, scroll.size.width)
        if said.styles.height is None or said.size.height != len(lines):
            said.styles.height = max(1, len(lines))
        said.show(lines)
        if self._follows:
            scroll.scroll_end(animate=False)

    def action_scroll(self, rows: int) -> None:
        """Scroll by rows, towards newer ones if positive."""
        self.query_one("#scroll", VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        scroll = self.query_one("#scroll", VerticalScroll)
        scroll.scroll_relative(y=pages * max(1, scroll.size.height - 1), animate=False)
