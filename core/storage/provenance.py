"""The provenance of a run: versions, processor, command line and commit."""

import functools
import platform
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.version import VERSION

PACKAGES = ("numpy", "torch", "numba", "safetensors")
"""Packages whose versions, as this program's own, can change the bits of a run."""

SAMPLE_NAME = "sample computation"
"""The name of the digest of what the engine computes, beside the versions."""

GIT_SECONDS = 2.0
"""Time limit for git to name the commit."""


def command_line() -> list[str]:
    """Return the command line; bytes that are not UTF-8 are escaped, since JSON needs text."""
    return [word.encode(errors="backslashreplace").decode() for word in sys.argv]


def installed_versions() -> dict[str, str]:
    """Return the installed versions of the packages that can change the bits of a run.

    NumPy's also depend on the instructions that it uses, which ``NPY_DISABLE_CPU_FEATURES`` limits.
    """
    versions = {package: _installed_version(package) for package in PACKAGES}
    return {"tui-meta": VERSION, **versions, "numpy instructions": _numpy_instructions()}


def _numpy_instructions() -> str:
    import numpy as np  # late: clients read the command line alone

    configuration: Any = np.show_config(mode="dicts")
    found = configuration.get("SIMD Extensions", {})
    return " ".join([*found.get("baseline", ()), *found.get("found", ())]) or "unknown"


def _installed_version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError

    try:
        return _found_version(package)
    except PackageNotFoundError:
        return "not installed"
    except Exception:
        return "unknown"


@functools.cache
def _found_version(package: str) -> str:
    """Return a version, which takes a millisecond and stays that of this process.

    Raises errors of many types where the package is being installed or removed.
    """
    from importlib.metadata import version

    found: str | None = version(package)
    if found is None:
        raise LookupError(package)
    return found


def processor() -> str:
    """Return the name of this machine's processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def git_commit() -> str | None:
    """Return the commit of the working directory; None without a repository, or without git."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "HEAD"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip() or None
