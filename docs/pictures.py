"""Regenerates the pictures in the documents from runs that train meanwhile.

    .venv/bin/python docs/pictures.py [--size 120x40] [--out docs] [SCREEN ...]

`make pictures` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path

from textual.pilot import Pilot

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.commands import SetPace
from core.config import CheckpointSettings, RunConfig
from core.experiments.sweep import ThreadExecutor, opened
from core.experiments.sweep_folder import Shard, SweepFolder
from core.remote.client import RemoteSession
from core.remote.launch import launch
from core.session.local import LocalSession
from core.session.run_requests import TrainRequest
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.screens.page import Page

HERE = Path(__file__).parent

WARM_UP = 30_000
"""Iterations before the first picture, so that the curves have a shape."""

PICTURE_PACE = 300.0
"""Iterations per second while pictures are taken."""

SCREENS: Mapping[str, Sequence[str]] = {
    "watch": ("e", "s"),
    "lab": ("a", "2", "home", *["full_stop"] * 3),
    "time-machine": ("t", "home", "right"),
    "battery": ("b", "e", "down"),
    "geometry": ("v",),
    "runs": ("f", "down", "M", "M"),
    "sweep": (),
    "messages": ("s", "e", "m"),
    "help": ("question_mark",),
    "palette": ("colon", "c", "u", "r"),
    "quit": ("q",),
    "compared": ("f", "down", "M", "M", "C"),
    "opened": ("f", "down", "down", "enter"),
    "cursor": ("x", *["left"] * 5),
}
"""The keys that lead to each picture; the first seven are in the documents."""

IN_DOCUMENTS = tuple(SCREENS)[:7]

SWEEP = {
    "algorithms": ["reptile"],
    "iterations": 5_000,
    "seeds": 3,
    "sweep": {
        "reptile.inner_lr": [0.002, 0.005, 0.01, 0.02, 0.05],
        "reptile.outer_lr": [0.02, 0.05, 0.1, 0.2, 0.5],
    },
}
"""What the picture of a sweep is of."""


@contextmanager
def training() -> Iterator[str]:
    """Start a session that trains both algorithms past ``WARM_UP``; yield its ID and end it.

    Its run folder also contains the shipped runs.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, chdir(folder):
        os.environ |= {"XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": f"{folder}/state"}
        shutil.copytree(HERE.parent / "checkpoints", "checkpoints")
        configs = [RunConfig(algorithm=Fomaml()), RunConfig(algorithm=Reptile())]
        saving = CheckpointSettings(autosave_iterations=4_000, keep=9)
        runs = TrainRequest.of(configs, saving, out=Path("checkpoints"), name=None, pace=None)
        id = launch(runs).id
        try:
            warm_up(RemoteSession(id))
            yield id
        finally:
            RemoteSession(id).stop(save=False)


def warm_up(client: RemoteSession) -> None:
    """Wait until all runs are past ``WARM_UP``, and slow them down."""
    slowed: set[str] = set()
    while any(one.rate > 2 * PICTURE_PACE for one in client.snapshots().values()) or not slowed:
        for run, one in client.snapshots().items():
            if one.iteration >= WARM_UP and run not in slowed:
                client.send(SetPace(PICTURE_PACE), run)
                slowed.add(run)
        time.sleep(0.05)
    client.detach()


def train_sweep() -> Path:
    """Train a sweep in the working folder; return its folder."""
    folder = SweepFolder(Path("rates"))
    folder.specify(SWEEP)
    with opened(folder, Shard(), "none") as sweep:
        for _ in sweep.train(ThreadExecutor()):
            pass
    return folder.path


async def settle(pilot: Pilot[None]) -> None:
    """Wait until questions are answered and the screen is painted."""
    for _ in range(3):
        await pilot.pause(0.25)
        await pilot.app.workers.wait_for_complete()
        if isinstance(pilot.app.screen, Page):
            pilot.app.screen.tick()
    await pilot.pause()


async def take(id: str, screen: str, size: tuple[int, int], preferences: Preferences) -> str:
    """Return an SVG of ``screen`` in a terminal of ``size``, attached to session ``id``."""
    session = RemoteSession(id)
    session.remember({})
    app = TuiMetaApp(session, preferences)
    if screen == "sweep":
        app = TuiMetaApp(LocalSession([]), preferences, sweep=train_sweep())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in SCREENS[screen]:
            await pilot.press(key)
            await settle(pilot)
        svg = app.export_screenshot(title="tui-meta")
    session.detach()
    return svg


def main() -> None:
    """Take the requested pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("screens", nargs="*", default=IN_DOCUMENTS, metavar="SCREEN")
    parser.add_argument("--size", default="120x40", help="columns and rows of the terminal")
    parser.add_argument("--out", type=Path, default=HERE / "pictures")
    parser.add_argument("--theme", default="terminal")
    parser.add_argument("--ascii", action="store_true")
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    preferences = Preferences(theme=options.theme, ascii=options.ascii)
    out = options.out.absolute()
    out.mkdir(exist_ok=True)
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    with training() as id:
        for screen in options.screens:
            svg = asyncio.run(take(id, screen, (columns, rows), preferences))
            (out / f"{screen}.svg").write_text(svg)


if __name__ == "__main__":
    main()
