"""The message log: results of keys and events of the runs, newest last."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

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
    RolledBack,
    Saved,
    SaveFailed,
    Started,
    Stepped,
    Stopped,
    WriteRecovered,
)
from tui_meta.views.describe import Severity, describe
from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.text import Line, Span, cells, clip, line, wrap

KEPT_MESSAGES = 200

KEPT_PROBLEMS = 9
"""Problems that wait to be dismissed; older ones are among the messages."""

READ_SECONDS = 2.0
"""A key marks a result as read only if it was visible this long."""

_NEAR = 4
"""Among how many of the newest messages one of another run is looked for, to become one with it."""

_SHOWN_ANYWAY = ("pause", "resume", "extend")
"""What the lines of the runs show too: its message gives way to the next one."""

_LEAST_KEPT = 16
"""Cells of a line, its gap included, that a result keeps beside what a key has just done."""

_BAD = "bold red"


@dataclass(frozen=True)
class Message:
    """``head`` and, run by run, what it has to add.

    ``key`` names the command it belongs to, and after a space what else tells it from others.
    Messages of one key from different runs become one. A ``pending`` one is a promise that the
    first message of its command replaces. One that ``stays`` keeps a line until it is dismissed.
    ``time`` is in seconds since the epoch.
    """

    key: str
    head: str
    parts: tuple[tuple[str, str], ...] = ()
    style: str = ""
    pending: bool = False
    time: float = 0.0
    stays: bool = False
    dismissed: bool = False

    @property
    def text(self) -> str:
        """All of it in one line."""
        said = " · ".join(part for _, part in self.parts)
        return f"{self.head}: {said}" if self.head and said else self.head or said


class Messages:
    """The messages of a dashboard, from keys and events.

    A result of the user's own action keeps a line until a later key marks it as read; ``clock``
    returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.titles: Mapping[str, str] = {}
        """The names on the screen of all runs there have been."""
        self.key: KeyOf = usual_key
        """Which keys the lines name."""
        self._said: list[Message] = []
        self._staying: list[Message] = []
        self._clock = clock
        self._unread: list[tuple[Message, float]] = []
        """Results that were not read yet, the oldest first, and when they came."""
        self._expected: Counter[str] = Counter()
        """How many answers to each command are still to come."""

    def expect(self, key: str, text: str, answers: int = 1) -> None:
        """Show a request at once; the first of its ``answers`` replaces this line."""
        self._drop_pending(key)
        self._expected[key] += answers
        self._put(Message(key, text, pending=True, time=time.time()))

    def show_message(self, text: str, style: str = "") -> None:
        """Show a message without a further result; the next such message replaces it."""
        self._drop_pending("")
        self._put(Message("", text, style=style, pending=True, time=time.time()))

    def show_result(self, result: str) -> None:
        """Show a result, which keeps a line until it is read."""
        self._drop_pending("")
        self._put(Message("", result, time=time.time()), unread=True)

    def mark_read(self) -> None:
        """Mark results that were visible for a while as read, because a key was pressed."""
        read_before = self._clock() - READ_SECONDS
        self._unread = [(one, since) for one, since in self._unread if since > read_before]

    def show_error(self, problem: str) -> None:
        """Show a problem, which keeps a line until it is dismissed."""
        self._drop_pending("")
        self._put(Message("", problem, style=_BAD, time=time.time(), stays=True))

    def dismiss(self) -> bool:
        """Dismiss the newest problem that keeps a line; return False if none does."""
        if not self._staying:
            return False
        problem = self._staying.pop()
        self._said = [replace(one, dismissed=True) if one is problem else one for one in self._said]
        return True

    def add_event(self, event: AnyEvent) -> None:
        """Add the message of ``event``, if it has one."""
        message = self._of(event)
        if message is None:
            return
        message = replace(message, time=event.time)
        answers = self._answers(message.key)
        self._drop_pending(message.key)
        for other in reversed(self._said[-_NEAR:]):
            runs = [run for run, _ in other.parts] + [event.run]
            names = {self.titles.get(run, run) for run in runs}
            if other.key == message.key and len(names) == len(runs):
                order = [*self.titles, *runs]
                parts = sorted(
                    (*other.parts, *message.parts), key=lambda part: order.index(part[0])
                )
                self._said.remove(other)
                self._staying = [one for one in self._staying if one is not other]
                answers = answers or any(one is other for one, _ in self._unread)
                self._unread = [(one, since) for one, since in self._unread if one is not other]
                message = replace(other, parts=tuple(parts), time=event.time, dismissed=False)
                break
        self._put(message, unread=answers and message.key not in _SHOWN_ANYWAY)

    def _answers(self, key: str) -> bool:
        """Return True if this client requested something with this key."""
        for asked in self._expected:
            if _related(key, asked):
                self._expected -= Counter([asked])
                return True
        return False

    @property
    def all(self) -> Sequence[Message]:
        """All messages kept, oldest first."""
        return self._said

    def lines(self, count: int, width: int) -> tuple[Line, ...]:
        """The newest messages in ``count`` lines, oldest first; the last may take several.

        A problem that stays has the first line, else the newest result that was not read. Where
        there is one line only, they share it with the newest message, or count what came later.
        """
        unread = self._unread[-1][0] if self._unread else None
        kept = self._staying[-1] if self._staying else unread
        if not kept or not count:
            return self._newest(self._said, count, width)
        later = [one for one in self._said if one is not kept]
        if kept in self._said:
            later = self._said[self._said.index(kept) + 1 :]
        later = [one for one in later if not one.dismissed]
        if not later or (not kept.stays and _rows(later, width) < count):
            return self._newest(self._said, count, width)
        said = Span(f"(esc) {kept.text}" if kept.stays else kept.text, kept.style or "bold")
        if count == 1:
            return (self._shared(said, later, width, kept),)
        rest = self._newest(later, count - 1, width)
        more = self._more(len(later) - len(rest))
        if rest and cells((said,)) + len(more) > width >= cells(rest[-1]) + len(more):
            whole_line = self._counting(said, "", width)
            return (whole_line, *rest[:-1], line(*rest[-1], Span(more, "dim")))
        return (self._counting(said, more, width), *rest)

    def _shared(self, said: Span, later: Sequence[Message], width: int, kept: Message) -> Line:
        """Return one line with the kept message and the newest one, or their number."""
        newest = later[-1]
        room = width - cells((said,)) - 3
        if cell_len(newest.text) > room:
            if not (kept.stays or newest.pending):
                return self._counting(said, self._more(len(later)), width)
            # What a key has just done is seen at once; a problem keeps half of the line.
            room = max(room, (width - 2) // 2, 0 if kept.stays else width - _LEAST_KEPT)
        (beside,) = self._newest(later, 1, room)
        left = Span(clip(said.text, width - 3 - cells(beside)), said.style)
        return line(left, " · ", *beside)

    def _counting(self, said: Span, more: str, width: int) -> Line:
        return line(Span(clip(said.text, width - len(more)), said.style), Span(more, "dim"))

    def _more(self, hidden: int) -> str:
        """Return the number of later messages that do not fit, and the key that shows them."""
        return f" · +{hidden} ({self.key('messages')})" if hidden > 0 else ""

    def _newest(self, said: Sequence[Message], count: int, width: int) -> tuple[Line, ...]:
        rows: list[Line] = []
        for one in reversed([one for one in said if not one.dismissed]):
            style = one.style or ("dim" if rows else "bold")
            room = count - len(rows)
            if room <= 0:
                break
            pieces = wrap(one.text, width)
            if len(pieces) > room:
                if rows:
                    pieces = [one.text]
                pieces[room - 1 :] = [" ".join(pieces[room - 1 :])]
            rows[:0] = [line(Span(clip(piece, width), style)) for piece in pieces]
        return tuple(rows)

    def _put(self, message: Message, *, unread: bool = False) -> None:
        self._said.append(message)
        del self._said[:-KEPT_MESSAGES]
        if unread:
            self._unread.append((message, self._clock()))
        if message.stays:
            self._staying = [*self._staying, message][-KEPT_PROBLEMS:]

    def _drop_pending(self, key: str) -> None:
        self._said = [one for one in self._said if not (one.pending and _related(one.key, key))]

    def _of(self, event: AnyEvent) -> Message | None:
        """Return ``event`` as a message; periodic evaluations are left to the charts."""
        description = describe(event)
        key = _key(event)
        if description is None or key is None:
            return None
        run = event.run
        if isinstance(event, Saved):
            # One line a run: two paths seldom fit next to each other.
            return Message(key, description.head, ((run, ""),))
        head = description.head
        if isinstance(event, Finished):
            head += f" · {self.key('continue')}: continue"
        title = self.titles.get(run, run)
        part = f"{title} {description.detail}".rstrip()
        style = _STYLES[description.severity]
        return Message(key, head, ((run, part),), style, stays=isinstance(event, Diverged | Failed))


def _key(event: AnyEvent) -> str | None:
    """Return the key of an event's message; None where it gets none."""
    match event:
        case Evaluated(probe="validation"):
            return None
        case Evaluated():
            return f"evaluate {event.probe} {event.index}"
        case Saved():
            return f"save {event.run}"
        case WriteRecovered():
            return f"save {event.run} again"
        case SaveFailed():
            return f"save {event.run} failed"
        case CommandIssued():
            return f"ask {event.who} {event.command}"
        case CommandRejected():
            return event.command
    return _KEYS.get(type(event))


_KEYS: Mapping[type, str] = {
    Started: "start",
    RolledBack: "rewind",
    Paused: "pause",
    Resumed: "resume",
    Stepped: "step",
    Extended: "extend",
    Finished: "finish",
    Stopped: "stop",
    Diverged: "diverge",
    Failed: "fail",
}

_STYLES: Mapping[Severity, str] = {"info": "", "warning": "yellow", "error": _BAD}


def message_lines(messages: Sequence[Message], width: int) -> list[Line]:
    """Return all ``messages``, each with its time of day, wrapped to ``width``."""
    lines: list[Line] = []
    for one in messages:
        at = time.strftime("%H:%M:%S", time.localtime(one.time))
        for number, piece in enumerate(wrap(one.text, max(10, width - 10))):
            lines.append(
                line(Span(f"{at if number == 0 else '':<8}  ", "dim"), Span(piece, one.style))
            )
    return lines


def _rows(messages: Sequence[Message], width: int) -> int:
    return sum(len(wrap(one.text, width)) for one in messages)


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other} ") or other.startswith(f"{one} ")
