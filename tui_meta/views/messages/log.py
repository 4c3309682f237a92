"""The message log: results of keys and events of the runs, newest last."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.events import (
    AnyEvent,
    CommandIssued,
    CommandRejected,
    Diverged,
    Evaluated,
    Extended,
    Failed,
    Finished,
    Paused,
    Resumed,
    Saved,
    SaveFailed,
    Stepped,
    Validated,
    WriteRecovered,
)
from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.messages.describe import Severity, describe
from tui_meta.views.text import Line, Span, line, wrap

KEPT_MESSAGES = 200

KEPT_PROBLEMS = 9
"""Problems that wait to be dismissed; older ones are among the messages."""

READ_SECONDS = 2.0
"""A key marks a result as read only if it was visible this long."""

_NEAR = 4
"""Number of newest messages among which one of another run is looked for, to be merged with it."""

MOST_NAMED = 4
"""Runs that a message names; of more, it counts them."""

_SHOWN_ANYWAY = ("pause", "resume", "extend")
"""Commands whose results the lines of the runs show too: their messages give way to the next."""

_COMMANDS: Mapping[type, str] = {
    Paused: "pause",
    Resumed: "resume",
    Stepped: "step",
    Extended: "extend",
}
_STYLES: Mapping[Severity, str] = {"info": "", "warning": "yellow", "error": "bold red"}


class MessageKey(NamedTuple):
    """Subject of a message: a command, or a kind of event, and what it is about in particular.

    A message with the default key is a note.
    """

    command: str = ""
    subject: str | None = None
    detail: str | int | None = None

    def matches(self, other: "MessageKey") -> bool:
        """Return True if the keys agree in all that both of them specify."""
        pairs = zip(self, other, strict=True)
        return all(one is None or two is None or one == two for one, two in pairs)


class Part(NamedTuple):
    """What a message says about one run: its name on the screen, if it is named, and ``detail``."""

    run: str
    name: str = ""
    detail: str = ""

    @property
    def text(self) -> str:
        """The part in words."""
        return f"{self.name} {self.detail}".strip()


@dataclass(eq=False)
class Message:
    """A message: ``head`` and, run by run, the parts after it.

    Messages of one key from different runs are merged. A ``pending`` one is replaced by the first
    message with a matching key. One that ``stays`` keeps a line until it is dismissed, and one with
    ``unread_since`` until it was read. ``time`` is in seconds since the epoch. ``hint`` ends it.
    """

    key: MessageKey
    head: str
    parts: tuple[Part, ...] = ()
    style: str = ""
    pending: bool = False
    time: float = 0.0
    stays: bool = False
    dismissed: bool = False
    unread_since: float | None = None
    hint: str = ""

    @property
    def text(self) -> str:
        """The whole message in one line."""
        return self._with(" · ".join(part.text for part in self.parts))

    @property
    def brief(self) -> str:
        """The message with many runs counted, if that says as much."""
        details = {part.detail for part in self.parts}
        if len(self.parts) <= MOST_NAMED or not (self.head or len(details) == 1):
            return self.text
        detail = details.pop() if len(details) == 1 else ""
        return self._with(f"{len(self.parts)} runs {detail}".strip())

    def _with(self, details: str) -> str:
        return ": ".join(part for part in (self.head, details) if part) + self.hint


class MessageLog:
    """The messages of a dashboard, from keys and events.

    A result of the user's own action keeps a line until a later key marks it as read; ``clock``
    returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._titles: dict[str, str] = {}
        """The titles of all runs so far."""
        self.key: KeyOf = usual_key
        """Returns the key of an action, for the messages that name one."""
        self.all: list[Message] = []
        """All messages kept, oldest first."""
        self._clock = clock
        self._expected: Counter[MessageKey] = Counter()
        """The number of answers to each command that are still to come."""

    def name(self, titles: Mapping[str, str]) -> None:
        """Take the ``titles`` of runs, also in messages that are there already."""
        self._titles |= titles
        for one in self.all:
            one.parts = tuple(
                part._replace(name=titles[part.run]) if part.name and part.run in titles else part
                for part in one.parts
            )

    @property
    def kept(self) -> Message | None:
        """The message that keeps a line: the newest problem, else the newest unread result."""
        problems = [one for one in self.all if one.stays]
        unread = [one for one in self.all if one.unread_since is not None]
        keeping = problems or unread
        return keeping[-1] if keeping else None

    def expect(self, key: MessageKey, text: str, answers: int = 1) -> None:
        """Show a request at once; the first of its ``answers`` replaces this line."""
        self._expected[key] += answers
        self._put(Message(key, text, pending=True, time=time.time()))

    def show_message(self, text: str) -> None:
        """Show a note; the next one replaces it."""
        self._put(Message(MessageKey(), text, pending=True, time=time.time()))

    def leave_screen(self) -> None:
        """Drop the note, and dismiss results that were read: they were about a screen that is left.

        What was said about runs stays.
        """
        self.all = [one for one in self.all if not (one.pending and one.key == MessageKey())]
        for one in self.all:
            is_read = one.key == MessageKey() and one.unread_since is None and not one.stays
            one.dismissed = one.dismissed or is_read

    def show_result(self, result: str) -> None:
        """Show a result, which keeps a line until it is read."""
        unread_since = self._clock()
        self._put(Message(MessageKey(), result, time=time.time(), unread_since=unread_since))

    def show_error(self, problem: str) -> None:
        """Show a problem, which keeps a line until it is dismissed."""
        style = _STYLES["error"]
        self._put(Message(MessageKey(), problem, style=style, time=time.time(), stays=True))

    def mark_read(self) -> None:
        """Mark results that were visible for a while as read, because a key was pressed."""
        read_before = self._clock() - READ_SECONDS
        for one in self.all:
            if one.unread_since is not None and one.unread_since <= read_before:
                one.unread_since = None

    def dismiss(self) -> bool:
        """Dismiss the newest problem that keeps a line; return False if none does."""
        problem = self.kept
        if problem is None or not problem.stays:
            return False
        problem.stays, problem.dismissed = False, True
        return True

    def add_event(self, event: AnyEvent) -> None:
        """Add the message of ``event``, if it has one."""
        message = self._of(event)
        if message is None:
            return
        self._drop_pending(message.key)
        unread = self._answers(message.key) and message.key.command not in _SHOWN_ANYWAY
        for other in reversed(self.all[-_NEAR:]):
            runs = [part.run for part in other.parts] + [event.run]
            names = {self._titles.get(run, run) for run in runs}
            if other.key == message.key and len(names) == len(runs):
                known = dict.fromkeys([*self._titles, *runs])
                order = {run: place for place, run in enumerate(known)}
                parts = (*other.parts, *message.parts)
                message.parts = tuple(sorted(parts, key=lambda part: order[part.run]))
                message.head, message.style = other.head, other.style
                unread = unread or other.unread_since is not None
                self.all.remove(other)
                break
        message.unread_since = self._clock() if unread else None
        self._put(message)

    def _answers(self, key: MessageKey) -> bool:
        """Return True if this client sent a command that a message of ``key`` answers."""
        for asked in self._expected:
            if key.matches(asked):
                self._expected -= Counter([asked])
                return True
        return False

    def _drop_pending(self, key: MessageKey) -> None:
        self.all = [one for one in self.all if not (one.pending and one.key.matches(key))]

    def _put(self, message: Message) -> None:
        self._drop_pending(message.key)
        self.all.append(message)
        for problem in [one for one in self.all if one.stays][:-KEPT_PROBLEMS]:
            problem.stays = False
        if len(self.all) > KEPT_MESSAGES:
            self.all.remove(next(one for one in self.all if not one.stays))

    def _of(self, event: AnyEvent) -> Message | None:
        """Return ``event`` as a message; periodic evaluations are left to the charts."""
        description = describe(event)
        periodic = isinstance(event, Evaluated) and event.probe == "validation"
        if description is None or periodic or isinstance(event, Validated):
            return None
        run, head = event.run, description.head
        part = Part(run, self._titles.get(run, run), description.detail)
        if isinstance(event, Saved):
            part = Part(run)  # a line for each run: two paths seldom fit next to each other
        return Message(
            _key(event),
            head,
            (part,),
            _STYLES[description.severity],
            time=event.time,
            stays=isinstance(event, Diverged | Failed),
            hint=f"; {self.key('continue')}: continue" if isinstance(event, Finished) else "",
        )


def _key(event: AnyEvent) -> MessageKey:
    match event:
        case Evaluated():
            return MessageKey("evaluate", event.probe, event.index)
        case Saved():
            return MessageKey("save", event.run)
        case WriteRecovered():
            return MessageKey("save", event.run, "recovered")
        case SaveFailed():
            return MessageKey("save", event.run, "failed")
        case CommandIssued():
            return MessageKey("request", event.who, event.command)
        case CommandRejected():
            return MessageKey(event.command)
    return MessageKey(_COMMANDS.get(type(event), type(event).__name__))


def message_lines(messages: Sequence[Message], width: int) -> list[Line]:
    """Return all ``messages``, each with its time of day, wrapped to ``width``."""
    lines: list[Line] = []
    for one in messages:
        at = time.strftime("%H:%M:%S", time.localtime(one.time))
        for row in wrap(one.text, max(10, width - 10)):
            lines.append(line(Span(f"{at:<8}  ", "dim"), Span(row, one.style)))
            at = ""
    return lines
