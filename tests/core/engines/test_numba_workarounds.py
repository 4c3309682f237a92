"""Faults of numba that ``core.engines.fused.kernel_cache`` works around.

A test that fails here means that the fault is gone, and the workaround may go too.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core.caching import IndexDataCacheFile


def test_the_cache_still_misses_changes_in_other_files(tmp_path: Path) -> None:
    """https://github.com/numba/numba/issues/1833"""
    helper = "from numba import njit\n\n@njit\ndef constant():\n    return {}\n"
    (tmp_path / "user.py").write_text(
        "from numba import njit\nfrom helper import constant\n\n"
        "@njit(cache=True)\ndef answer():\n    return constant()\n\nprint(answer())\n"
    )

    def answer(constant: int) -> str:
        (tmp_path / "helper.py").write_text(helper.format(constant))
        command = [sys.executable, "-B", "user.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert answer(1) == "1"
    assert answer(22) == "1"


def test_the_cache_still_raises_for_a_damaged_index(tmp_path: Path) -> None:
    file = IndexDataCacheFile(str(tmp_path), "function", "stamp")
    (tmp_path / "function.nbi").touch()
    with pytest.raises(EOFError):
        file.load("key")


def test_a_function_still_cannot_choose_its_cache_folder() -> None:
    """https://github.com/numba/numba/issues/9350; a new parameter is a reason to look again."""
    assert list(inspect.signature(numba.jit).parameters) == [
        "signature_or_function",
        "locals",
        "cache",
        "pipeline_class",
        "boundscheck",
        "options",
    ]
