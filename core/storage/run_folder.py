"""The folder of a run: ``run.json``, ``events.jsonl`` and checkpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from core.config import CheckpointSettings, RunConfig
from core.engines.sample import sample_digest
from core.errors import Advice, RunFolderError
from core.storage.checkpoint import Checkpoint, save_checkpoint
from core.storage.event_log import EventLog
from core.storage.io import NOT_JSON, open_regular, write_atomically
from core.storage.lock import FolderLock, owner_of
from core.storage.paths import (
    LOCK,
    LOG,
    RECORD,
    checkpoint_path,
    leftovers,
    optimizer_path,
    require_run_name,
)
from core.storage.provenance import (
    SAMPLE_NAME,
    command_line,
    git_commit,
    installed_versions,
    processor,
)
from core.storage.retention import (
    StoredCheckpoint,
    longest_kept,
    mean_of,
    stored_checkpoints,
    to_prune,
)

LARGEST_RECORD = 2**20
"""Bytes; a longer ``run.json`` is cut, and so refused."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``run.json``: configuration and provenance.

    ``commit`` is that of the working directory, None where there was none.
    """

    name: str
    config: dict[str, Any]
    engine: str
    device: str
    versions: dict[str, str]
    python: str
    host: str
    processor: str
    command_line: list[str]
    started: str
    seed: int | None = None
    commit: str | None = None
    saving: dict[str, Any] = {}


class RunFolder:
    """The folder of one run; the thread of the run is its only writer, once it is locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.log = EventLog(path / LOG)
        self._lock = FolderLock(path)
        self._is_new = False
        self._described: RunRecord | None = None
        self._record: bytes | None = None
        self._stored: dict[int, StoredCheckpoint] = {}

    def lock(self) -> None:
        """Become the only writer; raises ``RunFolderError``, which names another one."""
        self._lock.take()

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()

    def discard(self) -> None:
        """Undo, where possible, what planning the run has written, unless the run has begun.

        A new folder is removed, and a folder to resume in is left as it was.
        """
        if self._is_new and _names(self.path) <= {LOCK, RECORD}:
            with contextlib.suppress(OSError):
                (self.path / RECORD).unlink(missing_ok=True)
            self._lock.undo()
            with contextlib.suppress(OSError):
                self.path.rmdir()
        elif self._record is None:
            self._lock.undo()

    def describe(
        self,
        config: RunConfig,
        saving: CheckpointSettings,
        engine: str | None = None,
        device: str | None = None,
    ) -> None:
        """Write ``run.json`` for a new run; raises ``OSError``.

        Called when the run is planned, so that every command knows it while its engine is still
        being compiled, and again with the ``engine`` and ``device`` that were chosen: only then is
        git asked for the commit, which takes time and executes a program.
        """
        record = self._described or self._new_record(config, saving)
        if engine and device:
            versions = {**record.versions, SAMPLE_NAME: sample_digest(config, engine)}
            record = msgspec.structs.replace(
                record, engine=engine, device=device, versions=versions, commit=git_commit()
            )
        self._described = record
        text = msgspec.json.format(msgspec.json.encode(self._described), indent=2)
        self._record = text + b"\n"
        write_atomically(self.path / RECORD, self._record)

    def _new_record(self, config: RunConfig, saving: CheckpointSettings) -> RunRecord:
        return RunRecord(
            name=self.name,
            config=config.to_dict(),
            engine=config.engine,
            device=config.device,
            versions=installed_versions(),
            python=platform.python_version(),
            host=platform.node(),
            processor=processor(),
            command_line=command_line(),
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            seed=config.seed,
            saving=msgspec.to_builtins(saving),
        )

    def continue_at(self, iteration: int) -> None:
        """Prepare to continue the run at ``iteration``; removes what a killed writer left.

        Raises ``OSError`` and ``RunFolderError``.
        """
        self._record = (self.path / RECORD).read_bytes()
        for name in leftovers(os.listdir(self.path)):
            (self.path / name).unlink()
        self._stored = stored_checkpoints(self.path, iteration)

    def save(self, checkpoint: Checkpoint, *, durable: bool = True) -> Path:
        """Write a checkpoint and return its path; raises ``OSError``.

        One that is always kept remains so when it is overwritten. One that is not ``durable`` may
        be lost if the machine ends soon after.
        """
        if self._record and not (self.path / RECORD).exists():
            write_atomically(self.path / RECORD, self._record)
        iteration, kind = checkpoint.state.iteration, checkpoint.kind
        if iteration in self._stored:
            kind = longest_kept(kind, self._stored[iteration].kind)
        checkpoint = dataclasses.replace(checkpoint, kind=kind)
        path = save_checkpoint(self.path, checkpoint, durable=durable)
        self._stored[iteration] = StoredCheckpoint(kind, mean_of(checkpoint.best))
        return path

    def prune(self, keep: int) -> None:
        """Delete all autosaves but ``keep``, and all "best" checkpoints but one.

        Raises ``OSError``.
        """
        for iteration in to_prune(self._stored, keep):
            path = checkpoint_path(self.path, iteration)
            # A network without its vectors is damaged; vectors alone are not a checkpoint.
            path.unlink(missing_ok=True)
            optimizer_path(path).unlink(missing_ok=True)
            del self._stored[iteration]

    def rescue(self, out: Path) -> RunFolder:
        """Create a folder under ``out`` that replaces this one, without its checkpoints.

        Raises ``OSError`` and ``RunFolderError``.
        """
        other = create_run_folder(out, self.name, unique=True)
        if self._record:
            other._record = self._record
            write_atomically(other.path / RECORD, self._record)
        if self.log.path.exists():
            shutil.copyfile(self.log.path, other.log.path)
        self.log.move_pending(other.log)
        return other


