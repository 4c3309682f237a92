"""Results of runs: one line each, in files that one process each appends to."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import RunFolderError, reason
from core.events import Spent, Validated, Validation
from core.experiments.specification import PlannedRun
from core.storage.io import NOT_JSON, open_regular, sync

LONGEST_LINE = 2**24
"""Bytes; a result with 64 validation tasks has about 3,000."""

Ended = Literal["finished", "diverged", "failed"]


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, and what it measured.

    ``digest`` is that of its configuration, and ``varied`` the settings that distinguish its
    ``group``. ``training_loss`` is the mean of the last 100 iterations that were logged,
    ``validations`` the curve, and ``last`` the last validation with all its statistics, which has
    the loss on each task. ``network`` is the file of the final parameters, or the run folder,
    relative to that of the sweep. ``sample`` is the digest of a computation that differs where the
    bits of runs do. A run that ``failed`` is tried again.
    """

    digest: str
    run: str
    group: str
    seed: int
    varied: dict[str, Any]
    state: Ended
    iteration: int
    spent: Spent
    problem: str = ""
    training_loss: float | None = None
    validations: tuple[Validation, ...] = ()
    last: Validated | None = None
    network: str = ""
    engine: str = ""
    sample: str = ""
    host: str = ""
    time: float = 0.0

    @property
    def validation(self) -> Validation | None:
        """The last validation of a run that has finished; None where it is not finite."""
        return self.last.result if self.state == "finished" and self.last else None

    @property
    def content(self) -> dict[str, Any]:
        """All that is the same whenever and wherever the run is trained."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("host", "time", "engine", "sample"):
            del plain[name]
        plain["spent"].pop("seconds")
        if plain["last"]:
            plain["last"]["spent"].pop("seconds")
            del plain["last"]["time"]
        return plain


def failed(run: PlannedRun, problem: str) -> RunResult:
    """Return the result of a run that could not be trained."""
    return RunResult(
        **identity(run), state="failed", iteration=0, spent=Spent(0, 0, 0, 0.0), problem=problem
    )


def identity(run: PlannedRun) -> dict[str, Any]:
    """Return the fields of a result that say which run it is of, and where and when it ended."""
    return {
        "digest": run.digest,
        "run": run.name,
        "group": run.group,
        "seed": run.config.seed,
        "varied": dict(run.varied),
        "host": platform.node(),
        "time": time.time(),
    }


class ResultLog:
    """Appends results to a file of its own in the folder ``path``."""

    def __init__(self, path: Path) -> None:
        name = f"{platform.node()}-{os.getpid()}-{time.time_ns()}.jsonl"
        self._path = path / name
        self._file: int | None = None

    def append(self, result: RunResult) -> None:
        """Write a line and bring it to disk; raises ``RunFolderError``."""
        line = memoryview(msgspec.json.encode(result) + b"\n")
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
                self._file = os.open(self._path, flags, 0o666)
            while line:
                line = line[os.write(self._file, line) :]
            sync(self._file)
        except OSError as error:
            problem = f"the result of {result.run} cannot be written ({reason(error)})"
            raise RunFolderError(self._path, problem, "make room, and start again") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class FollowedResults:
    """The results in the folder ``path``, read again and again: of each file what was appended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, int] = {}
        """Bytes read of each file."""
        self.found: dict[str, RunResult] = {}
        """The results by digest. Of several results of a run one that did not fail counts, of those
        the first that has a network; else the newest."""

    def read(self) -> bool:
        """Read what is new; return False if there is nothing. Raises ``RunFolderError``.

        Lines that are foreign are passed over, and one that is not whole is read later.
        """
        changed = False
        try:
            with suppress(FileNotFoundError), os.scandir(self._path) as entries:
                files = [one for one in entries if one.name.endswith(".jsonl")]
                for file in sorted(files, key=lambda one: one.name):
                    for result in self._appended(file.name, file.stat().st_size):
                        other = self.found.get(result.digest)
                        if other is None or _rank(result) < _rank(other):
                            self.found[result.digest] = result
                            changed = True
        except OSError as error:
            problem = f"results cannot be read ({reason(error)})"
            raise RunFolderError(Path(error.filename or self._path), problem) from error
        return changed

    def _appended(self, name: str, size: int) -> Iterator[RunResult]:
        start = self._read.get(name, 0)
        if size == start:
            return
        # A file that became shorter is another one, such as a copy of an older state.
        start = start if start <= size else 0
        with open_regular(self._path / name) as content:
            content.seek(start)
            while line := content.readline(LONGEST_LINE):
                if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                    break
                start += len(line)
                with suppress(*NOT_JSON):
                    yield _DECODER.decode(line)
        self._read[name] = start


_DECODER = msgspec.json.Decoder(RunResult)


def _rank(result: RunResult) -> tuple[bool, bool, float]:
    failed = result.state == "failed"
    return failed, not result.network, -result.time if failed else result.time


def read_results(path: Path) -> dict[str, RunResult]:
    """Return the results in the folder ``path`` by digest, in the order of the runs' ends.

    Raises ``RunFolderError``.
    """
    results = FollowedResults(path)
    results.read()
    return dict(sorted(results.found.items(), key=lambda pair: pair[1].time))


def missing(
    runs: Iterator[PlannedRun] | list[PlannedRun], found: Mapping[str, RunResult]
) -> list[PlannedRun]:
    """Return the runs without a result, or whose result is that they failed."""
    return [run for run in runs if run.digest not in found or found[run.digest].state == "failed"]
