"""The message log, with times."""

from collections.abc import Iterable

from textual.widget import Widget

from core.session.api import Session
from tui_meta.screens.page import Page
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.pages import MESSAGES_KEYS
from tui_meta.views.messages.log import message_lines
from tui_meta.views.tabular import Rows, message_rows
from tui_meta.widgets.lines import ScrolledLines


class MessagesPage(Page):
    """Follows the newest message until the user scrolls up."""

    NAME = "Messages"
    KEYS = MESSAGES_KEYS

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._at_end = True

    def body(self) -> Iterable[Widget]:
        yield ScrolledLines(id="log")

    def copied(self) -> tuple[str, Rows]:
        return "messages", message_rows(self.dashboard.messages.all)

    def on_mount(self) -> None:
        """Follow the end only if the user scrolls there, not when size or messages change."""
        self.watch(self.query_one(ScrolledLines), "scroll_y", self._on_scroll, init=False)

    def _on_scroll(self) -> None:
        scroll = self.query_one(ScrolledLines)
        self._at_end = scroll.scroll_y >= scroll.max_scroll_y - 1

    def paint(self) -> None:
        log = self.query_one(ScrolledLines)
        log.show(message_lines(self.dashboard.messages.all, log.line_width))
        if self._at_end:
            log.scroll_end(animate=False)

    def action_scroll(self, rows: int) -> None:
        """Scroll by rows, towards newer ones if positive."""
        self.query_one(ScrolledLines).scroll_relative(y=rows, animate=False)

    def action_page(self, pages: int) -> None:
        scroll = self.query_one(ScrolledLines)
        scroll.scroll_relative(y=pages * max(1, scroll.size.height - 1), animate=False)
