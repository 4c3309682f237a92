"""Any keys in a real terminal, at any size, beside a real training: it learns as if left alone."""

from __future__ import annotations

import random
import time
from contextlib import closing
from pathlib import Path

from core.events import Evaluated, Progress
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from tests.support.runs import learned
from tests.support.soak import soak
from tests.support.states import bits
from tests.support.terminals.dashboards import (
    PROGRAM,
    called,
    listed,
    ran,
    until,
    until_none_lives,
)
from tests.support.terminals.keyboard import press, sent
from tests.support.terminals.terminal import Terminal
from tui_meta.app.pages import PAGES
from tui_meta.views.keys.table import SCREEN_KEYS
from tui_meta.views.keys.watch import GROUPS

KEYS = soak(200, 10_000)
AT_ONCE = 10
SIZES = soak(6, 200)
LARGEST = (soak(220, 300), soak(70, 100))
LEAST = soak(10_000, 100_000)
"""Iterations that each run makes at least."""
LEAVING = {"q", "ctrl+c", "ctrl+q", "ctrl+z", "d"}
REPLACING = {"r", "colon", "ctrl+p"}
"""They lead to questions that begin fresh runs, or leave."""

TABLES = [keys for _, keys in GROUPS] + [page.KEYS for page in PAGES.values()]
NAMES = {name for keys in TABLES for key in keys for name in key.names.split(",")}
EVERY_KEY = sorted(NAMES - LEAVING - REPLACING)
EVAL_INTERVAL = 500
SMALL = ("--network.hidden", "16", "--eval-interval", str(EVAL_INTERVAL))


def storm(dashboard: Terminal) -> None:
    """Random keys on all screens, several at once, in a window whose size changes."""
    rng = random.Random(7)
    rounds = KEYS // AT_ONCE
    for place in range(rounds):
        if place % 5 == 0:
            press(dashboard, rng.choice(SCREEN_KEYS).names)
        dashboard.press("".join(sent(name) for name in rng.choices(EVERY_KEY, k=AT_ONCE)))
        dashboard.read_for(0.01)
        if place % max(1, rounds // SIZES) == 0:
            small = rng.random() < 0.3
            size = (60, 20) if small else LARGEST
            dashboard.resize(rng.randint(1, size[0]), rng.randint(1, size[1]))


def home(dashboard: Terminal) -> None:
    """Back from wherever one is: there is always a way."""
    dashboard.resize(120, 40)
    while "session" not in dashboard.lines[0]:
        press(dashboard, "escape")
        dashboard.read_for(0.5)
        press(dashboard, "w")
        dashboard.read_for(0.5)
    press(dashboard, "m")
    dashboard.wait_for("·  Messages")
    press(dashboard, "w")
    dashboard.wait_until(lambda _: "session" in dashboard.lines[0], "the watch screen")


def iterations() -> dict[str, int]:
    """Return the iteration of each run of the session."""
    return {one["run"]: one["iteration"] for one in listed()[0]["runs"]}


def order(folder: Path, *words: str) -> None:
    """An order to the runs; one that they obey already they refuse."""
    called(folder, "send", "1", *words)


def test_no_key_changes_what_is_learned(tmp_path: Path, own_place: Path) -> None:
    ran(tmp_path, *SMALL, "--pace", "1000", "--iterations", "1000000000", "--name", "x", "--detach")
    began = time.monotonic()
    with closing(Terminal([*PROGRAM, "attach"], cwd=tmp_path)) as dashboard:
        dashboard.wait_until(lambda text: text.count("training ") >= 2, "both runs train")
        storm(dashboard)
        home(dashboard)
        took = time.monotonic() - began
        press(dashboard, "d d")
        assert dashboard.wait_for_end() == 0
        assert dashboard.left_behind() == []
    order(tmp_path, "pace", "full")
    order(tmp_path, "resume")
    until(lambda: min(iterations().values()) > LEAST, "training continues")
    order(tmp_path, "pause")
    ended = iterations()
    ran(tmp_path, "stop", "1")
    until_none_lives()
    print(f"{KEYS} keys, {SIZES} sizes in {took:.0f} s; the runs came to {ended}")
    for run, iteration in ended.items():
        folder, algorithm = tmp_path / "checkpoints" / run, run.split("-")[0]
        alone = (*SMALL, "--algorithms", algorithm, "--iterations", str(iteration))
        ran(tmp_path, *alone, "--name", "x", "--out", "alone", "--no-tui")
        end, expected = (
            latest_checkpoint(one).checkpoint for one in (folder, tmp_path / "alone" / run)
        )
        assert bits(end.state) == bits(expected.state)
        log = list(history(folder))
        # Its last iteration is validated, which the other one's is not unless it is due.
        ours, theirs = (
            [one for one in learned(events) if one.iteration < iteration]
            for events in (log, list(history(tmp_path / "alone" / run)))
        )
        assert ours == theirs
        made = [event.iteration for event in log if isinstance(event, Progress)]
        assert made == list(range(100, iteration + 1, 100))
        looked = [
            event.iteration
            for event in log
            if isinstance(event, Evaluated) and event.probe == "validation"
        ]
        assert looked == list(range(EVAL_INTERVAL, iteration + 1, EVAL_INTERVAL))
