"""Compiled kernels on disk. Nothing that happens to the files stops a program from computing.

numba's own cache raises for a damaged index, has no checksum for code that will be executed, misses
changes in other files than that of the function (https://github.com/numba/numba/issues/1833), and
takes its folder from a global setting (https://github.com/numba/numba/issues/9350).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from core.engines.fused.compiler import Library, Report
from core.errors import reason

LARGEST = 16 * 2**20
"""Bytes; a longer file is not one of ours. The kernels take 0.3 MiB."""


class Cached(NamedTuple):
    """A library, and why its code is not kept for later starts; empty if it is."""

    library: Library
    problem: str


_DIGEST = hashlib.sha256().digest_size


def cached_library(
    path: Path | None, functions: Sequence[Any], signatures: Sequence[Any], report: Report
) -> Cached:
    """Return the compiled ``functions`` from the file ``path``, or compile and keep them there.

    The owner chooses a ``path`` for each version of everything that the code depends on.
    """
    library = _load(path) if path else None
    if library is not None:
        return Cached(library, "")
    library = Library.compile(functions, signatures, report)
    problem = _keep(path, library) if path else "there is no home folder"
    return Cached(library, problem)


def _load(path: Path) -> Library | None:
    code = read_code(path)
    with suppress(Exception):  # whatever is wrong with it, the code can be compiled
        return None if code is None else Library.from_bytes(code)
    return None


def _keep(path: Path, library: Library) -> str:
    """Write the library, if the file can be written; return why it cannot."""
    try:
        code = library.to_bytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, hashlib.sha256(code).digest() + code)
    except Exception as error:
        return f"{path}: {reason(error)}"
    return ""


def read_code(path: Path) -> bytes | None:
    """Return the code in the file ``path``; None if there is none, or it is damaged."""
    try:
        if not path.is_file():  # a pipe would never end
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST)
    except Exception:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _replace(path: Path, content: bytes) -> None:
    """Write the file ``path`` whole or not at all, beside processes that do the same."""
    file, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise
