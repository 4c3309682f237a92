"""The names of the files in a run folder."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from core.errors import RunFolderError

RECORD = "run.json"
LOG = "events.jsonl"
LOCK = ".lock"

_CHECKPOINT = re.compile(r"([0-9]+)(\.optimizer)?\.safetensors")
_PARTIAL = re.compile(r"\.(.+)\.[0-9]+\.partial")


def folder_name(path: Path) -> str:
    """Return the name of a folder, also for ``.`` and ``..``."""
    return path.name if path.name not in ("", "..") else path.resolve().name


def checkpoint_path(folder: Path, iteration: int) -> Path:
    """Return the file of the network at ``iteration``."""
    return folder / f"{iteration:09d}.safetensors"


def optimizer_path(path: Path) -> Path:
    """Return the file of the outer optimizer's vectors that belong to the checkpoint ``path``."""
    return path.with_suffix(".optimizer.safetensors")


def partial_path(path: Path) -> Path:
    """Return the file in which this process writes ``path`` before it renames it."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def checkpoint_iteration(name: str) -> int | None:
    """Return the iteration of the checkpoint called ``name``; None for any other file."""
    found = _CHECKPOINT.fullmatch(name)
    return int(found[1]) if found and not found[2] else None


def checkpoint_names(names: Iterable[str]) -> list[str]:
    """Select the checkpoints among ``names``, the highest iteration last."""
    found = {name: at for name in names if (at := checkpoint_iteration(name)) is not None}
    return sorted(found, key=lambda name: (found[name], name))


def is_run_file(name: str) -> bool:
    """Return True for every file that a run writes, the lock excepted."""
    partial = _PARTIAL.fullmatch(name)
    whole = partial[1] if partial else name
    return whole in (RECORD, LOG) or bool(_CHECKPOINT.fullmatch(whole))


def leftovers(names: Iterable[str]) -> list[str]:
    """Select what a killed writer left: partial files, and optimizer files without a network."""
    present = set(names)
    return [
        name
        for name in present
        if is_run_file(name)
        and (_PARTIAL.fullmatch(name) or name.replace(".optimizer", "") not in present)
    ]


def run_folder(path: Path) -> Path:
    """Return the folder of the run at ``path``, which is that folder or a checkpoint in it."""
    return (path.parent if path.is_file() else path).resolve()


def require_run_name(out: Path, name: str) -> None:
    """Raise ``RunFolderError`` for a name that no run under ``out`` can have."""
    if not re.fullmatch(r"[\w][\w.-]{0,99}", name):
        raise RunFolderError(
            out / name[:60], "invalid run name", "use letters, digits, '.', '_' and '-'"
        )
