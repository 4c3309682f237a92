"""Events in words, for the message log, headless output and ``send`` alike."""

from pathlib import Path
from typing import Literal

from msgspec import Struct

from core.evaluation.few_shot_tasks import PROBES
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
    Validated,
    WriteRecovered,
)
from core.storage.io import working_folder
from tui_meta.views.numbers import interval, iterations, loss, whole

Severity = Literal["info", "warning", "error"]


class Description(Struct, frozen=True):
    """An event in words.

    ``head`` is what several runs can share, and ``detail`` what is particular to one of them:
    "paused" and "at 12,300". An event that is about one run alone has a detail only.
    """

    head: str = ""
    detail: str = ""
    severity: Severity = "info"

    def sentence(self, title: str) -> str:
        """Return all of it, about the run that is called ``title``."""
        return " ".join(part for part in (title, self.head, self.detail) if part)


def describe(event: AnyEvent) -> Description | None:
    """Return ``event`` in words; None for events that the charts show."""
    at = whole(event.iteration)
    match event:
        case Started():
            start = f"from {at} to" if event.iteration else "to"
            differing = ", ".join(event.differs)
            note = f"; results may not be bit-identical: {differing}" if differing else ""
            note += f"; {event.note}" if event.note else ""
            head = f"training ({event.engine} engine, {event.device})"
            return Description(head, f"{start} {whole(event.target)}{note}")
        case RolledBack():
            return Description("rolled back", f"to {at}; later history is replaced")
        case Evaluated():
            losses = f"{loss(event.losses[0])} → {loss(event.losses[-1])}"
            return Description(f"{PROBES[event.probe].title}, {event.task_label}", losses)
        case Validated():
            return Description("validation", validation_words(event))
        case Saved(kind="hand" | "final"):
            return Description(f"saved {display_path(event.path)}")
        case Paused():
            return Description("paused", f"at {at}")
        case Resumed():
            return Description("training", f"from {at}")
        case Stepped():
            return Description(iterations(event.count), f"to {at}")
        case CommandIssued():
            return Description(f"{command_name(event.command)} requested by {event.who}")
        case Extended():
            return Description("continuing", f"to {whole(event.target)} iterations")
        case Finished():
            return Description("finished", f"at {at}")
        case Stopped():
            return Description("stopped", f"at {at}")
    return _describe_problem(event)


def validation_words(event: Validated) -> str:
    """Return the loss on the validation tasks: ``loss 4.5 → 0.0612 ± 0.008 on 64 tasks``."""
    result, before = event.result, loss(event.mean[0])
    after = "not finite" if result is None else interval(result.mean, result.margin)
    diverged = f", {whole(event.diverged[-1])} diverged" if event.diverged[-1] else ""
    return f"loss {before} → {after} on {whole(len(event.losses))} tasks{diverged}"


def _describe_problem(event: AnyEvent) -> Description | None:
    match event:
        case CommandRejected():
            what = f"cannot {command_name(event.command)}: {event.reason}"
            return Description("", what, "warning")
        case WriteRecovered():
            return Description("", f"can be written again: {display_path(event.path)}")
        case SaveFailed():
            return Description("", f"could not be saved: {event.problem}", "error")
        case Diverged():
            return Description("", f"diverged: {event.problem}; {event.advice}", "error")
        case Failed(details=""):
            return Description("", f"failed: {event.problem}", "error")
        case Failed():
            where = f"details are in events.jsonl of run {event.run}"
            # That of a user's own code names its file.
            whose = "" if ".py:" in event.problem else " (internal error)"
            return Description("", f"failed{whose}: {event.problem}; {where}", "error")
    return None


def command_name(command: str) -> str:
    """Return a command of the event log as users know it."""
    return _COMMANDS.get(command, command)


_COMMANDS = {
    "setpace": "change the pace",
    "extend": "continue",
    "fresh": "restart",
    "add": "another run",
    "stop": "stop after saving",
    "discard": "stop without saving",
}


def display_path(path: str) -> str:
    """Return ``path`` relative to the working folder, if it is within."""
    given = Path(path)
    here = working_folder()
    return str(given.relative_to(here)) if here and given.is_relative_to(here) else path
