"""Reading a run's ``events.jsonl``: from the beginning, from an offset, or backwards.

A line that is torn, foreign or longer than ``LONGEST_LINE`` is passed over, and a log that does
not exist has no events. All functions raise ``RunFolderError`` where the file cannot be read.
"""

import io
import math
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import compress
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import msgspec

from core.errors import RunFolderError, reason
from core.events import (
    AnyEvent,
    Curve,
    Evaluated,
    Event,
    Iteration,
    Progress,
    RolledBack,
    Saved,
    Started,
    Validation,
)
from core.storage.io import NOT_JSON, open_regular
from core.storage.paths import LOG

LONGEST_LINE = 2**20
"""Bytes; an evaluation has about 5,000."""

LARGEST_END = 16 * 2**20
"""Bytes of a log that are read backwards at most; one block is usually enough."""

BLOCK = 64 * 2**10
"""Bytes read at once when reading backwards."""

_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)

E = TypeVar("E", bound=Event)

Saves = Sequence[Saved | Started | RolledBack]
"""All events of a log about checkpoints, oldest first, also those that a rollback discarded."""


class LogLine(msgspec.Struct, frozen=True):
    """The fields of any event that a summary of a log needs."""

    event: str
    run: str
    iteration: Iteration
    time: float
    target: Iteration | None = None
    mean: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    path: str = ""
    resumed_from: str | None = None

    @property
    def validation(self) -> Validation | None:
        """The result of a ``Validated`` event that has one."""
        last = [column[-1] if column else None for column in (self.mean, self.low, self.high)]
        if self.event != "validated" or None in last:
            return None
        return Validation(self.iteration, *last)  # type: ignore[arg-type]

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint that was saved or resumed from; empty if there is none."""
        used = self.path if self.event == "saved" else self.resumed_from
        return Path(used or "").name

    @property
    def is_rollback(self) -> bool:
        """True for a ``RolledBack`` event."""
        return self.event == "rewound"


class Rollbacks:
    """The rollbacks after some point of a log, collected from its end.

    A rollback discards what was logged or saved before it for later iterations than its own.
    """

    def __init__(self) -> None:
        self.earliest = math.inf

    def add(self, iteration: int) -> None:
        """Add the rollback to ``iteration`` that precedes those added so far."""
        self.earliest = min(self.earliest, iteration)

    def discards(self, iteration: int) -> bool:
        """Return True if a record of ``iteration`` from before these rollbacks is discarded."""
        return iteration > self.earliest


def history(folder: Path) -> Iterator[AnyEvent]:
    """Yield the events that no later rollback discarded, oldest first."""
    with _opened(folder) as log:
        rollbacks = _rollbacks(log)
        log.seek(0)
        for number, line in enumerate(_lines(log)):
            while rollbacks and rollbacks[-1][0] < number:
                rollbacks.pop()
            event = _decoded(line)
            if event and not (rollbacks and event.iteration > rollbacks[-1][1]):
                yield event


def events_since(folder: Path, offset: int) -> Iterator[tuple[AnyEvent, int]]:
    """Yield all events after byte ``offset``, each with the offset at which its line ends.

    ``RolledBack`` events reveal which of the earlier ones are discarded. A line that is still
    being written is left for the next call.
    """
    with _opened(folder) as log:
        log.seek(offset)
        for line in _lines(log):
            event = _decoded(line)
            if event and line.endswith(b"\n"):
                yield event, log.tell()


class LogEvents:
    """The events of a run by kind, each oldest first; of progress, of which a long run has most,
    the loss curve alone.
    """

    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
        self._of: dict[type[Event], list[Event]] = {}
        self._iterations: list[int] = []
        self._losses: list[float] = []
        for event in events:
            self.add(event)

    def add(self, event: AnyEvent) -> None:
        """Add an event that is newer than all others."""
        if isinstance(event, Progress):
            self._iterations.append(event.iteration)
            self._losses.append(event.loss)
        else:
            self._of.setdefault(type(event), []).append(event)

    def discard_after(self, iteration: int) -> None:
        """Discard what belongs to later iterations than ``iteration``."""
        kept = [at <= iteration for at in self._iterations]
        self._iterations = list(compress(self._iterations, kept))
        self._losses = list(compress(self._losses, kept))
        for kind, events in self._of.items():
            self._of[kind] = [one for one in events if one.iteration <= iteration]

    def of(self, kind: type[E]) -> Sequence[E]:
        """Return the events of this kind so far, but for progress."""
        return tuple(cast(list[E], self._of.get(kind, [])))

    def newest(self, kind: type[E]) -> E | None:
        """Return the newest event of this kind; None without one."""
        events = cast(list[E], self._of.get(kind, []))
        return events[-1] if events else None

    @property
    def curve(self) -> Curve:
        """The training losses so far."""
        return Curve(tuple(self._iterations), tuple(self._losses))


class FollowedLog:
    """The events of a growing log that no rollback discarded; each line is read once.

    Evaluations are kept without what draws them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: tuple[int, ...] = ()
        self._offset = 0
        self._events = LogEvents()
        self.saves: list[Saved | Started | RolledBack] = []
        """The `Saves` so far."""

    def read(self) -> LogEvents:
        """Return the events so far, which the next reading changes; raises ``RunFolderError``."""
        found = _status(self._folder / LOG)
        file = (found.st_dev, found.st_ino) if found else ()
        if file != self._file or (found and found.st_size < self._offset):
            self._file, self._offset, self._events, self.saves = file, 0, LogEvents(), []
        for event, end in events_since(self._folder, self._offset):
            self._offset = end
            if isinstance(event, Saved | Started | RolledBack):
                self.saves.append(event)
            if isinstance(event, RolledBack):
                self._events.discard_after(event.iteration)
            self._events.add(event.without_points() if isinstance(event, Evaluated) else event)
        return self._events


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def lines_backwards(folder: Path, kinds: Collection[str] = ()) -> Iterator[LogLine]:
    """Yield the lines within the last ``LARGEST_END`` bytes, newest first, as lines are needed.

    With ``kinds`` only events of these tags are decoded; discarded events are included.
    """
    decoder = msgspec.json.Decoder(LogLine)
    marks = [f'"{kind}"'.encode() for kind in kinds]
    with _opened(folder) as log:
        for text in _texts_backwards(log, LARGEST_END):
            if marks and not any(mark in text for mark in marks):
                continue
            try:
                yield decoder.decode(text)
            except NOT_JSON:
                continue


