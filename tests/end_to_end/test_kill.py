"""A run that is killed again and again ends with the bits of an undisturbed run."""

import json
import random
import time
from pathlib import Path
from typing import Any

from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from tests.support.runs import learned
from tests.support.soak import soak
from tests.support.states import bits
from tests.support.terminals.forked import Piped
from tests.support.terminals.terminal import PATIENCE

KILLS = soak(6, 200)

BUSY = """
import sys
import core.training.pacing, core.training.checkpointing
core.training.pacing.CHUNK_SECONDS = 0.001
core.training.checkpointing.REST = 0
from tui_meta.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""The program as it is, but that it saves so often that many a kill falls into a save."""

LONGEST_LIFE = 0.15
"""Seconds from the beginning of training to the kill, at most."""

RUN = [
    *("--algorithms", "fomaml", "--name", "kill", "--network.hidden", "8"),
    *("--fomaml.outer-optimizer", "adam", "--eval-interval", "130"),
    *("--iterations", str(1_000 * KILLS), "--autosave-iterations", "20", "--json"),
]


def begun(folder: Path, *tokens: str) -> Piped:
    return Piped(["-c", BUSY, *tokens], folder)


def whole_lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output[: output.rfind(b"\n") + 1].splitlines()]


def interrupted_a_save(run: Path) -> bool:
    """Return True if a file is unfinished or an optimizer's state has no network."""
    names = {path.name for path in run.iterdir()}
    networks = {name.replace(".optimizer", "") for name in names if ".optimizer." in name}
    return any(name.endswith(".partial") for name in names) or not networks <= names


def test_a_run_killed_at_random_moments_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    calm, harsh = tmp_path / "calm", tmp_path / "harsh"
    for folder in (calm, harsh):
        folder.mkdir()
    undisturbed = begun(calm, *RUN)
    _, err = undisturbed.communicate(timeout=PATIENCE * 4)
    assert undisturbed.returncode == 0, err.decode()

    chance = random.Random(4)
    run = Path("checkpoints", "fomaml-kill")
    shown: list[dict[str, Any]] = []
    tokens = RUN
    inside = 0
    for _ in range(KILLS):
        process = begun(harsh, *tokens)
        first = process.stdout.readline()
        if not first:
            raise AssertionError(process.communicate()[1].decode())
        time.sleep(chance.uniform(0, LONGEST_LIFE))
        process.kill()
        rest, _ = process.communicate()
        shown += whole_lines(first + rest)
        inside += interrupted_a_save(harsh / run)
        tokens = ["resume", str(run), "--json"]
    print(f"{inside} of {KILLS} kills fell into a save")
    assert inside >= soak(0, 1)
    last = begun(harsh, *tokens)
    out, err = last.communicate(timeout=PATIENCE * 4)
    assert last.returncode == 0, err.decode()
    shown += whole_lines(out)

    end, expected = (latest_checkpoint(folder / run).checkpoint for folder in (harsh, calm))
    assert bits(end.state) == bits(expected.state)
    assert end.best == expected.best
    logs = [list(history(folder / run)) for folder in (harsh, calm)]
    assert learned(logs[0]) == learned(logs[1])
    logged = {
        json.dumps(json.loads(line), sort_keys=True)
        for line in (harsh / run / "events.jsonl").read_bytes().splitlines()
    }
    assert [event for event in shown if json.dumps(event, sort_keys=True) not in logged] == []
    assert not list((harsh / run).glob(".*.partial"))
