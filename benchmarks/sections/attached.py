"""Sessions: what it costs to train in one, to watch it in numbers, and to come back to it."""

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
from benchmarks.rounds import Effort, Spread, by_turns, ratios, seconds
from benchmarks.sections.watching import COUNT
from benchmarks.terminals.cost import (
    SIZE,
    START_SECONDS,
    await_training,
    endless_training,
    headless_rate,
    rate,
)
from benchmarks.terminals.sessions import own_place
from benchmarks.terminals.terminal import Terminal, terminal
from benchmarks.terminals.traffic import traffic, traffic_table
from benchmarks.terminals.watchers import Watchers
from core.remote.client import RemoteSession
from core.remote.connection import session_status
from core.remote.registry import SessionInfo, live_sessions

WATCHERS, STUCK = 50, 10

LONG = 1_000_000
"""Iterations of the history that is attached to."""

CATCH_UP_SECONDS = 2.0
"""From the greeting of watchers to a window: the story has been sent by then."""

LEAVE_SECONDS = 0.2
"""From the key that leaves to the end of the screen."""


def attached(effort: Effort) -> Section:
    """Everything about sessions."""
    tables = [_unwatched(effort), *_watched(effort), _arrival(effort), _traffic(effort)]
    return Section("Sessions", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "both runs train at full speed; iterations are those of the `progress` events",
    f"watched: {WATCHERS} connections, of which {STUCK} greet and never read, for one window and "
    "none for the next, in the same session; who reads shares the machine with training",
    "bytes are counted at the socket, after the story with which a watcher begins",
    "sent: as for the dashboard, by a face that is alone",
    "attach: `first number` is from the start of the command to an iteration count on the screen",
)


@dataclass(frozen=True)
class Training:
    """A session that trains, with its runs in ``out``."""

    entry: SessionInfo
    out: Path

    @property
    def id(self) -> str:
        """What it is called."""
        return self.entry.id

    @property
    def memory(self) -> float:
        """MiB that its process holds now."""
        status = Path(f"/proc/{self.entry.pid}/status").read_text().splitlines()
        (line,) = [line for line in status if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024


@contextmanager
def detached_training(*options: str) -> Iterator[Training]:
    """A session of both runs that nobody watches."""
    with tempfile.TemporaryDirectory() as out, own_place():
        command = [*endless_training(out), "--detach", *options]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        (entry,) = live_sessions()
        await_training(Path(out), time.sleep)
        yield Training(entry, Path(out))


@contextmanager
def face(training: Training) -> Iterator[Terminal]:
    """Attached, with its numbers on the screen; it leaves the runs alone."""
    with terminal([*PROGRAM, "attach", training.id], *SIZE) as seen:
        _await_number(seen)
        yield seen
        seen.press(b"d")
        seen.look(LEAVE_SECONDS)


def _await_number(seen: Terminal) -> float:
    """When an iteration count came."""
    arrived = seen.wait(lambda: bool(COUNT.search(seen.text())), START_SECONDS)
    if arrived is None:
        raise RuntimeError(f"nothing was attached to within {START_SECONDS:.0f} s")
    return arrived


def _traffic(effort: Effort) -> Table:
    with detached_training() as training, face(training) as seen:
        seen.drain(CATCH_UP_SECONDS)
        return traffic_table([traffic(seen, effort, "attached, {} x {}".format(*SIZE))])


def _unwatched(effort: Effort) -> Table:
    window, rounds = (1.0, 1) if effort.quick else (6.0, 5)

    def detached() -> float:
        with detached_training() as training:
            return rate(training.out, window, time.sleep)

    rates = by_turns({"headless": lambda: headless_rate(window), "session": detached}, rounds)
    rows: list[tuple[Cell, ...]] = [
        ("headless", Spread.of(rates["headless"]), None),
        (
            "a session that nobody watches",
            Spread.of(rates["session"]),
            ratios(rates["session"], rates["headless"]),
        ),
    ]
    return Table("Cost of a session", ("", "iterations/s", "of headless"), rows)


@dataclass
class _Crowd:
    """What was seen while many watched."""

    sent: list[float]
    unread: list[int]
    memory: list[float]


def _watched(effort: Effort) -> Sequence[Table]:
    window, rounds = (1.0, 1) if effort.quick else (6.0, 11)
    crowd = _Crowd([], [], [])
    with detached_training() as training:
        alone = training.memory

        def none() -> float:
            time.sleep(CATCH_UP_SECONDS)
            return rate(training.out, window, time.sleep)

        def many() -> float:
            with Watchers(training.id, WATCHERS, STUCK) as watchers:
                time.sleep(CATCH_UP_SECONDS)
                passed = list[float]()
                found = rate(
                    training.out,
                    window,
                    lambda span: passed.append(watchers.bytes_per_second(span)),
                )
                crowd.sent.append(passed[-1])  # of the window itself, which is the last
                crowd.memory.append(training.memory)
                crowd.unread += watchers.unread()
                _require_all(training)
                return found

        rates = by_turns({"none": none, "many": many}, rounds)
    speed: list[tuple[Cell, ...]] = [
        ("nobody watches", Spread.of(rates["none"]), None),
        (
            f"{WATCHERS} watch, {STUCK} of them stuck",
            Spread.of(rates["many"]),
            ratios(rates["many"], rates["none"]),
        ),
    ]
    return (
        Table("Cost of watchers", ("", "iterations/s", "of nobody"), speed),
        _holdings(alone, crowd),
    )


def _require_all(training: Training) -> None:
    """Raise ``RuntimeError`` if some of the watchers have been dropped: they cost nothing."""
    there = len(session_status(training.id).subscribers)
    if there != WATCHERS:
        raise RuntimeError(f"only {there} of {WATCHERS} watchers were still there")


def _holdings(alone: float, crowd: _Crowd) -> Table:
    rows: list[tuple[Cell, ...]] = [
        ("sent to one that reads, KiB/s", Spread.of([sent / 1024 for sent in crowd.sent])),
        ("unread by one that is stuck, KiB", Spread.of([one / 1024 for one in crowd.unread])),
        ("memory of the session's process at first, MiB", alone),
        (f"its memory with {WATCHERS} watchers, at most, MiB", max(crowd.memory)),
    ]
    return Table("What watchers take", ("", ""), rows)


def _arrival(effort: Effort) -> Table:
    """Of the time to attach to a session with a long history."""
    length, rounds = (20_000, 1) if effort.quick else (LONG, 5)
    with detached_training("--network.hidden", "4") as training:
        _await_length(training, length)
        found = by_turns(
            {
                "known": lambda: seconds(lambda: RemoteSession(training.id).detach()),
                "number": _first_number,
            },
            rounds,
        )
    rows: list[tuple[Cell, ...]] = [
        ("the whole history is known", Spread.of(found["known"])),
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
    with terminal([*PROGRAM, "attach"], *SIZE) as seen:
        return _await_number(seen) - seen.began
