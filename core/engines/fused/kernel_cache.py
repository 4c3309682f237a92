"""Compiled kernels on disk. Nothing that happens to the files stops a program from computing.

numba's own cache raises for a damaged index, has no checksum for code that will be executed, misses
changes in other files than that of the function (https://github.com/numba/numba/issues/1833), and
takes its folder from a global setting (https://github.com/numba/numba/issues/9350).
"""

# mypy: disable-error-code="no-untyped-call, misc"

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from core.errors import reason

LARGEST = 16 * 2**20
"""Bytes; a longer file is not one of ours. A kernel takes 0.3 MiB."""

_DIGEST = hashlib.sha256().digest_size


class KernelCache(NullCache):
    """The compiled code of one function in the file ``path``: a digest, then the code.

    The owner chooses a ``path`` for each version of everything that the code depends on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problem = ""
        """Why the code could not be kept for later starts."""

    @property
    def cache_path(self) -> str:
        return str(self._path.parent)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code; None where it is absent or damaged, and is to be compiled."""
        code = read_code(self._path)
        if code is None:
            return None
        try:
            # As little of numba as the code calls: refreshing the context would prepare it to
            # compile, which takes a quarter of a second.
            rtsys.initialize(target_context)
            return CompileResult._rebuild(target_context, *pickle.loads(code))
        except Exception:  # whatever is wrong with it, the code can be compiled
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code of the compile result ``data``, if the file can be written."""
        try:
            code = dumps(data._reduce())
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self._path, hashlib.sha256(code).digest() + code)
        except Exception as error:
            self.problem = f"{self._path}: {reason(error)}"


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
