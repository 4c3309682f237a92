"""Runs with checkpoints for the screens that look back, and what those screens answer to keys."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.engines.base import untrained
from core.events import SaveKind
from core.storage.checkpoint import Checkpoint, save_checkpoint
from tests.support.dashboard.fake_session import TARGET
from tests.support.dashboard.pages import shown
from tests.support.dashboard.watch import workers_done
from tests.support.run_folders import evaluated, make_run

CHECKPOINTS: dict[int, SaveKind] = {1_000: "auto", 2_000: "best", 5_000: "hand", 12_000: "auto"}


def make_folders(where: Path) -> None:
    """What the runs of a ``FakeSession`` have saved, relative to the working folder ``where``."""
    for name, content in saved_files().items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@functools.cache
def saved_files() -> dict[Path, bytes]:
    """Return the content of these files; every checkpoint is a network of another seed."""
    with TemporaryDirectory() as made:
        where = Path(made)
        for name in ("fomaml", "reptile"):
            config = RunConfig(algorithm=ALGORITHMS[name]())
            past = [evaluated(at, 4.0, 4 / (1 + at / 300)) for at in range(0, 12_000, 500)]
            folder = make_run(where / "checkpoints" / f"{name}-1", past, config)
            for iteration, kind in CHECKPOINTS.items():
                theta = untrained(dataclasses.replace(config, seed=iteration))
                state = dataclasses.replace(theta, iteration=iteration)
                save_checkpoint(folder, Checkpoint(config, state, TARGET, 1.0, (), kind))
        files = [path for path in where.rglob("*") if path.is_file()]
        return {path.relative_to(where): path.read_bytes() for path in files}


async def answered(pilot: Pilot[None], *keys: str) -> str:
    """Press keys one by one, each when the one before has its answers; gives the screen."""
    for key in keys or ("",):
        if key:
            await pilot.press(key)
        for _ in range(2):  # an answer may have asked more
            await workers_done(pilot)
            await pilot.pause()
    return shown(pilot)
