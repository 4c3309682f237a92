"""Train, wait, save, resume from any checkpoint, kill, delete and damage files, in any order.

After every step the newest valid checkpoint of the current branch exists, is as old as documented
at most, and every command and every part that looks for it finds the same one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import core.storage.event_log
import core.storage.io
import core.training.checkpointing
from core.algorithms.fomaml import Fomaml
from core.analysis.answers import RunHistory
from core.analysis.history import HistoryReader
from core.api import open_run
from core.commands import Pause, Save, SetPace, Step, Stop
from core.config import CheckpointSettings
from core.errors import CheckpointError
from core.events import Saved, Stepped
from core.storage.checkpoint import load_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint, latest_metadata
from core.storage.paths import checkpoint_iteration, checkpoint_path
from core.storage.run_folder import RunFolder
from core.training import schedule
from core.training.checkpointing import REST
from core.training.run_plan import Plan, plan_resumed
from core.training.trainer import Trainer
from tests.support.named_iterations import COMMANDS, run_command
from tests.support.runs import CRAWL, PATIENCE, Log, new_plan, small_config, until
from tests.support.soak import soak

pytestmark = pytest.mark.slow

SECONDS = 5.0
"""Time after which an unsaved run is saved by itself, of a clock that only the test moves."""

CONFIG = small_config(algorithm=Fomaml(outer_optimizer="adam"), iterations=10**6, eval_interval=7)
"""A run whose checkpoints are two files."""

WHICH = st.integers(0, 9)
"""Chooses one of the checkpoints on disk: which there are depends on the time."""


class Disk:
    """The clock of the saves, and the moments at which one of them can be killed.

    Each flush takes ``delay`` seconds. ``kill_at`` counts the moments until ``kill`` is called.
    """

    def __init__(self) -> None:
        self.now = self.delay = 0.0
        self.kill_at = 0
        self.kill: Callable[[], None] = lambda: None

    def moment(self) -> None:
        """Pass one of the moments of a save."""
        self.kill_at -= 1
        if self.kill_at == 0:
            self.kill()

    def sync(self, descriptor: int) -> None:
        """Stand in for a flush."""
        self.now += self.delay
        self.moment()


DISK = Disk()


class Branches(RuleBasedStateMachine):
    """One run on disk. ``branch`` are the iterations saved on the current branch."""

    @initialize(keep=st.integers(1, 2))
    def begin(self, keep: int) -> None:
        DISK.__init__()  # type: ignore[misc]
        self.out = Path(tempfile.mkdtemp())
        self.folder = self.out / "run"
        self.kills = self.steps = 0
        self.branch: set[int] = set()
        self.saved: dict[int, float] = {}
        """The time at which each iteration was saved last, or resumed from."""
        self.duration = 0.0
        """Of the newest save."""
        self.lost = False
        """True from the loss of a file until the next save: then no age is guaranteed."""
        never_saved = new_plan(self.out, CONFIG, name="other")
        never_saved.folder.release()
        saving = CheckpointSettings(autosave_seconds=SECONDS, keep=keep)
        self.start(new_plan(self.out, CONFIG, pace=CRAWL, saving=saving))

    def start(self, plan: Plan) -> None:
        self.log = Log()
        self.seen = 0
        at = plan.resumed.state.iteration if plan.resumed else 0
        self.saved = {one: time for one, time in self.saved.items() if one < at} | {at: DISK.now}
        self.duration = 0.0
        self.iteration = at + 1  # a run trains an iteration before it obeys
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

    def take_note(self) -> set[int]:
        """Note what was saved since the last step, and return it."""
        new = [event for event in self.log.events if isinstance(event, Saved)][self.seen :]
        self.seen += len(new)
        iterations = {checkpoint_iteration(Path(one.path).name) or 0 for one in new}
        self.branch |= iterations
        self.lost &= not new
        return iterations

    def checkpoints(self) -> list[int]:
        """Iterations of the valid checkpoints on disk, of any branch."""
        found = []
        for path in sorted(self.folder.glob("[0-9]*[0-9].safetensors")):
            try:
                found.append(load_checkpoint(path).state.iteration)
            except CheckpointError:
                continue
        return found

    live = precondition(lambda self: self.trainer is not None)
    ended = precondition(lambda self: self.trainer is None)

    @property
    def is_due(self) -> bool:
        """True if the documented time has passed since the newest save."""
        at = max(self.saved)
        return self.iteration > at and DISK.now - self.saved[at] >= self.longest

    @property
    def longest(self) -> float:
        """The documented time between two saves, in seconds."""
        return max(SECONDS, REST * self.duration)

    @live
    @rule(count=st.integers(1, 25))
    def train(self, count: int) -> None:
        assert self.trainer is not None
        done = len(self.log.of(Stepped))
        began = DISK.now
        self.trainer.send(Step(count))
        self.iteration = self.log.wait(Stepped, done + 1).iteration
        if self.is_due:
            self.await_save(began)

    @rule(seconds=st.sampled_from([0.5, 4.5, 5.0, 30.0]))
    def wait(self, seconds: float) -> None:
        DISK.now += seconds
        if self.trainer and self.is_due:
            began = DISK.now
            self.trainer.send(SetPace(CRAWL))  # which wakes it
            self.await_save(began)

    @rule(delay=st.sampled_from([0.0, 0.01, 0.1]))
    def change_the_speed_of_the_disk(self, delay: float) -> None:
        DISK.delay = delay

    @live
    @rule()
    def save(self) -> None:
        assert self.trainer is not None
        done, began = len(self.log.of(Saved)), DISK.now
        self.trainer.send(Save())
        self.log.wait(Saved, done + 1)
        self.await_save(began)

    def await_save(self, began: float) -> None:
        """Wait until the snapshot, which follows the events, says that the run is saved."""

        def is_saved() -> bool:
            shot = self.trainer.snapshot if self.trainer else None
            return shot is not None and (shot.iteration, shot.unsaved) == (self.iteration, False)

        until(is_saved)
        self.saved[self.iteration] = DISK.now
        self.duration = DISK.now - began

    @live
    @rule(save=st.booleans())
    def stop(self, save: bool) -> None:
        self.end(save=save)

    @live
    @rule(moment=st.integers(0, 12), by_itself=st.booleans())
    def kill(self, moment: int, by_itself: bool) -> None:
        """Continue with a copy of the folder, taken between two saves or at a moment of one.

        A kill leaves just such files: whatever was not written by then never happened.
        """
        assert self.trainer is not None
        self.take_note()
        self.kills += 1
        copy = self.out / str(self.kills) / "run"
        DISK.kill = lambda: shutil.copytree(self.folder, copy) and None
        before = set(self.branch)
        if moment:
            DISK.kill_at = moment
            if by_itself and self.iteration > max(self.saved):
                self.wait(1_000.0)
            else:
                self.save()
        DISK.kill_at = 0
        if not copy.exists():
            DISK.kill()
            before |= self.take_note()
        new = self.take_note() - before
        self.end(save=False)
        self.folder = copy
        latest = latest_metadata(copy)
        found = latest.iteration if latest else 0
        assert self.lost or found >= max(before, default=0)
        # The save that was killed counts or not, as a whole.
        self.branch = before | ({one for one in new if one <= found} if found in new else set())

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

    @rule(which=WHICH, how=st.sampled_from(["deleted", "cut", "flipped"]))
    def lose_a_checkpoint(self, which: int, how: str) -> None:
        found = self.checkpoints()
        if not found:
            return
        path = checkpoint_path(self.folder, found[which % len(found)])
        content = bytearray(path.read_bytes())
        if how == "deleted":
            path.unlink()
        elif how == "cut":
            path.write_bytes(content[:-1])
        else:
            content[-3] ^= 1
            path.write_bytes(content)
        self.lost = True

    @invariant()
    def the_newest_checkpoint_of_the_branch_is_found_and_recent(self) -> None:
        if self.trainer:
            self.take_note()
        found = latest_metadata(self.folder)
        at = found.iteration if found else 0
        if self.trainer and at < self.iteration and not self.lost:
            assert DISK.now - self.saved[at] < self.longest
        valid = self.branch & set(self.checkpoints())
        newest = max(valid, default=None)
        assert at == (newest or 0)
        if newest is None:
            assert run_command("eval", str(self.folder), "--tasks", "2").code == 2
            return
        history = HistoryReader().read(self.folder, lambda: False)
        assert isinstance(history, RunHistory)
        assert newest == latest_checkpoint(self.folder).checkpoint.state.iteration
        assert newest == history.checkpoints[-1].iteration
        assert newest == open_run(self.folder).latest().state.iteration
        assert newest == checkpoint_iteration(open_run(self.folder).checkpoints[-1].name)
        if not self.trainer:
            plan = plan_resumed(self.folder)
            plan.folder.release()
            assert plan.resumed is not None
            assert plan.resumed.state.iteration == newest
        self.assert_commands_name(newest)

    def assert_commands_name(self, newest: int) -> None:
        """Ask every command in the long form, else one of them after each step."""
        self.steps += 1
        names = list(COMMANDS)
        for name in names if soak(0, 1) else [names[self.steps % len(names)]]:
            named = COMMANDS[name](self.folder)
            if name in ("runs", "export"):  # these tell what was logged, not what was saved
                assert named <= self.iteration, name
                assert name == "export" or named >= newest
            else:
                assert named == newest, name


@pytest.fixture(autouse=True)
def own_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test decide what time it is for a save, and when it is killed.

    The history is short: each step reads all checkpoints.
    """
    monkeypatch.setattr(schedule, "KEPT", (10, 40))
    prune = RunFolder.prune

    def pruned(folder: RunFolder, keep: int) -> None:
        prune(folder, keep)
        DISK.moment()

    monkeypatch.setenv("COLUMNS", "200")
    clock = SimpleNamespace(monotonic=lambda: DISK.now)
    monkeypatch.setattr(core.training.checkpointing, "time", clock)
    monkeypatch.setattr(core.storage.io, "sync", DISK.sync)
    monkeypatch.setattr(core.storage.event_log, "sync", DISK.sync)
    monkeypatch.setattr(RunFolder, "prune", pruned)


def test_a_kill_after_pruning_loses_no_more_than_the_save_that_was_killed() -> None:
    """On a branch, a checkpoint that the log does not name yet counts as discarded."""
    run = Branches()
    run.begin(keep=1)
    run.save()
    run.train(20)
    run.save()
    run.stop(save=False)
    run.resume_from_any(0)
    run.train(2)
    run.wait(30)
    run.train(2)
    moments = 2 + 4 + 1  # log and folder, two files and their folder, pruning
    for moment in range(1, moments + 1):
        run.kill(moment, by_itself=True)
        run.the_newest_checkpoint_of_the_branch_is_found_and_recent()
        run.resume()
        run.train(1)
    run.teardown()


@pytest.mark.timeout(3_600)
def test_the_newest_checkpoint_of_the_branch_is_always_found() -> None:
    long = settings(
        max_examples=soak(8, 100),
        stateful_step_count=soak(15, 40),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Branches, settings=long)  # type: ignore[no-untyped-call]