def create_run_folder(out: Path, name: str, *, unique: bool) -> RunFolder:
    """Create and lock an empty folder ``name`` under ``out``; raises ``RunFolderError``.

    With ``unique`` a number is added to a name that is taken; without, it is an error, except for
    a folder that a process left before it wrote anything.
    """
    require_run_name(out, name)
    attempt = 1
    while True:
        path = out / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            out.mkdir(parents=True, exist_ok=True)
            if unique or not (_is_unused(path) and owner_of(path) is None):
                path.mkdir()
        except (FileExistsError, NotADirectoryError) as error:
            if not out.is_dir():
                raise RunFolderError(out, "not a folder", Advice.OTHER_OUTPUT) from error
            if not unique:
                raise RunFolderError(path, "this run exists already", Advice.OTHER_NAME) from error
            attempt += 1
            continue
        except OSError as error:
            problem = f"cannot create a run folder here ({error.strerror})"
            raise RunFolderError(out, problem, Advice.OTHER_OUTPUT) from error
        if not os.access(path, os.W_OK):
            raise RunFolderError(path, "not writable", Advice.OTHER_OUTPUT)
        folder = RunFolder(path)
        folder._is_new = True
        try:
            folder.lock()
        except RunFolderError as error:
            folder.discard()
            raise RunFolderError(path, error.problem, Advice.OTHER_OUTPUT) from error
        return folder


def _is_unused(path: Path) -> bool:
    """Return True if there is nothing but a lock, or what a killed process began to write."""
    names = _names(path)
    return names - set(leftovers(names)) <= {LOCK}


def _names(path: Path) -> set[str]:
    """Return the names in the folder ``path``, or its own name where it cannot be read."""
    try:
        return set(os.listdir(path))
    except OSError:
        return {path.name}


def read_record(path: Path) -> RunRecord:
    """Read the ``run.json`` of the run folder ``path``; raises ``RunFolderError``."""
    file = path / RECORD
    advice = "choose a folder created by tui-meta"
    try:
        with open_regular(file) as content:
            return msgspec.json.decode(content.read(LARGEST_RECORD), type=RunRecord)
    except FileNotFoundError as error:
        if not path.exists():
            raise RunFolderError(path, "no such run folder", Advice.LIST_RUNS) from error
        raise RunFolderError(path, f"not a run folder (no {RECORD})", advice) from error
    except OSError as error:
        raise RunFolderError(file, f"cannot be read ({error.strerror})", advice) from error
    except NOT_JSON as error:
        raise RunFolderError(file, f"damaged ({error})", advice) from error
