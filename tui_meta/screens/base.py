"""The base of every screen but the dialogs, and bindings made from the table of keys."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.worker import get_current_worker

from core.analysis.answers import AnyAnswer, Cancelled
from core.analysis.callbacks import OnProgress, ignore_progress
from core.analysis.questions import AnyQuestion
from core.errors import LabError, unexpected
from core.events import Snapshot
from core.session.api import Session
from tui_meta.upstream.repaint import OneFrame, QuietBelow, QuietFocus
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.table import Groups, Key
from tui_meta.views.tabular import Rows

Result = TypeVar("Result")


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


class DashboardScreen(QuietFocus, QuietBelow, OneFrame, inherit_bindings=False):
    """A screen about the runs of ``dashboard``. The help of a key describes its action."""

    NAME: ClassVar[str]
    BLANK = True

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__()
        self.session = session
        self.dashboard = dashboard

    @property
    def key_groups(self) -> Groups:
        """The keys of this screen, for the help."""
        raise NotImplementedError

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        """The runs that the key info describes: all of them, or the one in focus."""
        return list(self.dashboard.snapshots.values())

    def show_info(self) -> None:
        """Show what the runs in focus are."""
        from tui_meta.screens.dialogs.info import Info  # late: it reads run folders

        self.app.push_screen(Info(self.runs_in_focus, self.session.folders()))

    def copied(self) -> tuple[str, Rows]:
        """Return the name and rows of what is copied."""
        raise NotImplementedError

    def files(self) -> Mapping[str, str]:
        """Return what a picture is saved with besides charts: texts by the ends of file names."""
        return {}

    def paint(self) -> None:
        """Update what has changed."""
        raise NotImplementedError

    def answer(self) -> None:
        """Show what a key has changed; what takes longer may follow."""
        self.paint()

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

    # Questions, which are answered beside training.

    def ask(
        self,
        name: str,
        question: AnyQuestion,
        then: Callable[[AnyAnswer], None],
        *,
        progress: OnProgress = ignore_progress,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask in a thread and pass the answer to ``then``; replaces an earlier question ``name``.

        ``progress`` is called in any thread and must not block. ``failed`` receives the reason if
        there is no answer; by default it is shown as a message.
        """

        def answer(cancelled: Callable[[], bool]) -> AnyAnswer:
            return self.session.ask(question, progress, cancelled)

        self.compute(name, answer, then, failed)

    def compute(
        self,
        name: str,
        find: Callable[[Callable[[], bool]], Result],
        then: Callable[[Result], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Call ``find`` in a thread and pass its result to ``then``; otherwise like `ask`.

        ``find`` receives a function that returns True once the result is no longer needed.
        """

        def work() -> None:
            worker = get_current_worker()
            try:
                found = find(lambda: worker.is_cancelled)
            except BaseException as error:  # a question without an answer ends, and nothing else
                known = isinstance(error, LabError | OSError)
                problem = str(error) if known else unexpected(error)
                if not worker.is_cancelled:
                    self.app.call_from_thread(failed or self.show_error, problem)
                return
            if not (isinstance(found, Cancelled) or worker.is_cancelled):
                self.app.call_from_thread(then, found)

        self.run_worker(work, thread=True, exclusive=True, group=name)

    def cancel(self, name: str) -> None:
        """Cancel the question ``name``."""
        self.workers.cancel_group(self, name)
