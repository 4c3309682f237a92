"""The folder of a sweep: its specification, results, and networks or run folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import (
    ConfigError,
    RunFolderError,
    UnknownSettingError,
    UnregisteredError,
    reason,
)
from core.experiments.results import RunResult, read_results
from core.experiments.specification import PlannedRun, Specification, specification_of
from core.storage.io import NOT_JSON, open_regular, write_atomically
from core.storage.lock import FolderLock
from core.version import VERSION

SPECIFICATION = "sweep.json"
LARGEST_SPECIFICATION = 2**20

Store = Literal["final", "all", "none"]
"""What is kept of a run besides its result: its final network, its run folder, or nothing."""


class _Content(msgspec.Struct, frozen=True):
    """The content of ``sweep.json``: ``settings`` has the shape of a configuration file."""

    settings: dict[str, Any]
    written_by: str = VERSION


class SweepFolder:
    """The sweep in the folder ``path``, which exists once it was specified."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def results_path(self) -> Path:
        """The folder of the files of results."""
        return self.path / "results"

    def settings(self) -> dict[str, Any] | None:
        """Return the specification in the shape of a configuration file; None of a new folder.

        Raises ``RunFolderError``.
        """
        file = self.path / SPECIFICATION
        try:
            with open_regular(file) as content:
                return msgspec.json.decode(
                    content.read(LARGEST_SPECIFICATION), type=_Content
                ).settings
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RunFolderError(file, f"cannot be read ({reason(error)})") from error
        except NOT_JSON as error:
            raise RunFolderError(file, "damaged", "choose another folder") from error

    def specification(self) -> Specification:
        """Return what is trained; raises ``RunFolderError`` where there is no sweep."""
        settings = self.settings()
        if settings is None:
            problem = f"not the folder of a sweep (no {SPECIFICATION})"
            raise RunFolderError(self.path, problem, "give the folder that tui-meta sweep made")
        try:
            return specification_of(settings)
        except UnregisteredError as error:
            raise RunFolderError(self.path, error.statement, error.advice) from error
        except (ConfigError, UnknownSettingError) as error:
            file = self.path / SPECIFICATION
            raise RunFolderError(file, f"damaged ({error.statement})") from error

    def specify(self, settings: Mapping[str, Any]) -> Specification:
        """Write the specification, which has all runs of the one before; return it.

        Raises ``ConfigError``, ``UnknownSettingError``, and ``RunFolderError`` where the folder
        holds runs that are not among its runs, or cannot be written.
        """
        before, specification = self.settings(), specification_of(settings)
        plain = msgspec.json.decode(msgspec.json.encode(settings))  # tuples become lists
        if before == plain:
            return specification
        if before is not None:
            present = {run.digest for run in specification.expand()}
            left_out = [
                run for run in specification_of(before).expand() if run.digest not in present
            ]
            if left_out:
                problem = f"{len(left_out):,} of its runs are not in this sweep"
                problem += f", such as {left_out[0].name}"
                raise RunFolderError(self.path, problem, "choose another folder")
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise RunFolderError(self.path, "not empty, and no sweep", "choose another folder")
        content = msgspec.json.format(msgspec.json.encode(_Content(plain)), indent=2)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / SPECIFICATION, content + b"\n")
        except OSError as error:
            problem = f"cannot be written ({reason(error)})"
            raise RunFolderError(self.path, problem, "choose another folder") from error
        return specification

    def results(self) -> dict[str, RunResult]:
        """Return the results so far, by digest; raises ``RunFolderError``."""
        return read_results(self.results_path)

    @contextmanager
    def locked(self, shard: Shard, settings: Mapping[str, Any] | None = None) -> Iterator[None]:
        """Be the only process that trains ``shard`` while entered; raises ``RunFolderError``.

        ``settings`` begin or extend the sweep, as in ``specify``. One that another process trains
        stays as it is.
        """
        if settings is not None and self.settings() is None:
            self.specify(settings)
        path = self.results_path / f"shard-{shard.number}-of-{shard.count}"
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"cannot be written ({reason(error)})"
            raise RunFolderError(self.path, problem, "choose another folder") from error
        lock = FolderLock(path)
        lock.take(required=False)
        try:
            if settings is not None:
                self.specify(settings)
            yield
        finally:
            lock.undo()


class Shard(msgspec.Struct, frozen=True):
    """Every ``count``-th run of a sweep, from run ``number`` on, as for a job array."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``I/N``; raises ``ConfigError``."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise ConfigError("shard", text, "must be I/N, from 1/N to N/N")
        return cls(int(number), int(count))

    def of(self, runs: list[PlannedRun]) -> list[PlannedRun]:
        """Return the runs of this shard."""
        return runs[self.number - 1 :: self.count]
