"""Where a run comes from: versions, processor, machine, the state of the working directory."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core.version import VERSION

PACKAGES = ("numpy", "torch", "numba", "safetensors")
"""Packages whose versions, as this program's own, can change the bits of a run."""

GIT_SECONDS = 2.0
"""How long git may take to name the commit."""


def command_line() -> list[str]:
    """What was typed; bytes that are no UTF-8, which JSON cannot say, are spelled out."""
    return [word.encode(errors="backslashreplace").decode() for word in sys.argv]


def installed_versions() -> dict[str, str]:
    """Versions of the packages that can change the bits of a run, as installed."""
    versions = {"tui-meta": VERSION}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def processor() -> str:
    """The name of this machine's processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor()
    return platform.processor()


def git_commit() -> str | None:
    """The commit of the working directory; None where there is none, or no git."""
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
