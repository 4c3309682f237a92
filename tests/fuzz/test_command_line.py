"""Any list of arguments: an exit code, and one line where it is refused."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.session import run_requests
from core.session.run_requests import Runs
from tests.support.hostile.damage import ANY_TEXT
from tests.support.hostile.guards import harmless
from tests.support.quick_parser import quick_parser
from tests.support.soak import soak
from tui_meta.cli.commands import train
from tui_meta.cli.main import main

TRIED = settings(max_examples=soak(200, 10_000))

COMMANDS = [
    *("train", "resume", "attach", "ls", "stop", "send", "watch"),
    *("eval", "compare", "runs", "show", "export", "diff", "rm", "config", "report"),
]
FLAGS = [
    "--no-tui",
    "--json",
    "--help",
    "--version",
    "--config",
    "--name",
    "--seed",
    "--pace",
    "--iterations",
    "--tasks",
    "--shots",
    "--steps",
    "--protocol",
    "--support-interval",
    "--inner-lr",
    "--algorithms",
    "--engine",
    "--device",
    "--precision",
    "--network.hidden",
    "--waves.x",
    "--fomaml.inner-lr",
    "--reptile.adam-betas",
    "--fomaml.",
    "--no-no-tui",
    "--to",
    "--sort",
    "--",
    "-",
    "--yes",
    "--detach",
    "--read-only",
    "--run",
]
VALUES = [
    "0",
    "-1",
    "3",
    "pause",
    "evaluate",
    "1e400",
    "nan",
    "9" * 5_000,
    "fomaml",
    "reptile",
    "fused",
    "cpu",
    "cuda",
    "csv",
    "",
    ".",
    "..",
    "../up",
    "run",
    "run/run.json",
    "pipe",
    "a\nb",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "[/]",
    "{}",
    "中文",
    "x" * 5_000,
    "\udcff",
]
FREE_TEXT = ANY_TEXT.map(lambda text: text.replace("/", "|").replace("\0", "0"))
"""Text that names no place outside the folder; a null character ends an argument."""

WORDS = st.sampled_from(COMMANDS) | st.sampled_from(FLAGS) | st.sampled_from(VALUES) | FREE_TEXT
EQUAL = st.tuples(st.sampled_from(FLAGS), st.sampled_from(VALUES) | FREE_TEXT).map("=".join)
ARGUMENTS = st.tuples(
    st.lists(st.sampled_from(COMMANDS), max_size=1), st.lists(WORDS | EQUAL, max_size=7)
).map(lambda parts: [*parts[0], *parts[1]])


def _show(runs: Runs, *_: object) -> int:
    for plan in runs.plans():
        plan.folder.release()
    return 0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder to run command lines in, without training."""
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        folder = Path(made) / "here"
        folder.mkdir()
        patch.chdir(folder)
        patch.setenv("HOME", str(folder))
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setattr(train, "show", _show)
        patch.setattr(run_requests, "make_engine", lambda config: None)
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        with quick_parser():
            for command in COMMANDS:
                said(command, "nowhere")
            yield folder


def said(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    texts: list[str] = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return int(code), *texts  # type: ignore[return-value]


@TRIED
@given(arguments=ARGUMENTS)
def test_any_arguments(folder: Path, arguments: list[str]) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "run.json").mkdir()
    try:
        with harmless(folder):
            check(*said(*arguments))
        assert [path.name for path in folder.parent.iterdir()] == ["here"]
    finally:
        _clear(folder)


def check(code: int, out: str, err: str) -> None:
    lines = err.splitlines()
    assert code in (0, 2)
    if code == 2:
        assert out == ""
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        assert len(lines[0]) < 700
    assert all(line.isprintable() for line in (*lines, *out.replace("\t", " ").splitlines()))


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_what_is_tried_is_what_there_is() -> None:
    from tui_meta.cli.definitions.command_line import app

    known: Any = {name for name in app if not name.startswith("-")}
    # Their folder may be anywhere; what they refuse is in tests/tui_meta/cli.
    assert set(COMMANDS) == known - {"completion", "sweep", "reproduce"}
