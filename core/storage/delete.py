"""Deleting a run: only files that it wrote, and only inside its own folder."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import Advice, CheckpointError, LabError, RunFolderError
from core.storage.checkpoint import read_metadata
from core.storage.lock import FolderLock
from core.storage.paths import LOCK, RECORD, checkpoint_names, is_run_file
from core.storage.run_folder import read_record
from core.storage.run_index import owner_words


@dataclass(frozen=True)
class Contents:
    """The names in a run folder: ``own`` files of the run, of ``size`` bytes, and ``foreign`` ones.

    The lock is left out.
    """

    own: tuple[str, ...]
    foreign: tuple[str, ...]
    size: int


def require_removable(path: Path) -> None:
    """Raise ``RunFolderError`` unless ``path`` is the folder of a run that is not being trained."""
    if path.is_symlink():
        raise RunFolderError(path, "a symbolic link", "choose the folder itself")
    if not path.is_dir():
        raise RunFolderError(path, "no such folder", Advice.LIST_RUNS)
    if not _is_run(path):
        raise RunFolderError(path, "not a run folder", "choose a folder created by tui-meta")
    if owner := owner_words(path):
        raise RunFolderError(path, f"being trained by {owner}", Advice.STOP_RUN)


def contents_of(path: Path) -> Contents:
    """List what would be deleted of the run folder ``path``, and what not; raises ``OSError``."""
    with _opened(path) as folder:
        return _contents(folder)


def remove_run(path: Path) -> Contents:
    """Delete the run's files, and the folder if it is empty then; return what was there.

    Raises ``RunFolderError`` as ``require_removable`` does, and ``OSError``.
    """
    require_removable(path)
    lock = FolderLock(path)
    lock.take(required=False)
    try:
        with _opened(path) as folder:
            contents = _contents(folder)
            # run.json is deleted last, so that a partly deleted folder can be deleted again. The
            # lock follows: without checkpoints the run cannot be resumed.
            names = (*contents.own, *({LOCK} & set(os.listdir(folder))))
            for name in sorted(names, key=lambda name: (name == RECORD, name == LOCK)):
                os.unlink(name, dir_fd=folder)
        if not contents.foreign:
            path.rmdir()
    finally:
        lock.release()
    return contents


def _is_run(path: Path) -> bool:
    """Return True if ``run.json`` is sound, or else any checkpoint."""
    with suppress(LabError):
        read_record(path)
        return True
    for name in checkpoint_names(os.listdir(path)):
        with suppress(CheckpointError):
            read_metadata(path / name)
            return True
    return False


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open the folder, so that a later change of its path has no effect."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield folder
    finally:
        os.close(folder)


def _contents(folder: int) -> Contents:
    own, foreign, size = [], [], 0
    for name in sorted(set(os.listdir(folder)) - {LOCK}):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode) and is_run_file(name):
            own.append(name)
            size += status.st_size
        else:
            foreign.append(name)
    return Contents(tuple(own), tuple(foreign), size)
