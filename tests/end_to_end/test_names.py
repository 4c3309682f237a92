"""What a stranger has named or written never paints a terminal: it is shown escaped."""

import json
import re
import shutil
from pathlib import Path

import pytest

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines.base import TrainState
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.storage.checkpoint import Checkpoint, save_checkpoint
from tests.support.terminals.dashboards import PROGRAM, printed
from tests.support.terminals.terminal import Terminal

HOSTILE = "fomaml-\x1b]0;owned\x07\x9b2J\n[red]\u202e中文"
RAW = ("\x1b]0;owned", "\x07", "\x9b", "\u202e")
"""What of it a terminal would obey."""


@pytest.fixture(autouse=True)
def terminal_of_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    for variable in ("COLUMNS", "LINES"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of a few iterations in a folder of a hostile name."""
    config = RunConfig(algorithm=Fomaml(), network=NetworkConfig(hidden=(4,)), iterations=10)
    state = TrainState(3, MLP.of(config.network).initial(0), {})
    folder = tmp_path / HOSTILE
    folder.mkdir()
    save_checkpoint(folder, Checkpoint(config, state, 10, 1.0, ()))
    record = {
        "name": HOSTILE,
        "config": config.to_dict(),
        "engine": HOSTILE,
        "device": "cpu",
        "versions": {HOSTILE: HOSTILE},
        "python": "3",
        "host": HOSTILE,
        "processor": HOSTILE,
        "command_line": ["tui-meta", HOSTILE],
        "started": HOSTILE,
    }
    (folder / "run.json").write_text(json.dumps(record))
    event = {"event": "failed", "run": HOSTILE, "iteration": 3, "time": 0.0, "problem": HOSTILE}
    (folder / "events.jsonl").write_text(json.dumps(event) + "\n")
    return folder


def is_clean(raw: bytes) -> bool:
    """Return True if nothing of the hostile name has reached the terminal as it was."""
    # The dashboard itself sets the shape of the mouse pointer, which ends with a bell.
    sent = re.sub(rb"\x1b\]22;[a-z-]*\x07", b"", raw)
    # It rings, and notifies with a text.
    sent = re.sub(rb"\x07?\x1b\](?:9;|777;notify;)([^\x07]*)\x07", rb"\1", sent)
    return not any(raw.encode() in sent for raw in RAW)


@pytest.mark.parametrize(
    "command",
    [
        ["eval", "--tasks", "2", HOSTILE],
        ["eval", "--tasks", "2", "--json", HOSTILE],
        ["compare", "--tasks", "2", HOSTILE, "twin"],
        ["compare", "--tasks", "2", "--json", HOSTILE, "twin"],
        ["resume", "--no-tui", "--iterations", "4", HOSTILE],
        ["resume", "--no-tui", "--iterations", "4", HOSTILE, "twin"],
        ["resume", "--json", "--iterations", "4", HOSTILE],
        ["runs", "."],
        ["show", HOSTILE],
        ["diff", HOSTILE, "twin"],
    ],
    ids=lambda command: " ".join(word for word in command if word != HOSTILE),
)
def test_a_hostile_name_is_shown_escaped(tmp_path: Path, run: Path, command: list[str]) -> None:
    shutil.copytree(run, tmp_path / "twin")
    code, raw = printed(*command, columns=200)
    assert code == 0, raw
    assert b"owned" in raw
    assert is_clean(raw)


@pytest.mark.parametrize(
    "command", [["eval"], ["resume"], ["--no-tui", "--config"], ["--no-tui", "--name"], ["rm"], []]
)
def test_a_hostile_argument_is_refused_escaped(command: list[str]) -> None:
    code, raw = printed(*command, HOSTILE, columns=200)
    assert code == 2
    assert b"owned" in raw
    assert is_clean(raw)


def test_the_dashboard_shows_a_hostile_name_escaped(tmp_path: Path, run: Path) -> None:
    shutil.copytree(run, tmp_path / "twin")
    terminal = Terminal([*PROGRAM, "resume", HOSTILE, "twin"], columns=200, cwd=tmp_path)
    try:
        terminal.wait_for("finished")
        terminal.press("s")
        terminal.wait_for("owned", "saved")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()
    assert "resume with" in terminal.text
    assert is_clean(terminal.raw)
