"""Training one run of a sweep, and keeping of it what the user chose."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from core.commands import Stop
from core.config import RunConfig
from core.engines.sample import sample_digest
from core.errors import RunFolderError, reason
from core.events import (
    ENDED,
    AnyEvent,
    Diverged,
    EndOfRun,
    Failed,
    Progress,
    SaveFailed,
    Validated,
)
from core.experiments.results import Ended, RunResult, failed, identity
from core.experiments.specification import PlannedRun
from core.experiments.sweep_folder import Store
from core.experiments.train_run import Cancelled, Trained, train_in_memory
from core.storage.checkpoint import Checkpoint, save_checkpoint
from core.storage.event_log_reader import history
from core.storage.paths import RECORD
from core.storage.run_folder import create_run_folder, read_record
from core.training.pacing import Pacing
from core.training.run_plan import Plan, plan_in, plan_resumed
from core.training.trainer import Trainer

POLL_SECONDS = 0.1

CHUNK_SECONDS = 0.1
"""Duration of a chunk of a run in memory: on a busy machine shorter ones cost 5 % of a sweep."""


class RunTrainer:
    """Trains runs of the sweep in the folder ``path``; threads share it."""

    def __init__(self, path: Path, store: Store) -> None:
        self.path = path.resolve()  # as that of a run that is resumed
        self.store = store
        self._chunks = _Chunks()

    def train(self, run: PlannedRun, cancelled: Cancelled) -> Trained | None:
        """Train ``run``; None if it was cancelled. Raises ``LabError``.

        The final network is kept by another thread or machine: this one would wait for a disk.
        """
        if self.store == "all":
            result = self._train_in_folder(run, cancelled)
            return Trained(result) if result else None
        trained = train_in_memory(run, cancelled, self._chunks.of(run.group))
        return Trained(trained.result) if trained and self.store == "none" else trained

    def keep(self, run: PlannedRun, trained: Trained) -> RunResult:
        """Save the final network, if there is one; return the result, which names its file.

        A network that cannot be saved makes a run one that failed.
        """
        result, checkpoint = trained.result, final_checkpoint(run, trained)
        if checkpoint is None:
            return result
        folder = self.path / "networks" / run.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = save_checkpoint(folder, checkpoint)
        except Exception as error:  # whatever it is, the other runs continue
            problem = f"the network cannot be saved ({reason(error)})"
            return failed(run, str(RunFolderError(folder, problem)))
        return msgspec.structs.replace(result, network=str(path.relative_to(self.path)))

    def _train_in_folder(self, run: PlannedRun, cancelled: Cancelled) -> RunResult | None:
        ended = threading.Event()
        unsaved: list[str] = []

        def watch(event: AnyEvent) -> None:
            if isinstance(event, EndOfRun):
                ended.set()
            if isinstance(event, SaveFailed):
                unsaved.append(event.problem)

        plan = _planned(self.path / "runs", run)
        trainer = Trainer(plan, watch)
        trainer.start()
        is_cancelled = False
        try:
            # A run that had ended before says so in its state alone.
            while not ended.wait(POLL_SECONDS) and trainer.snapshot.state not in ENDED:
                if is_cancelled := cancelled():
                    break
        finally:
            trainer.send(Stop())
            trainer.join()
        if unsaved and (trainer.snapshot.unsaved or trainer.folder != plan.folder.path):
            return failed(run, unsaved[-1])
        return None if is_cancelled else self._result_of(run, trainer)

    def _result_of(self, run: PlannedRun, trainer: Trainer) -> RunResult:
        shot, path = trainer.snapshot, trainer.folder
        events = tuple(history(path))
        validated = [event for event in events if isinstance(event, Validated)]
        losses = [event.loss for event in events if isinstance(event, Progress)]
        problems = [event.problem for event in events if isinstance(event, Diverged | Failed)]
        states: dict[str, Ended] = {"finished": "finished", "diverged": "diverged"}
        ended = states.get(shot.state, "failed")
        return RunResult(
            **identity(run),
            state=ended,
            iteration=shot.iteration,
            spent=shot.spent,
            problem="" if ended == "finished" else (problems or [shot.state])[-1],
            training_loss=losses[-1] if losses else None,
            validations=tuple(one.result for one in validated if one.result),
            last=msgspec.structs.replace(validated[-1], run=run.name) if validated else None,
            network=str(path.relative_to(self.path)),
            engine=shot.engine,
            sample="" if ended == "failed" else sample_digest(run.config, shot.engine),
        )


def final_checkpoint(run: PlannedRun, trained: Trained) -> Checkpoint | None:
    """Return the final network of a run; None where it is not kept."""
    if trained.state is None:
        return None
    return Checkpoint(
        run.config,
        trained.state,
        run.config.iterations,
        trained.result.spent.seconds,
        trained.recent_losses,
        "final",
        min(trained.result.validations, key=lambda one: one.mean, default=None),
    )


class _Chunks(threading.local):
    """The length of a chunk that a thread has learned from the runs of a group."""

    group = ""
    pacing = Pacing(None, 0.0)

    def of(self, group: str) -> Pacing:
        if group != self.group:
            self.group, self.pacing = group, Pacing(None, 0.0, CHUNK_SECONDS)
        return self.pacing


def _planned(out: Path, run: PlannedRun) -> Plan:
    """Plan to continue the run in its folder under ``out``, or in a new one."""
    path = out / run.name
    if (path / RECORD).is_file():
        config = RunConfig.from_dict(read_record(path).config)
        if config == run.config:
            return plan_resumed(path)
        # The folder has a run that had this name before the sweep was extended.
        return plan_in(create_run_folder(out, run.name, unique=True), run.config)
    return plan_in(create_run_folder(out, run.name, unique=False), run.config)
