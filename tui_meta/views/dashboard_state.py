"""The state that all screens of the dashboard share: runs, events, connection, messages, rates."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.events import (
    AnyEvent,
    Evaluated,
    Progress,
    RunState,
    Saved,
    SaveFailed,
    Snapshot,
    Stopped,
    Validated,
    WriteRecovered,
)
from core.session.api import Connection, Session
from core.session.notification import Occasions
from tui_meta.views.event_history import EventHistory
from tui_meta.views.keys.keymap import KeyOf, key_in
from tui_meta.views.keys.table import NO_KEYMAP, Keymap
from tui_meta.views.messages.log import MessageLog
from tui_meta.views.messages.status_line import status_lines
from tui_meta.views.printable import printable
from tui_meta.views.rates import LOCAL, Rates, Throttle
from tui_meta.views.run_groups import titles
from tui_meta.views.run_status import RunStatus, run_statuses
from tui_meta.views.text import Line, Span, clip, line, plain


class DashboardState:
    """The runs of a session and what happened to them; owned by the application.

    ``history`` holds events of earlier sessions, and ``keymap`` the keys that the user has moved.
    """

    def __init__(
        self,
        snapshots: Mapping[str, Snapshot],
        history: Sequence[AnyEvent] = (),
        keymap: Keymap = NO_KEYMAP,
        rates: Rates = LOCAL,
    ) -> None:
        self.keymap = keymap
        self.messages = MessageLog()
        self.messages.key = key_in(self.keymap)
        self.connection = Connection()
        self.rates = rates
        self.throttle = Throttle(rates.tick)
        self.save_problems: dict[str, str] = {}
        """Why runs cannot be written at present, or could not when others replaced them."""
        self.on_restart: list[Callable[[], None]] = []
        """Called when other runs have replaced the present ones."""
        self.on_added: list[Callable[[], None]] = []
        """Called when there are more runs, besides the present ones."""
        self.on_message: list[Callable[[], None]] = []
        """Called when a page shows a message, which may be below the Watch screen then."""
        self.on_occasion: list[Callable[[str], None]] = []
        """Called with a message when a run diverges or fails, and when all have ended."""
        self._occasions = Occasions()
        self._seen = 0
        self._begin(snapshots, history)

    def _begin(self, snapshots: Mapping[str, Snapshot], history: Sequence[AnyEvent]) -> None:
        self.history = EventHistory(snapshots)
        self.history.add(history)
        self._name(snapshots)

    def _name(self, snapshots: Mapping[str, Snapshot]) -> None:
        self.snapshots = snapshots
        self.titles = titles(snapshots)
        """The names of the runs on the screen."""
        self._statuses: list[RunStatus] | None = None
        self.messages.name(self.titles)

    @property
    def key(self) -> KeyOf:
        """The function that gives the key of an action, for texts."""
        return self.messages.key

    @property
    def statuses(self) -> list[RunStatus]:
        """The status of each run; made once for all parts of a screen that show it."""
        if self._statuses is None:
            self._statuses = run_statuses(self.snapshots, self.history, self.titles)
        return self._statuses

    def expect_state(self, runs: Iterable[str], state: RunState) -> None:
        """Show ``runs`` as on their way to ``state``, which a command has requested."""
        self.history.wanted.update(dict.fromkeys(runs, state))
        self._statuses = None

    @property
    def loaded(self) -> bool:
        """True once every run has what it needs to train."""
        return all(one.state != "loading" for one in self.snapshots.values())

    def newest_message(self, width: int) -> Line:
        """Return the newest message in one line."""
        (newest,) = status_lines(self.messages, 1, width) or ((),)
        return newest

    def message_lines(self, width: int, rows: int) -> Sequence[Line]:
        """Return the newest messages; a problem with saving keeps a line as long as it lasts."""
        problems = [run for run in self.save_problems if run in self.snapshots]
        if not problems:
            return status_lines(self.messages, rows, width)
        run = problems[-1]
        text = f"{self.titles[run]} could not be saved: {self.save_problems[run]}"
        text = clip(printable(text), width)
        said = status_lines(self.messages, rows - 1, width) if rows > 1 else ()
        if any(plain(one) == text for one in said):
            return status_lines(self.messages, rows, width)
        return (line(Span(text, "bold red")), *said)

    def poll(self, session: Session) -> bool:
        """Fold what is new in ``session``; True if the user waits for some of it."""
        connection = session.connection
        # Events before snapshots: a run that one of these events names is then among them.
        events = session.events(self._seen)
        known = max(0, session.first_new - self._seen)
        self._seen += len(events)
        awaited = self.update(events, session.snapshots())
        self._call_user(events, known)
        # Last, so that a screen sees the end of a connection after the events that led to it.
        self.connection = connection
        return awaited

    def _call_user(self, events: Sequence[AnyEvent], known: int) -> None:
        """Say once what deserves it; nothing of the first ``known`` events, nor of what the user
        stopped.
        """
        messages: list[str] = []
        for number, event in enumerate(events):
            said = self._occasions.add(event, self.snapshots)
            if number >= known and not isinstance(event, Stopped):
                messages += [message for _, message in said]
        for call in self.on_occasion if messages else ():
            call(messages[-1])

    def update(self, events: Sequence[AnyEvent], snapshots: Mapping[str, Snapshot]) -> bool:
        """Fold new events; True if the user waits for one of them, or for a first iteration.

        Further runs join the present ones; others in their place start with an empty history.
        """
        now, before = tuple(snapshots), self.history.runs
        has_grown = len(now) > len(before) and now[: len(before)] == before
        restarted = now != before and not has_grown
        if restarted:
            self._begin(snapshots, ())
        elif has_grown:
            self.history.add_runs(now[len(before) :])
            self._name(snapshots)
        has_begun = any(
            one.iteration and run in self.snapshots and not self.snapshots[run].iteration
            for run, one in snapshots.items()
        )
        self.snapshots, self._statuses = snapshots, None
        self.history.add(events)
        self.history.see(snapshots)
        for event in events:
            self.messages.add_event(event)
            if isinstance(event, SaveFailed | WriteRecovered):
                self.save_problems.pop(event.run, None)
            if isinstance(event, SaveFailed):
                self.save_problems[event.run] = event.problem
        for call in self.on_restart if restarted else self.on_added if has_grown else ():
            call()
        return has_begun or any(map(_is_awaited, events))


def _is_awaited(event: AnyEvent) -> bool:
    """True for every event but those that come regularly by themselves."""
    match event:
        case Progress() | Validated():
            return False
        case Evaluated(probe=probe):
            return probe != "validation"
        case Saved(kind=kind):
            return kind in ("hand", "final")
    return True