def lines_after(folder: Path, offset: int) -> Sequence[LogLine] | None:
    """Return the lines after byte ``offset``, oldest first; None if none begins there."""
    decoder, lines = msgspec.json.Decoder(LogLine), []
    with _opened(folder) as log:
        log.seek(max(0, offset - 1))
        if offset and log.read(1) != b"\n":
            return None
        for text in _lines(log):
            with suppress(*NOT_JSON):
                lines.append(decoder.decode(text))
    return lines


@contextmanager
def _opened(folder: Path) -> Iterator[BinaryIO]:
    path = folder / LOG
    try:
        try:
            log = open_regular(path)
        except FileNotFoundError:
            log = io.BytesIO()
        with log:
            yield log
    except OSError as error:
        problem = f"cannot be read ({reason(error)})"
        raise RunFolderError(path, problem, "check the permissions") from error


def _rollbacks(log: BinaryIO) -> list[tuple[int, float]]:
    """Return (line number, earliest iteration from there on) of each rollback, last line first."""
    found = []
    for number, line in enumerate(_lines(log)):
        if b'"rewound"' in line and isinstance(event := _decoded(line), RolledBack):
            found.append((number, event.iteration))
    rollbacks, limits = Rollbacks(), []
    for number, iteration in reversed(found):
        rollbacks.add(iteration)
        limits.append((number, rollbacks.earliest))
    return limits


def _lines(log: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of ``log``, an empty one in place of each that is too long."""
    while line := log.readline(LONGEST_LINE):
        whole = line.endswith(b"\n")
        yield line if whole or len(line) < LONGEST_LINE else b""
        while not whole and (rest := log.readline(LONGEST_LINE)):
            whole = rest.endswith(b"\n")


def _texts_backwards(log: BinaryIO, limit: int) -> Iterator[bytes]:
    """Yield the lines within the last ``limit`` bytes, the last one first, block by block.

    A line that the limit cuts off is left out.
    """
    place = log.seek(0, os.SEEK_END)
    first = max(0, place - limit)
    rest: list[bytes] = []
    while place > first:
        size = min(BLOCK, place - first)
        place -= size
        log.seek(place)
        begun, *whole = log.read(size).split(b"\n")
        if whole:
            yield whole.pop() + b"".join(reversed(rest))
            yield from reversed(whole)
            rest = []
        rest.append(begun)
    if not first:
        yield b"".join(reversed(rest))


def _decoded(line: bytes) -> AnyEvent | None:
    try:
        return _DECODER.decode(line)
    except NOT_JSON:
        if b"null" not in line:
            return None
    try:
        event: AnyEvent = msgspec.convert(_with_nan(msgspec.json.decode(line)), AnyEvent)
        return event
    except NOT_JSON:
        return None


def _with_nan(plain: object) -> object:
    """Replace null by NaN: JSON cannot express numbers that are not finite."""
    if not isinstance(plain, dict):
        return plain
    fields: dict[str, object] = {
        key: [float("nan") if number is None else number for number in value]
        for key, value in plain.items()
        if isinstance(value, list)
    }
    if plain.get("event") == "progress":
        fields["loss"] = float("nan")
    return {**plain, **fields}
