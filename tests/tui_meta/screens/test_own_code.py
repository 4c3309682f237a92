"""A family, an algorithm and a network of the user's own in the dashboard, while they train."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.commands import Stop
from core.experiments.specification import specification_of
from core.extensions.loading import load_named
from core.session.local import LocalSession
from tests.support.dashboard.pages import press, settle, shown
from tests.support.own_code import forget, write_files
from tests.support.runs import CRAWL, new_plan, until
from tui_meta.app.application import TuiMetaApp

pytestmark = pytest.mark.usefixtures("no_timers", "registries")


async def test_a_run_of_own_code_is_watched_paused_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    own = {"tasks": "planes.py:Planes", "model": "nets.py:residual"}
    settings = load_named({"algorithms": ["halves.py:Halves"], "seed": 3, **own})
    (run,) = specification_of(settings).expand()
    session = LocalSession([new_plan(tmp_path, run.config, pace=CRAWL)])
    async with TuiMetaApp(session).run_test(size=(200, 60)) as pilot:
        until(lambda: session.snapshots()["run"].state == "training")
        await press(pilot, "space")
        until(lambda: session.snapshots()["run"].state == "paused")
        text = await settle(pilot)
        assert "Halves" in text
        assert "residual" in text
        assert "PyTorch trains, as the fused engine cannot" in await press(pilot, "m")
        text = await press(pilot, "v")
        assert "Halves after 1 · PCA plane" in text
        assert "diverged" in await press(pilot, "b", "minus", "minus", "minus", "e")
        text = await press(pilot, "w", "full_stop")
        until(lambda: session.snapshots()["run"].iteration == 2)
        text = await press(pilot, "plus")
        assert "model" in text
        assert "residual" in shown(pilot)
    session.send(Stop(save=False))


async def test_a_client_without_the_code_shows_the_run_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    settings = load_named({"algorithms": ["halves.py:Halves"], "tasks": "planes.py:Planes"})
    (run,) = specification_of(settings).expand()
    session = LocalSession([new_plan(tmp_path, run.config, pace=CRAWL)])
    session.start()
    until(lambda: session.snapshots()["run"].state == "training")
    monkeypatch.setattr(session, "start", lambda: None)
    forget()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "plus")
        assert "no other run: algorithm" in text
        assert "must be built in or registered" in text
        for keys in (("escape", "i"), ("escape", "a"), ("v",), ("b",), ("t",), ("f",), ("V",)):
            await press(pilot, *keys)
        assert "Halves" in await press(pilot, "w")
    session.stop(save=False)
