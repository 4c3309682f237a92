"""A dashboard whose run folder, or working folder, was deleted: every key works or says why not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.commands import Pause, Step
from core.session.api import Session
from core.session.local import LocalSession
from core.training.run_plan import plan_new
from tests.support.dashboard.watch import press, settle, workers_done
from tests.support.remotes import served
from tests.support.runs import CRAWL, NO_AUTOSAVE, small_config, until
from tests.support.sessions import folder_for_sockets
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.runs.screen import RunsPage
from tui_meta.views.dialogs.quit_choice import exit_report

pytestmark = pytest.mark.slow

RUN = "fomaml-x"
DELETED = {
    "the run folder": f"checkpoints/{RUN}",
    "the folder of all runs": "checkpoints",
    "the working folder": "",
}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


@pytest.fixture(params=["in this process", "attached"])
def session(request: pytest.FixtureRequest, job: Path) -> Iterator[Session]:
    """A run in a folder that is relative to the working folder."""
    plan = plan_new(small_config(), Path("checkpoints"), "x", CRAWL, NO_AUTOSAVE)
    local = LocalSession([plan])
    if request.param == "in this process":
        yield local
    else:
        with folder_for_sockets(), served(local) as serving:
            yield serving.client()
    local.stop(save=False)


def pause_at_4(session: Session) -> None:
    until(lambda: session.snapshots()[RUN].state == "training")
    session.send(Pause())
    session.send(Step(3))
    until(lambda: session.snapshots()[RUN].iteration == 4)


@pytest.mark.parametrize("deleted", DELETED.values(), ids=DELETED)
async def test_save_runs_and_quit_work_and_name_what_became_of_the_run(
    deleted: str, job: Path, session: Session, tmp_path: Path
) -> None:
    app = TuiMetaApp(session)
    async with app.run_test(size=(200, 40)) as pilot:
        await settle(pilot)
        pause_at_4(session)
        shutil.rmtree(job / deleted)
        await press(pilot, "s")
        until(lambda: any("could not be saved" in line for line in errors(app)))
        assert "No such file or directory; training continues, retrying" in errors(app)[-1]
        await press(pilot, "f")
        await workers_done(pilot)
        await settle(pilot)
        assert isinstance(app.screen, RunsPage)
        await press(pilot, "escape", "escape", "escape", "q")
        await pilot.press("s")
        await workers_done(pilot)
        await pilot.pause()
        assert app._exit
    app.dashboard.poll(session)
    dashboard = app.dashboard
    report = "\n".join(exit_report(dashboard.snapshots, dashboard.history, dashboard.save_problems))
    rescue = tmp_path / "state" / "tui-meta" / "rescue" / RUN
    assert f"the run is saved in {rescue} instead" in report
    assert (rescue / "000000004.safetensors").exists()


def errors(app: TuiMetaApp) -> list[str]:
    """Return the problems that the dashboard has reported so far."""
    app.watch_screen.tick()
    return [entry.text for entry in app.dashboard.messages.all]
