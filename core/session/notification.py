"""Runs a command of the user's when a run diverges or fails, and when all runs have ended."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from core.errors import reason
from core.events import (
    AnyEvent,
    CommandRejected,
    Diverged,
    EndOfRun,
    Extended,
    Failed,
    Finished,
    RolledBack,
    Started,
    Stopped,
)

if TYPE_CHECKING:
    from core.session.local import LocalSession  # a client, which needs none, has the occasions

Occasion = Literal["diverged", "failed", "finished"]

QUICK_SECONDS = 0.3
"""A command that fails at once is reported before the process can end."""

SHELL_ERRORS = {126: "the command cannot be executed", 127: "no such command"}


def run_command(
    command: str, occasion: Occasion, message: str, report: Callable[[str], None]
) -> None:
    """Run ``command`` in a shell, and ``report`` later why it failed, if it did.

    Its environment has ``TUI_META_EVENT`` and ``TUI_META_MESSAGE``. It continues when this process
    ends.
    """
    try:
        process = _started(command, {"TUI_META_EVENT": occasion, "TUI_META_MESSAGE": message})
        report_failure = partial(_report_failure, process, report)
        try:
            report_failure(QUICK_SECONDS)
        except subprocess.TimeoutExpired:
            threading.Thread(target=report_failure, name="notification", daemon=True).start()
    except Exception as error:  # whatever it is, it ends neither a run nor a sweep
        report(f"the command cannot be started ({reason(error)})")


def _started(command: str, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    return subprocess.Popen(
        command,
        shell=True,
        env={**os.environ, **variables},
        start_new_session=True,
        stdin=null,
        stdout=null,
        stderr=null,
    )


def _report_failure(
    process: subprocess.Popen[bytes], report: Callable[[str], None], timeout: float | None = None
) -> None:
    if code := process.wait(timeout):
        report(SHELL_ERRORS.get(code, f"the command ended with exit code {code}"))


class Occasions:
    """Decides which events of some runs deserve a message to a user who is not looking."""

    def __init__(self) -> None:
        self._ended: dict[str, AnyEvent] = {}

    def add(self, event: AnyEvent, runs: Iterable[str]) -> Sequence[tuple[Occasion, str]]:
        """Return what to say after ``event``, of all ``runs``; usually nothing."""
        if isinstance(event, Started | Extended | RolledBack):
            self._ended.pop(event.run, None)
        if not isinstance(event, EndOfRun):
            return ()
        self._ended[event.run] = event
        ended = [self._ended.get(run) for run in runs]
        said: list[tuple[Occasion, str]] = []
        if isinstance(event, Diverged | Failed):
            kind: Occasion = "diverged" if isinstance(event, Diverged) else "failed"
            said.append((kind, f"{event.run} {kind} at {event.iteration:,}: {event.problem}"))
        # What the user stopped needs no message.
        if all(ended) and not all(isinstance(one, Stopped) for one in ended):
            finished = sum(isinstance(one, Finished) for one in ended)
            said.append(("finished", f"{finished:,} of {len(ended):,} runs have finished"))
        return said


class Notifier:
    """Listens to the events of ``session`` and runs ``command``."""

    def __init__(self, session: LocalSession, command: str) -> None:
        self._session = session
        self._command = command
        self._occasions = Occasions()
        self._lock = threading.Lock()  # runs publish in threads of their own
        session.add_listener(self.add)

    def add(self, event: AnyEvent) -> None:
        """Run the command if it is due after ``event``."""
        with self._lock:
            said = self._occasions.add(event, self._session.snapshots())
        for occasion, message in said:
            self._run(event, occasion, message)

    def _run(self, event: AnyEvent, occasion: Occasion, message: str) -> None:
        def report(problem: str) -> None:
            refused = CommandRejected(
                run=event.run,
                iteration=event.iteration,
                time=time.time(),
                command="notify",
                reason=problem,
            )
            self._session.publish(refused)

        run_command(self._command, occasion, message, report)
