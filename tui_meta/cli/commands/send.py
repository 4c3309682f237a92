"""``tui-meta send``: commands of the dashboard, from a script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core import validation
from core.commands import AnyCommand, Extend, Pause, Resume, Save, SetPace, Step
from core.errors import LabError
from core.evaluation.few_shot_tasks import PROBES, ProbeName
from core.events import (
    AnyEvent,
    CommandRejected,
    Diverged,
    Evaluated,
    Extended,
    Failed,
    Paused,
    Resumed,
    Saved,
    SaveFailed,
    Snapshot,
    Stepped,
    Stopped,
)
from core.remote.client import RemoteSession
from core.remote.connection import find_session
from core.remote.protocol import RemoteError
from tui_meta.cli.headless import problem_line
from tui_meta.console import Exit, print_error
from tui_meta.output import Output
from tui_meta.views.dialogs.new_run import NewRun
from tui_meta.views.messages.log import MessageLog
from tui_meta.views.messages.status_line import status_lines
from tui_meta.views.numbers import pace as pace_words
from tui_meta.views.run_groups import titles
from tui_meta.views.text import plain

_PROBLEMS = (CommandRejected, SaveFailed, Failed, Diverged)
_ENDS = (Failed, Diverged, Stopped)

LOOK_SECONDS = 1.0
"""Interval of checks that the session still runs."""


@dataclass(frozen=True)
class Request:
    """A command, or the probe of an evaluation, and the type of the event that answers it."""

    command: AnyCommand | None
    answer: type[AnyEvent] | None
    probe: ProbeName | None = None

    def is_answered_by(self, event: AnyEvent) -> bool:
        """Return whether ``event`` reports success or failure of the request."""
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


def _pace(argument: str) -> Request:
    pace = None if argument in ("", "full") else _number(argument, float, "a number, or full")
    if pace is not None:
        validation.pace("pace", pace)
    return Request(SetPace(pace), None)


def _step(argument: str) -> Request:
    count = int(_number(argument or "1", int, "a whole number"))
    validation.count("step", count)
    return Request(Step(count), Stepped)


def _evaluate(argument: str) -> Request:
    known = [probe for probe in PROBES if probe != "validation"]
    for probe in known:
        if probe == (argument or "random"):
            return Request(None, Evaluated, probe)
    raise LabError(f"evaluate {argument!r} is unknown; use one of {', '.join(known)}")


COMMANDS: dict[str, Request | Callable[[str], Request]] = {
    "pause": Request(Pause(), Paused),
    "resume": Request(Resume(), Resumed),
    "step": _step,
    "save": Request(Save(), Saved),
    "evaluate": _evaluate,
    "pace": _pace,
    "extend": Request(Extend(), Extended),
}
"""Commands about the present runs; those with an argument make the request from it."""

ADD = "add"
"""The command that begins another run."""


def send(id: str, words: Sequence[str], run: str | None) -> int:
    """Send the command ``words`` to ``run``, or to every run, and print the outcome."""
    request = None if words[0] == ADD else _parse(words)
    session = RemoteSession(find_session(id).id)
    try:
        known = session.snapshots()
        if run is not None and run not in known:
            raise LabError(f"no run {run!r}; runs: {', '.join(known)}")
        if request is None:
            return _add(session, words[1:], known[run or next(iter(known))])
        if request.command:
            session.send(request.command, run)
        elif request.probe:
            session.evaluate(request.probe, run)
        session.sync()
        runs = set(known) if run is None else {run}
        answers = _answers(session, request, runs) if request.answer else []
    finally:
        session.detach()
    return _report(session, request, answers)


def _add(session: RemoteSession, words: Sequence[str], beside: Snapshot) -> int:
    """Begin a run as ``beside``, but for the settings in ``words``."""
    folder = session.folders().get(beside.run)
    if folder is None:  # it arrives a moment after its run
        raise LabError(f"{beside.run} has just begun; try again")
    new = NewRun(beside, [*session.snapshots().values()], folder.parent, beside.algorithm)
    new.check()
    new = new.with_words(words)
    name = session.add(new.request)
    Output().print_line(f"{name} started, as {beside.run}: {new.difference_words}")
    return Exit.DONE


def _parse(words: Sequence[str]) -> Request:
    word, *arguments = words
    request = COMMANDS.get(word)
    if request is None:
        raise LabError(f"unknown command {word!r}; use one of {', '.join([*COMMANDS, ADD])}")
    if len(arguments) > callable(request):
        raise LabError(f"{word} takes no argument {arguments[-1]!r}")
    return request(arguments[0] if arguments else "") if callable(request) else request


def _number(text: str, kind: type[float], allowed: str) -> float:
    try:
        return kind(text)
    except ValueError as error:
        raise LabError(f"{text!r} is not {allowed}") from error


def _answers(session: RemoteSession, request: Request, runs: set[str]) -> list[AnyEvent]:
    """Wait for an answer from each of ``runs``, and return the answers."""
    seen, waiting, answers = session.first_new, set(runs), list[AnyEvent]()
    while waiting:
        session.wait_for_events(seen, LOOK_SECONDS)
        new = session.events(seen)
        seen += len(new)
        for event in new:
            if event.run in waiting and request.is_answered_by(event):
                waiting.discard(event.run)
                answers.append(event)
        lost = session.connection.lost or ("ended" if session.connection.ended else "")
        if waiting and lost:
            raise RemoteError(f"session {session.connection.id}: {lost}")
    return answers


def _report(session: RemoteSession, request: Request, answers: Sequence[AnyEvent]) -> int:
    messages, names, code = MessageLog(), titles(session.snapshots()), Exit.DONE
    messages.name(names)
    if isinstance(request.command, SetPace):
        messages.show_message(f"pace: {pace_words(request.command.pace)}")
    for event in answers:
        if isinstance(event, _PROBLEMS):
            code = Exit.REFUSED
            print_error(problem_line(event, names[event.run]) or "")
        else:
            messages.add_event(event)
    for line in status_lines(messages, len(answers) + 1, 10_000):
        Output().print_line(plain(line))
    return code
