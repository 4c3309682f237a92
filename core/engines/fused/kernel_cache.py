"""Compiled kernels on disk. Nothing that happens to the files stops a program from computing.

numba's own cache raises for a damaged index, has no checksum for code that will be executed, misses
changes in other files than that of the function (https://github.com/numba/numba/issues/1833), and
takes its folder from a global setting (https://github.com/numba/numba/issues/9350).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.engines.fused.native import Code, Linked, link
from core.errors import reason

LARGEST = 16 * 2**20
"""Bytes; a longer file is not one of ours. The kernels take 0.3 MiB."""


class Cached(NamedTuple):
    """A library, and why its code is not kept for later starts; empty if it is."""

    library: Linked
    problem: str


_DIGEST = hashlib.sha256().digest_size


def cached_library(path: Path | None, compile: Callable[[], Code]) -> Cached:
    """Return the library in the file ``path``, or that of ``compile``, which is kept there.

    The owner chooses a ``path`` for each version of everything that the code depends on.
    """
    library = _load(path) if path else None
    if library is not None:
        return Cached(library, "")
    code = compile()
    problem = _keep(path, code) if path else "there is no home folder"
    return Cached(_linked(code), problem)


def _load(path: Path) -> Linked | None:
    code = read_code(path)
    with suppress(Exception):  # whatever is wrong with it, the code can be compiled
        return None if code is None else _linked(code)
    return None


def _linked(code: Code) -> Linked:
    try:
        return link(code)
    except RuntimeError:
        from core.engines.fused import compiler  # late: numba takes longer than all else

        return compiler.link(code)


def _keep(path: Path, code: Code) -> str:
    """Write the code, if the file can be written; return why it cannot."""
    try:
        content = code.to_bytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, hashlib.sha256(content).digest() + content)
    except Exception as error:
        return f"{path}: {reason(error)}"
    return ""


def read_code(path: Path) -> Code | None:
    """Return the code in the file ``path``; None if there is none, or it is damaged."""
    try:
        if not path.is_file():  # a pipe would never end
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST)
    except Exception:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return Code.from_bytes(code) if hashlib.sha256(code).digest() == digest else None


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
