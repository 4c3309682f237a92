"""A crash inside a trainer: one run fails with a message, the other continues."""

import json
import sys
from pathlib import Path

from tests.support.terminals.terminal import Terminal

CRASHING = """
import core.training.trainer
from core.engines import make_engine

def crashing(config, on_prepare):
    engine = make_engine(config, on_prepare)
    if config.algorithm.name == "fomaml":
        advance = engine.advance
        def burn(state, n):
            if state.iteration >= 1_000:
                raise RuntimeError("the kernel is on fire")
            return advance(state, n)
        engine.advance = burn
    return engine

core.training.trainer.make_engine = crashing
"""
"""Code that every process of the program runs first, also the one that trains."""


def test_a_crash_in_one_run_is_shown_and_logged_and_the_other_continues(tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text(CRASHING)
    command = [sys.executable, "-m", "tui_meta", "--iterations", "100000000", "--name", "x"]
    terminal = Terminal(command, cwd=tmp_path, variables={"PYTHONPATH": str(modules)}, fresh=True)
    try:
        seen = terminal.wait_for("FOMAML   failed", "the kernel is on fire")
        assert "Reptile  training" in seen
        before = (tmp_path / "checkpoints" / "reptile-x" / "events.jsonl").stat().st_size
        terminal.wait_until(
            lambda _: (
                (tmp_path / "checkpoints" / "reptile-x" / "events.jsonl").stat().st_size > before
            ),
            "the other run continues",
        )
        terminal.press("q")
        terminal.wait_for("save and stop")
        terminal.press("s")
        assert terminal.wait_for_end() == 1
    finally:
        terminal.close()
    assert terminal.left_behind() == []
    assert b"Traceback" not in terminal.raw
    last = (tmp_path / "checkpoints" / "fomaml-x" / "events.jsonl").read_text().splitlines()[-1]
    failed = json.loads(last)
    assert failed["event"] == "failed"
    assert failed["problem"] == "RuntimeError: the kernel is on fire"
    assert failed["details"].startswith("Traceback")
