"""What a run leaves on disk: ``run.json``, ``events.jsonl`` and checkpoints."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import msgspec

from core.checkpoint import Checkpoint, save_checkpoint
from core.config import RunConfig
from core.errors import RunFolderError
from core.events import AnyEvent, Event
from core.files import write_atomically

PACKAGES = ("tui-meta", "numpy", "torch", "numba", "safetensors")
"""Packages whose versions can change the bits of a run."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``run.json``: what the run is and where it came from."""

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


class RunFolder:
    """The folder of one run; the run's own thread is its only writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log: IO[bytes] | None = None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    def describe(self, config: RunConfig, engine: str, device: str) -> None:
        """Write ``run.json`` for a run that begins now; raises ``OSError``."""
        record = RunRecord(
            name=self.name,
            config=config.to_dict(),
            engine=engine,
            device=device,
            versions=installed_versions(),
            python=platform.python_version(),
            host=platform.node(),
            processor=_processor(),
            command_line=sys.argv,
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        )
        text = msgspec.json.format(msgspec.json.encode(record), indent=2)
        write_atomically(self.path / "run.json", text + b"\n")

    def append(self, event: Event) -> None:
        """Add a line to ``events.jsonl``; raises ``OSError``. ``flush`` sends it to the file."""
        if self._log is None:
            self._log = _opened_log(self.path / "events.jsonl")
        self._log.write(msgspec.json.encode(event) + b"\n")

    def flush(self) -> None:
        """Hand the lines so far to the operating system; raises ``OSError``."""
        if self._log is not None:
            self._log.flush()

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint and give its path; raises ``OSError``."""
        return save_checkpoint(self.path, checkpoint)

    def close(self) -> None:
        """Close ``events.jsonl``; raises ``OSError``."""
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def events(self) -> Iterator[AnyEvent]:
        """The events of earlier sittings; a line that is torn or foreign is passed over."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        decoder = msgspec.json.Decoder(AnyEvent)
        with path.open("rb") as lines:
            for line in lines:
                try:
                    yield decoder.decode(line)
                except msgspec.DecodeError:
                    continue


def _opened_log(path: Path) -> IO[bytes]:
    """``path``, to be added to; a line that a crash has torn is ended first."""
    log = path.open("ab+")
    if log.seekable() and log.tell():
        log.seek(-1, os.SEEK_END)
        if log.read(1) != b"\n":
            log.write(b"\n")
    return log


def create_run_folder(out: Path, name: str, *, unique: bool) -> RunFolder:
    """A new, empty folder ``name`` under ``out``; raises ``RunFolderError``.

    With ``unique`` a number is added to a name that is taken; without, it is an error.
    """
    if not re.fullmatch(r"[\w][\w.-]{0,99}", name):
        raise RunFolderError(
            out / name[:60], "this is no name for a run", "use letters, digits, '.', '_' and '-'"
        )
    attempt = 1
    while True:
        path = out / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except (FileExistsError, NotADirectoryError) as error:
            if not out.is_dir():
                raise RunFolderError(out, "it is not a folder", "choose another --out") from error
            if not unique:
                raise RunFolderError(
                    path, "this run exists", "resume it or choose another --name"
                ) from error
            attempt += 1
            continue
        except OSError as error:
            problem = f"a run folder cannot be created here ({error.strerror})"
            raise RunFolderError(out, problem, "choose another --out") from error
        if not os.access(path, os.W_OK):
            raise RunFolderError(path, "it cannot be written to", "choose another --out")
        return RunFolder(path)


def read_record(path: Path) -> RunRecord:
    """The ``run.json`` of the run folder ``path``; raises ``RunFolderError``."""
    file = path / "run.json"
    advice = "give a folder that tui-meta has made"
    try:
        return msgspec.json.decode(file.read_bytes(), type=RunRecord)
    except OSError as error:
        raise RunFolderError(file, f"it cannot be read ({error.strerror})", advice) from error
    except msgspec.DecodeError as error:
        raise RunFolderError(file, f"it is damaged ({error})", advice) from error


def installed_versions() -> dict[str, str]:
    """Versions of the packages that can change the bits of a run, as installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor()
    return platform.processor()
