"""The base of every screen but the dialogs, and bindings made from the table of keys."""

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from core.session.api import Session
from tui_meta.upstream.repaint import QuietFocus
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.table import Groups, Key
from tui_meta.views.tabular import Rows


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return one binding for each key; its tooltip is the text of the help."""
    return [
        Binding(
            key.names,
            key.action,
            key.label,
            tooltip=key.help,
            id=key.name,
            priority=key.always,
        )
        for key in keys
    ]


class DashboardScreen(QuietFocus, inherit_bindings=False):
    """A screen about the runs of ``dashboard``. The help of a key describes its action."""

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__()
        self.session = session
        self.dashboard = dashboard

    @property
    def key_groups(self) -> Groups:
        """The keys of this screen, for the help."""
        raise NotImplementedError

    def copied(self) -> tuple[str, Rows]:
        """Return the name and rows of what is copied."""
        raise NotImplementedError

    def paint(self) -> None:
        """Update what has changed."""
        raise NotImplementedError

    def paint_messages(self) -> None:
        """Show the newest messages."""
        raise NotImplementedError

    def show_message(self, text: str) -> None:
        """Show a message at once."""
        self.dashboard.messages.show_message(text)
        self.paint_messages()

    def show_result(self, text: str) -> None:
        """Show the result of a command at once; it keeps its line until it has been read."""
        self.dashboard.messages.show_result(text)
        self.paint_messages()

    def show_error(self, problem: str) -> None:
        """Show a problem at once; it keeps its line until it is dismissed."""
        self.dashboard.messages.show_error(problem)
        self.paint_messages()
