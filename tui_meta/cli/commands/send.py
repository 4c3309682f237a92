"""``tui-meta send``: what the keys do, from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core import validation
from core.errors import LabError
from core.evaluation.protocols import PROBES, ProbeName
from core.events import (
    AnyCommand,
    AnyEvent,
    CommandRejected,
    Diverged,
    Evaluated,
    Extend,
    Extended,
    Failed,
    Pause,
    Paused,
    Resume,
    Resumed,
    Save,
    Saved,
    SaveFailed,
    SetPace,
    Step,
    Stepped,
    Stopped,
)
from core.remote.client import RemoteSession
from core.remote.connection import find_session
from core.remote.protocol import RemoteError
from tui_meta.cli.headless import problem_line
from tui_meta.console import Exit, Output, print_error
from tui_meta.views.messages.log import Messages
from tui_meta.views.numbers import pace as pace_words
from tui_meta.views.run_status import titles
from tui_meta.views.text import plain

_TROUBLE = (CommandRejected, SaveFailed, Failed, Diverged)
_ENDS = (Failed, Diverged, Stopped)

LOOK_SECONDS = 1.0
"""How often it is looked whether the session is still there."""


@dataclass
class UnknownOrderError(LabError):
    """A word that means nothing to a run."""

    problem: str

    @property
    def statement(self) -> str:
        return self.problem


@dataclass(frozen=True)
class Order:
    """What a word stands for: a command, or the probe of an evaluation, and what answers it."""

    command: AnyCommand | None
    answer: type[AnyEvent] | None
    probe: ProbeName | None = None

    def is_answered_by(self, event: AnyEvent) -> bool:
        """Whether ``event`` says that its run has, or has not, done it."""
        if isinstance(event, _ENDS) or (isinstance(event, SaveFailed) and self.answer is Saved):
            return True
        if isinstance(event, Evaluated):
            return self.answer is Evaluated and event.probe == self.probe
        if isinstance(event, Saved) and event.kind != "hand":
            return False
        if isinstance(event, CommandRejected):
            named = type(self.command).__name__.lower() if self.command else "evaluate"
            return event.command == named
        return self.answer is not None and isinstance(event, self.answer)


def _pace(argument: str) -> Order:
    pace = None if argument in ("", "full") else _number(argument, float, "a number, or full")
    if pace is not None:
        validation.pace("pace", pace)
    return Order(SetPace(pace), None)


def _step(argument: str) -> Order:
    count = int(_number(argument or "1", int, "a whole number"))
    validation.count("step", count)
    return Order(Step(count), Stepped)


def _evaluate(argument: str) -> Order:
    known = [probe for probe in PROBES if probe != "validation"]
    for probe in known:
        if probe == (argument or "random"):
            return Order(None, Evaluated, probe)
    raise UnknownOrderError(f"evaluate {argument!r} is unknown; use one of {', '.join(known)}")


ORDERS: dict[str, Callable[[str], Order]] = {
    "pause": lambda _: Order(Pause(), Paused),
    "resume": lambda _: Order(Resume(), Resumed),
    "step": _step,
    "save": lambda _: Order(Save(), Saved),
    "evaluate": _evaluate,
    "pace": _pace,
    "extend": lambda _: Order(Extend(), Extended),
}
"""What can be sent, and how its argument is read."""


def send(id: str, words: Sequence[str], run: str | None) -> int:
    """Hand the order ``words`` to ``run``, or to every run, and say what came of it."""
    order = _understood(words)
    session = RemoteSession(find_session(id).id)
    try:
        runs = _runs(session, run)
        if order.command:
            session.send(order.command, run)
        elif order.probe:
            session.evaluate(order.probe, run)
        session.sync()
        answers = _answers(session, order, runs) if order.answer else []
    finally:
        session.detach()
    return _report(session, order, answers)


def _understood(words: Sequence[str]) -> Order:
    word, *arguments = words
    if word not in ORDERS:
        raise UnknownOrderError(f"{word!r} cannot be sent; use one of {', '.join(ORDERS)}")
    if len(arguments) > 1 or (arguments and word in ("pause", "resume", "save", "extend")):
        raise UnknownOrderError(f"{word} takes no argument {arguments[-1]!r}")
    return ORDERS[word](arguments[0] if arguments else "")


def _number(text: str, kind: type[float], allowed: str) -> float:
    try:
        return kind(text)
    except ValueError as error:
        raise UnknownOrderError(f"{text!r} is not {allowed}") from error


def _runs(session: RemoteSession, run: str | None) -> set[str]:
    known = session.snapshots()
    if run is not None and run not in known:
        raise UnknownOrderError(f"there is no run {run!r}; runs: {', '.join(known)}")
    return set(known) if run is None else {run}


def _answers(session: RemoteSession, order: Order, runs: set[str]) -> list[AnyEvent]:
    """What each of ``runs`` says to the order, once all of them have."""
    seen, waiting, answers = session.first_new, set(runs), list[AnyEvent]()
    while waiting:
        session.wait_for_events(seen, LOOK_SECONDS)
        news = session.events(seen)
        seen += len(news)
        for event in news:
            if event.run in waiting and order.is_answered_by(event):
                waiting.discard(event.run)
                answers.append(event)
        lost = session.connection.lost or ("it has ended" if session.connection.ended else "")
        if waiting and lost:
            raise RemoteError(f"session {session.connection.id}: {lost}")
    return answers


def _report(session: RemoteSession, order: Order, answers: Sequence[AnyEvent]) -> int:
    messages, names, code = Messages(), titles(session.snapshots()), Exit.DONE
    messages.titles = names
    if isinstance(order.command, SetPace):
        messages.show_message(f"pace: {pace_words(order.command.pace)}")
    for event in answers:
        if isinstance(event, _TROUBLE):
            code = Exit.REFUSED
            print_error(problem_line(event, names[event.run]) or "")
        else:
            messages.add_event(event)
    for line in messages.lines(len(answers) + 1, 10_000):
        Output().tell(plain(line))
    return code
