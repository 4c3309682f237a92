"""Sessions: the cost of training in one, of many subscribers, and of attaching."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import PROGRAM
from benchmarks.engines import default_engine
from benchmarks.environment import ROOT
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios, seconds
from benchmarks.sections.watching import has_iteration_count
from benchmarks.terminals.cost import (
    SIZE,
    START_SECONDS,
    await_training,
    endless_training,
    headless_rate,
    rate,
)
from benchmarks.terminals.sessions import private_sessions
from benchmarks.terminals.subscribers import Subscribers
from benchmarks.terminals.terminal import Terminal, open_terminal
from benchmarks.terminals.traffic import traffic, traffic_table
from core.remote.client import RemoteSession
from core.remote.connection import session_status
from core.remote.registry import SessionInfo, live_sessions

SUBSCRIBERS, STUCK = 50, 10

LONG = 1_000_000
"""Iterations of the history when a client attaches."""

CATCH_UP_SECONDS = 2.0
"""From connecting subscribers to a window: the backlog has been sent by then."""

LEAVE_SECONDS = 0.2
"""From the key that detaches to the end of the screen."""


def attached(effort: Effort) -> Section:
    """Measure sessions."""
    tables = [
        _session_cost(effort),
        *_subscriber_cost(effort),
        _attach_times(effort),
        _traffic(effort),
    ]
    return Section("Sessions", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "both runs train at full speed; iterations are those of the `progress` events",
    f"subscribers: {SUBSCRIBERS} connections, of which {STUCK} never read, alternating with none "
    "in the same session; the reader shares the machine with training",
    "bytes are counted at the socket, after the initial backlog",
    "sent: as for the dashboard, by a single client",
    "attach: `first number` is from the start of the command to an iteration count on the screen",
)


@dataclass(frozen=True)
class Training:
    """A session in training, with its runs in ``out``."""

    entry: SessionInfo
    out: Path

    @property
    def id(self) -> str:
        """ID of the session."""
        return self.entry.id

    @property
    def memory(self) -> float:
        """Resident memory of its process in MiB."""
        status = Path(f"/proc/{self.entry.pid}/status").read_text().splitlines()
        (line,) = [line for line in status if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024


@contextmanager
def detached_training(*options: str) -> Iterator[Training]:
    """Start a session of both runs without a client."""
    with tempfile.TemporaryDirectory() as out, private_sessions():
        command = [*endless_training(out), "--detach", *options]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        (entry,) = live_sessions()
        await_training(Path(out), time.sleep)
        yield Training(entry, Path(out))


@contextmanager
def attached_dashboard(training: Training) -> Iterator[Terminal]:
    """Attach a dashboard and wait for its numbers; detach at the end."""
    with open_terminal([*PROGRAM, "attach", training.id], *SIZE) as terminal:
        _await_number(terminal)
        yield terminal
        terminal.press(b"dd")
        terminal.read_for(LEAVE_SECONDS)


def _await_number(terminal: Terminal) -> float:
    """Return the time at which an iteration count appeared."""
    arrived = terminal.wait_until(lambda: has_iteration_count(terminal), START_SECONDS)
    if arrived is None:
        raise RuntimeError(f"no dashboard was attached within {START_SECONDS:.0f} s")
    return arrived


def _traffic(effort: Effort) -> Table:
    with detached_training() as training, attached_dashboard(training) as terminal:
        terminal.drain(CATCH_UP_SECONDS)
        return traffic_table([traffic(terminal, effort, "attached, {} x {}".format(*SIZE))])


def _session_cost(effort: Effort) -> Table:
    window, rounds = (1.0, 1) if effort.quick else (6.0, 5)

    def detached() -> float:
        with detached_training() as training:
            return rate(training.out, window, time.sleep)

    rates = alternate({"headless": lambda: headless_rate(window), "session": detached}, rounds)
    rows: list[tuple[Cell, ...]] = [
        ("headless", Spread.of(rates["headless"]), None),
        (
            "a session without clients",
            Spread.of(rates["session"]),
            ratios(rates["session"], rates["headless"]),
        ),
    ]
    return Table("Cost of a session", ("", "iterations/s", "of headless"), rows)


@dataclass
class _SubscriberStats:
    """Measurements with many subscribers."""

    sent: list[float]
    unread: list[int]
    memory: list[float]


def _subscriber_cost(effort: Effort) -> Sequence[Table]:
    window, rounds = (1.0, 1) if effort.quick else (6.0, 11)
    stats = _SubscriberStats([], [], [])
    with detached_training() as training:
        alone = training.memory

        def none() -> float:
            time.sleep(CATCH_UP_SECONDS)
            return rate(training.out, window, time.sleep)

        def many() -> float:
            with Subscribers(training.id, SUBSCRIBERS, STUCK) as subscribers:
                time.sleep(CATCH_UP_SECONDS)
                measured = list[float]()
                found = rate(
                    training.out,
                    window,
                    lambda span: measured.append(subscribers.bytes_per_second(span)),
                )
                stats.sent.append(measured[-1])  # the window itself is the last one
                stats.memory.append(training.memory)
                stats.unread += subscribers.unread()
                _require_all(training)
                return found

        rates = alternate({"none": none, "many": many}, rounds)
    speed: list[tuple[Cell, ...]] = [
        ("no subscribers", Spread.of(rates["none"]), None),
        (
            f"{SUBSCRIBERS} subscribers, {STUCK} of them stuck",
            Spread.of(rates["many"]),
            ratios(rates["many"], rates["none"]),
        ),
    ]
    return (
        Table("Cost of subscribers", ("", "iterations/s", "relative to none"), speed),
        _footprint(alone, stats),
    )


def _require_all(training: Training) -> None:
    """Raise ``RuntimeError`` if subscribers were dropped: dropped ones cost nothing."""
    connected = len(session_status(training.id).subscribers)
    if connected != SUBSCRIBERS:
        raise RuntimeError(f"only {connected} of {SUBSCRIBERS} subscribers were still connected")


def _footprint(alone: float, stats: _SubscriberStats) -> Table:
    rows: list[tuple[Cell, ...]] = [
        ("sent to a reading subscriber, KiB/s", Spread.of([sent / 1024 for sent in stats.sent])),
        ("unread by a stuck subscriber, KiB", Spread.of([one / 1024 for one in stats.unread])),
        ("memory of the session's process without subscribers, MiB", alone),
        (f"its memory with {SUBSCRIBERS} subscribers, at most, MiB", max(stats.memory)),
    ]
    return Table("Footprint of subscribers", ("", ""), rows)


def _attach_times(effort: Effort) -> Table:
    """Measure the time to attach to a session with a long history."""
    length, rounds = (20_000, 1) if effort.quick else (LONG, 5)
    with detached_training("--network.hidden", "4") as training:
        _await_length(training, length)
        found = alternate(
            {
                "known": lambda: seconds(lambda: RemoteSession(training.id).detach()),
                "number": _first_number,
            },
            rounds,
        )
    rows: list[tuple[Cell, ...]] = [
        ("complete history received", Spread.of(found["known"])),
        ("`tui-meta attach`, first number", Spread.of(found["number"])),
    ]
    title = f"Attaching to a session of two runs, more than {length:,} iterations each"
    return Table(title, ("", "seconds"), rows)


def _await_length(training: Training, length: int) -> None:
    end = time.monotonic() + 10 * START_SECONDS
    while min(run.iteration for run in session_status(training.id).runs) < length:
        if time.monotonic() > end:
            raise RuntimeError(f"no {length:,} iterations within {10 * START_SECONDS:.0f} s")
        time.sleep(0.5)


def _first_number() -> float:
    with open_terminal([*PROGRAM, "attach"], *SIZE) as terminal:
        return _await_number(terminal) - terminal.started
