"""Takes the pictures of the documents anew, of runs that train while they are taken.

    .venv/bin/python docs/pictures.py [--size 120x40] [--out docs] [SCREEN ...]

`make pictures` does it. The screens are those of the present code, the numbers those of real runs.
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
from core.config import CheckpointSettings, RunConfig
from core.events import SetPace
from core.remote.client import RemoteSession
from core.remote.process import launch
from core.session.launch import TrainRequest
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.screens.page import Page

HERE = Path(__file__).parent

LEARNED = 30_000
"""Iterations after which the curves have a shape."""

SLOWLY = 300.0
"""Iterations a second while pictures are taken."""

SCREENS: Mapping[str, Sequence[str]] = {
    "watch": ("e", "s"),
    "lab": ("a", "2", "home", *["full_stop"] * 3),
    "time-machine": ("t", "home", "right"),
    "battery": ("b", "enter", "down"),
    "geometry": ("v",),
    "runs": ("f", "down", "space", "space"),
    "messages": ("s", "e", "m"),
    "help": ("question_mark",),
    "palette": ("colon", "c", "u", "r"),
    "quit": ("q",),
    "compared": ("f", "down", "space", "space", "c"),
    "opened": ("f", "down", "down", "enter"),
    "cursor": ("x", *["left"] * 5),
}
"""The keys that lead to each picture; the first six are in the documents."""

SHOWN = tuple(SCREENS)[:6]


@contextmanager
def training() -> Iterator[str]:
    """The name of a session that trains both algorithms, well on their way.

    Its runs lie beside those that are shipped; it ends with the pictures.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, chdir(folder):
        os.environ |= {"XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": f"{folder}/state"}
        shutil.copytree(HERE.parent / "checkpoints", "checkpoints")
        configs = [RunConfig(algorithm=Fomaml()), RunConfig(algorithm=Reptile())]
        saving = CheckpointSettings(autosave_iterations=4_000, keep=9)
        runs = TrainRequest.of(configs, saving, out=Path("checkpoints"), name=None, pace=None)
        id = launch(runs).id
        try:
            learn(RemoteSession(id))
            yield id
        finally:
            RemoteSession(id).stop(save=False)


def learn(face: RemoteSession) -> None:
    """Wait until all runs have learned enough, and let them go on slowly."""
    slow: set[str] = set()
    while any(one.rate > 2 * SLOWLY for one in face.snapshots().values()) or not slow:
        for run, one in face.snapshots().items():
            if one.iteration >= LEARNED and run not in slow:
                face.send(SetPace(SLOWLY), run)
                slow.add(run)
        time.sleep(0.05)
    face.detach()


async def settle(pilot: Pilot[None]) -> None:
    """Let what was asked be answered and painted."""
    for _ in range(3):
        await pilot.pause(0.25)
        await pilot.app.workers.wait_for_complete()
        if isinstance(pilot.app.screen, Page):
            pilot.app.screen.tick()
    await pilot.pause()


async def take(id: str, screen: str, size: tuple[int, int], preferred: Preferences) -> str:
    """The picture of ``screen`` in a terminal of ``size``, attached to session ``id``, as SVG."""
    session = RemoteSession(id)
    session.remember({})
    app = TuiMetaApp(session, preferred)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in SCREENS[screen]:
            await pilot.press(key)
            await settle(pilot)
        svg = app.export_screenshot(title="tui-meta")
    session.detach()
    return svg


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("screens", nargs="*", default=SHOWN, metavar="SCREEN")
    parser.add_argument("--size", default="120x40", help="columns and rows of the terminal")
    parser.add_argument("--out", type=Path, default=HERE / "pictures")
    parser.add_argument("--theme", default="terminal")
    parser.add_argument("--ascii", action="store_true")
    given = parser.parse_args()
    columns, rows = map(int, given.size.split("x"))
    preferred = Preferences(theme=given.theme, ascii=given.ascii)
    out = given.out.absolute()
    out.mkdir(exist_ok=True)
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    with training() as id:
        for screen in given.screens:
            svg = asyncio.run(take(id, screen, (columns, rows), preferred))
            (out / f"{screen}.svg").write_text(svg)


if __name__ == "__main__":
    main()
