"""A sweep that is killed again and again ends with the bits of an undisturbed one."""

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.experiments.results import RunResult
from core.experiments.sweep_folder import SweepFolder
from core.storage.checkpoint import load_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint
from core.tasks.base import Floats
from tests.support.soak import soak
from tests.support.terminals.forked import Piped
from tests.support.terminals.terminal import PATIENCE

KILLS = soak(4, 20)
RUNS = 8 * KILLS

SWEEP = [
    *("sweep", "rates", "--seeds", str(RUNS // 2), "--network.hidden", "8", "--json"),
    *("--iterations", "2000", "--validation.tasks", "4", "--validation.interval", "500"),
]
LONGEST_LIFE = 0.1
"""Seconds from the first result to the kill, at most; a run takes about as long."""


def begun(folder: Path, *tokens: str) -> Piped:
    return Piped(["-m", "tui_meta", *tokens], folder)


def finished(folder: Path, *tokens: str) -> dict[str, RunResult]:
    process = begun(folder, *tokens)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err.decode()
    return SweepFolder(folder / "rates").results()


def contents(results: dict[str, RunResult]) -> dict[str, dict[str, Any]]:
    return {digest: result.content for digest, result in results.items()}


def network(path: Path) -> Floats:
    """Return the final parameters in a run folder or a checkpoint."""
    found = latest_checkpoint(path).checkpoint if path.is_dir() else load_checkpoint(path)
    return found.state.theta


@pytest.mark.parametrize("store", soak(["final"], ["final", "all", "none"]))
def test_a_sweep_killed_at_random_moments_ends_like_an_undisturbed_one(
    store: str, tmp_path: Path
) -> None:
    calm, harsh = tmp_path / "calm", tmp_path / "harsh"
    for folder in (calm, harsh):
        folder.mkdir()
    undisturbed = finished(calm, *SWEEP, "--store", store)
    assert len(undisturbed) == RUNS

    chance = random.Random(7)
    tokens = [*SWEEP, "--store", store]
    for _ in range(KILLS):
        process = begun(harsh, *tokens)
        if not process.stdout.readline():
            raise AssertionError(process.communicate()[1].decode())
        time.sleep(chance.uniform(0, LONGEST_LIFE))
        process.kill()
        process.communicate()
        tokens = ["sweep", "rates", "--store", store, "--json"]
    results = finished(harsh, *tokens)

    assert contents(results) == contents(undisturbed)
    lines = [
        line
        for file in (harsh / "rates" / "results").glob("*.jsonl")
        for line in file.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    assert len(lines) == RUNS
    for result in results.values():
        if result.network:
            ends = [network(folder / "rates" / result.network) for folder in (calm, harsh)]
            assert np.array_equal(*ends)
