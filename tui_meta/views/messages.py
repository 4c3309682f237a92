"""The lines that say what a key did and what the runs report, newest last."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.adaptation import PROBES
from core.events import (
    AnyEvent,
    Asked,
    Diverged,
    Evaluated,
    Extended,
    Failed,
    Finished,
    Paused,
    Recovered,
    Refused,
    Resumed,
    Rewound,
    Saved,
    SaveFailed,
    Started,
    Stepped,
    Stopped,
)
from tui_meta.views.numbers import loss, whole
from tui_meta.views.text import Line, Span, clip, line, wrap

KEPT_MESSAGES = 200

KEPT_PROBLEMS = 9
"""Problems that wait to be dismissed; older ones are among the messages."""

_NEAR = 4
"""Among how many of the newest messages one of another run is looked for, to become one with it."""

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

    @property
    def text(self) -> str:
        """All of it in one line."""
        said = " · ".join(part for _, part in self.parts)
        return f"{self.head}: {said}" if self.head and said else self.head or said


class Messages:
    """Folds what keys and events say."""

    def __init__(self) -> None:
        self.titles: Mapping[str, str] = {}
        """The names on the screen of all runs there have been."""
        self._said: list[Message] = []
        self._staying: list[Message] = []

    def ask(self, key: str, text: str) -> None:
        """Say at once what was asked for; its result will replace this line."""
        self._drop_pending(key)
        self._put(Message(key, text, pending=True, time=time.time()))

    def say(self, text: str, style: str = "") -> None:
        """Say something that has no further result; the same line is not said twice."""
        self._drop_pending("")
        self._put(Message("", text, style=style, pending=True, time=time.time()))

    def tell(self, result: str) -> None:
        """Say what came of something; other lines do not take its place."""
        self._drop_pending("")
        self._put(Message("", result, time=time.time()))

    def complain(self, problem: str) -> None:
        """Say what went wrong; it keeps a line until it is dismissed."""
        self._drop_pending("")
        self._put(Message("", problem, style=_BAD, time=time.time(), stays=True))

    def dismiss(self) -> bool:
        """Let go of the newest problem that keeps a line; False if none does."""
        if not self._staying:
            return False
        self._staying.pop()
        return True

    def hear(self, event: AnyEvent) -> None:
        """Say what ``event`` means to a person, if anything."""
        message = self._of(event)
        if message is None:
            return
        message = replace(message, time=event.time)
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
                message = replace(other, parts=tuple(parts), time=event.time)
                break
        self._put(message)

    @property
    def said(self) -> Sequence[Message]:
        """All that is remembered, oldest first."""
        return self._said

    def lines(self, count: int, width: int) -> tuple[Line, ...]:
        """The newest messages in ``count`` lines, oldest first; the last may take several.

        A problem that stays has the first line; where there is one line only, half of it.
        """
        problem = self._staying[-1] if self._staying else None
        if not problem or not count or self._said[-1] is problem:
            return self._newest(self._said, count, width)
        later = [one for one in self._said if one is not problem]
        if problem in self._said:
            later = self._said[self._said.index(problem) + 1 :]
        room = width if count > 1 else (width - 3) // 2
        kept = Span(clip(f"(esc) {problem.text}", room), problem.style)
        if count > 1:
            return (line(kept), *self._newest(later, count - 1, width))
        beside = self._newest(later, 1, width - room - 3)
        return (line(kept, " · ", *(span for row in beside for span in row)),)

    def _newest(self, said: Sequence[Message], count: int, width: int) -> tuple[Line, ...]:
        rows: list[Line] = []
        for one in reversed(said):
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

    def _put(self, message: Message) -> None:
        self._said.append(message)
        del self._said[:-KEPT_MESSAGES]
        if message.stays:
            self._staying = [*self._staying, message][-KEPT_PROBLEMS:]

    def _drop_pending(self, key: str) -> None:
        self._said = [one for one in self._said if not (one.pending and _related(one.key, key))]

    def _of(self, event: AnyEvent) -> Message | None:
        run, at = event.run, whole(event.iteration)
        title = self.titles.get(run, run)
        match event:
            case Evaluated(probe=probe) if probe != "validation":
                return _evaluated(event, title)
            case Saved(path=path, kind="hand" | "final"):
                # One line a run: two paths seldom fit beside each other.
                return Message(f"save {run}", f"saved {shown_path(path)}", ((run, ""),))
            case Started(engine=engine, device=device):
                part = f"{title} from {at}" if event.iteration else title
                if event.differs:
                    part += f" ({other_bits(event)})"
                return Message("start", f"engine {engine} on {device}", ((run, part),))
            case Rewound():
                said = "goes back; later events are replaced"
                return Message("rewind", said, ((run, f"{title} to {at}"),))
            case Paused():
                return Message("pause", "paused", ((run, f"{title} at {at}"),))
            case Resumed():
                return Message("resume", "training", ((run, f"{title} from {at}"),))
            case Stepped(count=count):
                head = "one step" if count == 1 else f"{whole(count)} steps"
                return Message("step", head, ((run, f"{title} is at {at}"),))
            case Asked(who=who, command=command):
                said = f"{who} asks to {_VERBS.get(command, command)}"
                return Message(f"ask {who} {command}", said, ((run, title),))
            case Extended(target=target):
                part = f"{title} to {whole(target)} iterations"
                return Message("extend", "trains on", ((run, part),))
            case Finished():
                return Message("finish", "finished (c trains on)", ((run, f"{title} at {at}"),))
            case Stopped():
                return Message("stop", "stopped", ((run, f"{title} at {at}"),))
        return self._of_trouble(event, title)

    def _of_trouble(self, event: AnyEvent, title: str) -> Message | None:
        run = event.run
        match event:
            case Refused(command=command, reason=reason):
                part = ((run, f"{title} cannot {_VERBS.get(command, command)}: {reason}"),)
                return Message(command, "", part, "yellow")
            case Recovered(path=path):
                said = f"{title} can be written again: {shown_path(path)}"
                return Message(f"save {run} again", "", ((run, said),))
            case SaveFailed(problem=problem):
                part = ((run, f"{title} could not be saved: {problem}"),)
                return Message(f"save {run} failed", "", part, _BAD)
            case Diverged(problem=problem, advice=advice):
                part = ((run, f"{title} diverged: {problem}; {advice}"),)
                return Message("diverge", "", part, _BAD, stays=True)
            case Failed(problem=problem):
                part = ((run, f"{title} failed: {problem}"),)
                return Message("fail", "", part, _BAD, stays=True)
        return None


def message_lines(messages: Sequence[Message], width: int) -> list[Line]:
    """All of ``messages``, each with the time of day, wrapped to ``width``."""
    lines: list[Line] = []
    for one in messages:
        at = time.strftime("%H:%M:%S", time.localtime(one.time))
        for number, piece in enumerate(wrap(one.text, max(10, width - 10))):
            lines.append(
                line(Span(f"{at if number == 0 else '':<8}  ", "dim"), Span(piece, one.style))
            )
    return lines


def other_bits(event: Started) -> str:
    """What is not as in the run's first sitting, and what follows."""
    return f"the bits may be others: {', '.join(event.differs)}"


def shown_path(path: str) -> str:
    """``path`` as seen from the working folder, if it lies within."""
    given = Path(path)
    here = Path.cwd()
    return str(given.relative_to(here)) if given.is_relative_to(here) else path


_VERBS = {
    "setpace": "change the pace",
    "extend": "train on",
    "fresh": "begin afresh",
    "stop": "save and end",
    "discard": "end without saving",
}


def _evaluated(event: Evaluated, title: str) -> Message:
    losses = f"{title} {loss(event.losses[0])} → {loss(event.losses[-1])}"
    wave = f"{event.amplitude:.2f}·sin(x + {event.phase:.2f})"
    head = f"{PROBES[event.probe].title}, {wave}"
    return Message(f"evaluate {event.probe} {event.index}", head, ((event.run, losses),))


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other} ") or other.startswith(f"{one} ")
