"""What a run leaves on disk: ``run.json``, ``events.jsonl`` and checkpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.config import CheckpointSettings, RunConfig
from core.errors import Advice, RunFolderError
from core.events import AnyEvent
from core.storage.checkpoint import Checkpoint, checkpoint_path, optimizer_path, save_checkpoint
from core.storage.checkpoint_metadata import checkpoint_names
from core.storage.event_log import EventLog, read_events
from core.storage.io import write_atomically
from core.storage.lock import LOCK, FolderLock, owner_of
from core.storage.provenance import command_line, git_commit, installed_versions, processor
from core.storage.reading import NOT_JSON, open_regular
from core.storage.retention import Purpose, purposes, stronger, superfluous

RECORD = "run.json"

LARGEST_RECORD = 2**20
"""Bytes; a longer ``run.json`` is cut, and so refused."""

_LEFTOVER = re.compile(r"\.(run\.json|[0-9]+(\.optimizer)?\.safetensors)\.[0-9]+\.partial")
"""A file whose writer was killed."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``run.json``: what the run is and where it came from.

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
    """The folder of one run; the run's own thread is its only writer, once it is locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = EventLog(path / "events.jsonl")
        self._lock = FolderLock(path)
        self._record: bytes | None = None
        self._purposes: dict[int, Purpose] | None = None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    def lock(self) -> None:
        """Become the folder's only writer, or raise ``RunFolderError``, which says who is."""
        self._lock.take()

    def release(self) -> None:
        """Let others write to the folder."""
        self._lock.release()

    def discard(self) -> None:
        """Remove the folder, as far as that can be, if nothing of a run was written to it."""
        if _is_bare(self.path):
            self.release()
            with contextlib.suppress(OSError):
                (self.path / LOCK).unlink(missing_ok=True)
                self.path.rmdir()

    def describe(
        self, config: RunConfig, saving: CheckpointSettings, engine: str, device: str
    ) -> None:
        """Write ``run.json`` for a run that begins now; raises ``OSError``."""
        record = RunRecord(
            name=self.name,
            config=config.to_dict(),
            engine=engine,
            device=device,
            versions=installed_versions(),
            python=platform.python_version(),
            host=platform.node(),
            processor=processor(),
            command_line=command_line(),
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            seed=config.seed,
            commit=git_commit(),
            saving=msgspec.to_builtins(saving),
        )
        text = msgspec.json.format(msgspec.json.encode(record), indent=2)
        self._record = text + b"\n"
        write_atomically(self.path / RECORD, self._record)

    def take_up(self) -> None:
        """Prepare to go on with the run: clear away what a killed writer left; raises ``OSError``.

        That is files begun, and vectors of an outer optimiser whose network was not written.
        """
        self._record = (self.path / RECORD).read_bytes()
        names = os.listdir(self.path)
        networks = set(checkpoint_names(names))
        for name in names:
            lone = re.fullmatch(r"([0-9]+)\.optimizer(\.safetensors)", name)
            if _LEFTOVER.fullmatch(name) or (lone and "".join(lone.groups()) not in networks):
                (self.path / name).unlink()

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint and give its path; raises ``OSError``.

        One that a person saved, or that ended a sitting, stays so when it is saved anew.
        """
        if self._record and not (self.path / RECORD).exists():
            write_atomically(self.path / RECORD, self._record)
        iteration, kind = checkpoint.state.iteration, checkpoint.kind
        found = self._purposes if self._purposes is not None else purposes(self.path)
        if iteration in found:
            kind = stronger(kind, found[iteration].kind)
        path = save_checkpoint(self.path, dataclasses.replace(checkpoint, kind=kind))
        self._purposes = {**found, iteration: Purpose(kind, checkpoint.best)}
        return path

    def prune(self, keep: int) -> None:
        """Delete autosaves but the newest ``keep``, and all but the best of the best ones.

        Raises ``OSError``.
        """
        found = self._purposes or {}
        for iteration in superfluous(found, keep):
            path = checkpoint_path(self.path, iteration)
            # Without its vectors a network's file is damaged; vectors alone are no checkpoint.
            path.unlink(missing_ok=True)
            optimizer_path(path).unlink(missing_ok=True)
            del found[iteration]

    def rescued(self, out: Path) -> RunFolder:
        """A new folder under ``out`` that holds the run in place of this one, without checkpoints.

        Raises ``OSError`` and ``RunFolderError``.
        """
        other = create_run_folder(out, self.name, unique=True)
        if self._record:
            other._record = self._record
            write_atomically(other.path / RECORD, self._record)
        if self.log.path.exists():
            shutil.copyfile(self.log.path, other.log.path)
        self.log.hand_over(other.log)
        return other

    def events(self) -> Iterator[AnyEvent]:
        """The events so far that stand, as ``read_events`` gives them; raises ``OSError``."""
        return read_events(self.log.path)

    def past_events(self) -> tuple[AnyEvent, ...]:
        """``events`` for a run that goes on; raises ``RunFolderError``."""
        try:
            return tuple(self.events())
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
            raise RunFolderError(self.log.path, problem, "check the permissions") from error


def create_run_folder(out: Path, name: str, *, unique: bool) -> RunFolder:
    """A new, empty folder ``name`` under ``out``; raises ``RunFolderError``.

    With ``unique`` a number is added to a name that is taken; without, it is an error, but for a
    folder that a process left before it wrote anything.
    """
    if not re.fullmatch(r"[\w][\w.-]{0,99}", name):
        raise RunFolderError(
            out / name[:60], "invalid run name", "use letters, digits, '.', '_' and '-'"
        )
    attempt = 1
    while True:
        path = out / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            out.mkdir(parents=True, exist_ok=True)
            if unique or not (_is_bare(path) and owner_of(path) is None):
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
        try:
            folder.lock()
        except RunFolderError as error:
            raise RunFolderError(path, error.problem, Advice.OTHER_OUTPUT) from error
        return folder


def _is_bare(path: Path) -> bool:
    """Whether ``path`` is a folder without anything but, perhaps, a lock."""
    try:
        return set(os.listdir(path)) <= {LOCK}
    except OSError:
        return False


def read_record(path: Path) -> RunRecord:
    """The ``run.json`` of the run folder ``path``; raises ``RunFolderError``."""
    file = path / "run.json"
    advice = "choose a folder created by tui-meta"
    try:
        with open_regular(file) as content:
            return msgspec.json.decode(content.read(LARGEST_RECORD), type=RunRecord)
    except OSError as error:
        raise RunFolderError(file, f"cannot be read ({error.strerror})", advice) from error
    except NOT_JSON as error:
        raise RunFolderError(file, f"damaged ({error})", advice) from error
