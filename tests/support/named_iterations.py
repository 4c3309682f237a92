"""Commands in this process, and the iteration that each names of a run."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import msgspec

from tui_meta.cli.main import main


class Output(SimpleNamespace):
    """What a command has printed, and its exit code."""

    code: int
    text: str


def run_command(*tokens: str) -> Output:
    """Run a command in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    with patch.object(sys, "stdout", streams[0]), patch.object(sys, "stderr", streams[1]):
        code = main(tokens)
        streams[0].flush()
    return Output(code=code, text=streams[0].buffer.getvalue().decode())  # type: ignore[attr-defined]


def evaluated(run: Path) -> int:
    plain = msgspec.json.decode(run_command("eval", str(run), "--json", "--tasks", "2").text)
    return int(plain["network"]["iteration"])


def compared(run: Path) -> int:
    done = run_command("compare", str(run), str(run), "--json", "--tasks", "2")
    return int(msgspec.json.decode(done.text)["b"]["iteration"])


def shown(run: Path) -> int:
    row = r"(\d{9})\.safetensors +(?:best so far|\w+(?:, best so far)?) +[\d.]+ "
    return max(map(int, re.findall(row, run_command("show", str(run)).text)))


def listed(run: Path) -> int:
    return int(msgspec.json.decode(run_command("runs", str(run), "--json").text)["iteration"])


def diffed(run: Path) -> int:
    other = next(parent for parent in run.parents if (parent / "other").exists()) / "other"
    done = run_command("diff", str(run), str(other))
    found = re.search(r"^ +iteration +(\d+) +0 *$", done.text, re.MULTILINE)
    return int(found[1]) if found else 0  # as the other run, which was never trained


def exported(run: Path) -> int:
    rows = csv.DictReader(
        run_command("export", str(run), "--to", "csv", "--out", "-").text.splitlines()
    )
    return max((int(row["iteration"]) for row in rows), default=0)


COMMANDS: dict[str, Callable[[Path], int]] = {
    "eval": evaluated,
    "compare": compared,
    "show": shown,
    "runs": listed,
    "diff": diffed,
    "export": exported,
}
"""Commands, and the iteration that each names of a run."""
