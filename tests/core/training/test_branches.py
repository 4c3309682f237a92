"""Train, save, resume from any checkpoint, kill, delete and damage files, in any order.

After every step the newest valid checkpoint of the current branch exists, is as old as documented
at most, and everything that looks for it finds the same one.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import core.training.checkpointing
from core.analysis.answers import RunHistory
from core.analysis.history import HistoryReader
from core.api import open_run
from core.config import CheckpointSettings
from core.errors import CheckpointError
from core.events import Pause, Save, Saved, Step, Stepped, Stop
from core.storage.checkpoint import read_metadata
from core.storage.latest_checkpoint import latest_checkpoint, latest_metadata
from core.storage.paths import checkpoint_iteration, checkpoint_path
from core.training.run_plan import Plan, plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import CRAWL, PATIENCE, Log, new_plan, small_config, until
from tests.support.soak import soak

pytestmark = pytest.mark.slow

EVERY = 10
"""Iterations after which a run is saved by itself."""

SAVING = CheckpointSettings(autosave_seconds=0, autosave_iterations=EVERY, keep=2)

WHICH = st.integers(0, 9)
"""Chooses one of the checkpoints on disk: which there are depends on the time."""


class Branches(RuleBasedStateMachine):
    """One run on disk. ``branch`` are the iterations saved on the current branch."""

    def __init__(self) -> None:
        super().__init__()
        self.out = Path(tempfile.mkdtemp())
        self.folder = self.out / "run"
        self.branch: set[int] = set()
        self.lost = False
        """True from the loss of a file until the next save: then no age is guaranteed."""
        config = small_config(iterations=10**6, eval_interval=7)
        self.start(new_plan(self.out, config, pace=CRAWL, saving=SAVING))

    def start(self, plan: Plan) -> None:
        self.log = Log()
        self.seen = 0
        self.saved_at = plan.resumed.state.iteration if plan.resumed else 0
        self.iteration = self.saved_at + 1  # a run trains an iteration before it obeys
        self.trainer: Trainer | None = Trainer(plan, self.log)
        self.trainer.start()
        self.trainer.send(Pause())
        until(lambda: self.trainer is not None and self.trainer.snapshot.state == "paused")

    def teardown(self) -> None:
        self.end(save=False)
        shutil.rmtree(self.out)

    def end(self, *, save: bool) -> None:
        if self.trainer:
            self.trainer.send(Stop(save))
            assert self.trainer.join(PATIENCE)
            assert self.trainer.snapshot.state == "stopped"
            self.take_note()
            self.trainer = None

    def take_note(self) -> None:
        """Note what was saved since the last step."""
        new = self.log.of(Saved)[self.seen :]
        self.seen += len(new)
        self.branch |= {checkpoint_iteration(Path(one.path).name) or 0 for one in new}
        self.lost &= not new

    def checkpoints(self) -> list[int]:
        """Iterations of the valid checkpoints on disk, of any branch."""
        found = []
        for path in sorted(self.folder.glob("[0-9]*[0-9].safetensors")):
            try:
                found.append(read_metadata(path).iteration)
            except CheckpointError:
                continue
        return found

    live = precondition(lambda self: self.trainer is not None)
    ended = precondition(lambda self: self.trainer is None)

    @live
    @rule(count=st.integers(1, 25))
    def train(self, count: int) -> None:
        assert self.trainer is not None
        done = len(self.log.of(Stepped))
        self.trainer.send(Step(count))
        self.iteration = self.log.wait(Stepped, done + 1).iteration
        if self.iteration - self.saved_at >= EVERY:
            self.await_save()

    @live
    @rule()
    def save(self) -> None:
        assert self.trainer is not None
        done = len(self.log.of(Saved))
        self.trainer.send(Save())
        self.log.wait(Saved, done + 1)
        self.await_save()

    def await_save(self) -> None:
        """Wait until the snapshot, which follows the events, says that the run is saved."""

        def is_saved() -> bool:
            shot = self.trainer.snapshot if self.trainer else None
            return shot is not None and (shot.iteration, shot.unsaved) == (self.iteration, False)

        until(is_saved)
        self.saved_at = self.iteration

    @live
    @rule(save=st.booleans())
    def leave(self, save: bool) -> None:
        """Stop the run, or leave the disk as a kill does, with a part of a file."""
        self.end(save=save)
        if not save:
            (self.folder / ".000000001.safetensors.partial").write_bytes(b"torn")

    @ended
    @rule()
    def resume(self) -> None:
        try:
            latest = latest_checkpoint(self.folder)
        except CheckpointError:
            return  # all of them are lost
        self.resume_at(latest.checkpoint.state.iteration, self.folder)

    @ended
    @rule(which=WHICH)
    def resume_from_any(self, which: int) -> None:
        if found := self.checkpoints():
            iteration = found[which % len(found)]
            self.resume_at(iteration, checkpoint_path(self.folder, iteration))

    def resume_at(self, iteration: int, path: Path) -> None:
        if iteration in self.branch or not iteration:
            self.branch = {one for one in self.branch if one <= iteration}
        else:
            self.branch = {iteration}
        self.start(plan_resumed(path, pace=CRAWL))

    @rule(which=WHICH, damage=st.booleans())
    def lose_a_checkpoint(self, which: int, damage: bool) -> None:
        found = self.checkpoints()
        if not found:
            return
        path = checkpoint_path(self.folder, found[which % len(found)])
        if damage:
            path.write_bytes(path.read_bytes()[:-1])
        else:
            path.unlink()
        self.lost = True

    @invariant()
    def the_newest_checkpoint_of_the_branch_is_found_and_recent(self) -> None:
        if self.trainer:
            self.take_note()
            found = latest_metadata(self.folder)
            assert self.lost or self.iteration - (found.iteration if found else 0) < EVERY
        valid = self.branch & set(self.checkpoints())
        if not valid:
            return
        newest = max(valid)
        latest = latest_checkpoint(self.folder)
        metadata = latest_metadata(self.folder)
        history = HistoryReader().read(self.folder, lambda: False)
        assert isinstance(history, RunHistory)
        assert metadata is not None
        assert newest == latest.checkpoint.state.iteration == metadata.iteration
        assert newest == history.checkpoints[-1].iteration
        assert newest == open_run(self.folder).latest().state.iteration
        if not self.trainer:
            plan = plan_resumed(self.folder)
            plan.folder.release()
            assert plan.resumed is not None
            assert plan.resumed.state.iteration == newest


@pytest.fixture(autouse=True)
def without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let autosaves follow each other at once."""
    monkeypatch.setattr(core.training.checkpointing, "REST", 0)


def test_the_newest_checkpoint_of_the_branch_is_always_found() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    long = settings(
        max_examples=soak(8, 1_000),
        stateful_step_count=soak(15, 40),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Branches, settings=long)  # type: ignore[no-untyped-call]
