"""One run in its own thread: chunks of training, with commands in between."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from core import commands, events, validation
from core.engines import make_engine
from core.engines.base import Advance, Engine, TrainState
from core.errors import ConfigError, LabError, traceback_of, unexpected
from core.evaluation.few_shot_tasks import ProbeName
from core.storage.checkpoint import Checkpoint
from core.storage.provenance import installed_versions
from core.training import divergence, schedule
from core.training.checkpointing import CheckpointManager
from core.training.event_publisher import RETRY_SECONDS, EventPublisher
from core.training.metrics import Metrics
from core.training.pacing import Pacing
from core.training.priority import TRAINING, set_thread_niceness
from core.training.run_plan import Plan
from core.training.self_evaluation import evaluate, validate

UNBROKEN_STEP = 100
"""Iterations of a step before another command can end it."""

COMMAND_LIMIT = 256
"""Commands that one run queues; further ones are refused."""


class Trainer:
    """Trains one run, publishes its events to ``publish`` and executes the commands of ``send``."""

    def __init__(self, plan: Plan, publish: Callable[[events.AnyEvent], None]) -> None:
        self.name = plan.folder.name
        self.plan = plan
        self._config = plan.config
        self._described = plan.config.to_dict(complete=True)
        self._commands: queue.Queue[commands.Command] = queue.Queue(COMMAND_LIMIT)
        self._thread = threading.Thread(target=self._run, name=f"run {self.name}", daemon=True)
        self._engine: Engine | None = None
        resumed = plan.resumed
        self._state: TrainState | None = resumed.state if resumed else None
        self._run_state: events.RunState = "loading"
        self._preparing = ""
        self._ended = False
        self._time = 0.0
        self._target = plan.target or (resumed.target if resumed else plan.config.iterations)
        self._publisher = EventPublisher(plan.folder.log, publish, self._header)
        self._record = self._publisher.record
        self._checkpoints = CheckpointManager(plan.folder, plan.saving, self._publisher)
        self._metrics = Metrics()
        if resumed:
            self._checkpoints.resume_from(resumed)
            self._metrics = Metrics.restored(resumed, plan.history)
        self._pacing = Pacing(plan.pace, resumed.elapsed if resumed else 0.0)
        self.snapshot = self._snapshot()

    @property
    def folder(self) -> Path:
        """The run folder: not the planned one if the run had to be rescued."""
        return self._checkpoints.folder.path

    def start(self) -> None:
        """Start the thread; a run whose thread cannot be started has failed."""
        try:
            self._thread.start()
        except RuntimeError as error:
            self._abort(error)

    def send(self, command: commands.Command) -> bool:
        """Queue a command; False if the thread has ended or the queue is full."""
        if not self._thread.is_alive():
            return False
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            return False
        return True

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread to end; False after ``timeout`` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        for step in (self._train, self._publisher.close, self._checkpoints.release):
            try:
                step()
            except BaseException as error:  # nothing above this would report it
                self._abort(error)

    def _train(self) -> None:
        try:
            set_thread_niceness(TRAINING)
            self._prepare()
            while not self._ended:
                if self._run_state == "training":
                    self._train_chunk()
                self._save_if_due()
                self._execute_commands()
        except LabError as error:
            self._fail(str(error))
        except BaseException as error:
            self._fail(divergence.failure(self._config, error), traceback_of(error))

    def _prepare(self) -> None:
        engine = self._engine = make_engine(self._config, self._set_preparing)
        if self._state is None:
            self._state = engine.initial_state()
        self.plan.open_folder(engine)
        iteration = self._state.iteration
        if self.plan.rolls_back:
            self._record(events.RolledBack(**self._header()))
        self._record(
            events.Started(
                engine=engine.name,
                device=engine.device,
                target=self._target,
                resumed_from=self.plan.resumed_from,
                versions=installed_versions(),
                differs=self.plan.differences(engine),
                note=engine.note,
                **self._header(),
            )
        )
        if not self.plan.has_validated(iteration):
            self._validate_if_due()
        if not self.plan.has_evaluated(iteration):
            self._evaluate_if_due()
        self._checkpoints.start_timer()
        self._pacing.start()
        self._set_state("training" if iteration < self._target else "finished")

    def _save_if_due(self) -> None:
        """Save if a checkpoint is due, and retry writes that failed."""
        kind = self._checkpoints.due_kind(self._current.iteration)
        if kind:
            self._checkpoints.save(self._checkpoint(kind))
        if kind or self._publisher.has_backlog:
            self._set_state(self._run_state)

    def _set_preparing(self, preparing: str) -> None:
        self._preparing = preparing
        self.snapshot = self._snapshot()

    def _train_chunk(self) -> None:
        began = time.monotonic()
        n = self._chunk_length()
        if not self._advance(n):
            return
        self._pacing.finish_chunk(n, began)
        self._finish_iterations()
        self._pacing.measure(n)
        self._set_state(self._run_state)

    def _chunk_length(self) -> int:
        """Return the iterations of the next chunk, which ends where the schedule has a stop."""
        iteration = self._current.iteration
        stop = min(schedule.next_stop(self._config, iteration), self._target)
        return min(self._pacing.chunk, stop - iteration)

    def _advance(self, n: int) -> bool:
        """Train ``n`` iterations; False if the run diverged."""
        before = self._current
        advance = self._loaded_engine.advance(before, n)
        if not (np.isfinite(advance.losses).all() and advance.state.is_finite()):
            self._diverge(before, advance)
            return False
        self._apply(advance)
        return True

    def _apply(self, advance: Advance) -> None:
        first = self._current.iteration
        self._state = advance.state
        for iteration, mean in self._metrics.add_losses(first, advance.losses):
            self._record(
                events.Progress(run=self.name, iteration=iteration, time=time.time(), loss=mean)
            )

    def _finish_iterations(self) -> None:
        """Do what is due at this iteration, and finish at the target."""
        iteration = self._current.iteration
        self._validate_if_due()
        self._evaluate_if_due()
        if iteration >= self._target:
            self._checkpoints.save(self._checkpoint("final"))
            self._record(events.Finished(**self._header()))
            self._set_state("finished")

    # Commands

    def _execute_commands(self) -> None:
        """Execute all queued commands; an idle run waits for the next one."""
        while not self._ended:
            timeout = self._seconds_to_wait()
            try:
                command = self._commands.get(block=timeout != 0.0, timeout=timeout)
            except queue.Empty:
                return
            self._execute(command)

    def _seconds_to_wait(self) -> float | None:
        """Return the seconds until there is work without a command; None for never."""
        if self._run_state == "training":
            return self._pacing.seconds_to_wait()
        waits = [self._checkpoints.seconds_until_due(self._current.iteration)]
        waits.append(RETRY_SECONDS if self._publisher.has_backlog else None)
        return min((wait for wait in waits if wait is not None), default=None)

    def _execute(self, command: commands.Command) -> None:
        match command:
            case commands.Pause() if self._run_state == "training":
                self._set_state("paused")
                self._record(events.Paused(**self._header()))
            case commands.Resume() if self._run_state == "paused":
                self._start_training()
                self._record(events.Resumed(**self._header()))
            case commands.Step(count) if self._run_state == "paused":
                self._step(count)
            case commands.Extend() if self._run_state == "finished":
                self._target += self._config.iterations
                self._record(events.Extended(target=self._target, **self._header()))
                self._start_training()
            case commands.Evaluate(probe, index):
                self._evaluate(probe, index)
            case commands.Save():
                self._checkpoints.save(self._checkpoint("hand"), requested=True)
            case commands.SetPace(pace):
                self._set_pace(pace)
            case commands.Stop(save):
                self._stop(save)
            case _:
                self._reject(command, f"the run is {self._run_state}")
        self._set_state(self._run_state)

    def _reject(self, command: commands.Command, reason: str) -> None:
        name = type(command).__name__.lower()
        self._record(events.CommandRejected(command=name, reason=reason, **self._header()))

    def _set_pace(self, pace: float | None) -> None:
        try:
            validation.pace("pace", pace)
        except ConfigError as error:
            self._reject(commands.SetPace(pace), str(error))
        else:
            self._pacing.set_pace(pace)

    def _start_training(self) -> None:
        self._pacing.start()
        self._set_state("training")

    def _step(self, count: int) -> None:
        """Train ``count`` iterations, in chunks; another command ends a long step early."""
        first = self._current.iteration
        end = min(first + count, self._target)
        while (iteration := self._current.iteration) < end:
            if iteration - first >= UNBROKEN_STEP and not self._commands.empty():
                break
            if not self._advance(min(self._chunk_length(), end - iteration)):
                return
            self._finish_iterations()
            self._set_state(self._run_state)
        done = self._current.iteration - first
        self._record(events.Stepped(count=done, **self._header()))

    def _stop(self, save: bool) -> None:
        if save and not self._checkpoints.is_kept(self._current.iteration):
            self._checkpoints.save_at_end(self._checkpoint("final"))
        if self._run_state in ("training", "paused"):
            self._record(events.Stopped(**self._header()))
            self._run_state = "stopped"
        self._ended = True

    def _validate_if_due(self) -> None:
        """Validate, and keep the parameters, if this iteration is for it."""
        config, state = self._config, self._current
        if schedule.is_validated(config, state.iteration):
            where = self._loaded_engine, state.theta, config
            validated = validate(*where, self._pacing.elapsed, self._header())
            self._record(validated)
            if self._metrics.add_validation(validated):
                self._checkpoints.set_best(self._checkpoint("best"))
        if schedule.is_kept(config, state.iteration):
            self._checkpoints.add_history(self._checkpoint("history"))

    def _evaluate_if_due(self) -> None:
        """Evaluate on a random task, if this iteration is for it."""
        if (at := self._current.iteration) and at % self._config.eval_interval == 0:
            self._evaluate("validation", at)

    def _evaluate(self, probe: ProbeName, index: int) -> None:
        """Adapt to task ``index`` of ``probe`` and record the losses."""
        where = self._loaded_engine, self._current.theta, self._config
        self._record(evaluate(*where, probe, index, self._metrics.smoothed, self._header()))

    def _checkpoint(self, kind: events.SaveKind) -> Checkpoint:
        return Checkpoint(
            self._config,
            self._current,
            self._target,
            self._pacing.elapsed,
            self._metrics.recent_losses,
            kind,
            self._metrics.best,
        )

    # Unplanned ends

    def _diverge(self, before: TrainState, broken: Advance) -> None:
        """Save the last finite state within the chunk."""
        good, by_loss = divergence.last_finite(self._loaded_engine, before, broken)
        self._apply(good)
        self._checkpoints.save(self._checkpoint("final"))
        self._record(
            events.Diverged(
                problem=divergence.problem(self._config, good, by_loss),
                advice=divergence.advice(self._config),
                **self._header(),
            )
        )
        self._set_state("diverged")

    def _fail(self, problem: str, details: str = "") -> None:
        event = events.Failed(problem=problem, details=details, **self._header())
        iteration = event.iteration
        if self._state is not None and not self._checkpoints.is_kept(iteration) and iteration:
            self._checkpoints.save_at_end(self._checkpoint("final"))
        self._record(event)
        self._set_state("failed")

    def _abort(self, error: BaseException) -> None:
        """Fail without a call that could fail in its turn, except to log it, where that works."""
        self._run_state = "failed"
        self.snapshot = self._snapshot()
        problem, at = unexpected(error), self.snapshot.iteration
        unsaved = f"; iteration {at:,} is not saved" if self.snapshot.unsaved else ""
        header: events.EventHeader = {"run": self.name, "iteration": at, "time": self._time}
        failed = events.Failed(problem=problem + unsaved, **header)
        with suppress(Exception):
            self._publisher.log.append(failed)
            self._publisher.log.close()
        with suppress(Exception):  # the snapshot says it as well
            self._publisher.publish(failed)

    # Events and snapshots

    def _set_state(self, run_state: events.RunState) -> None:
        """Publish the recorded events, then the state and a snapshot of it."""
        self._publisher.flush()
        self._run_state = run_state
        self.snapshot = self._snapshot()

    def _header(self) -> events.EventHeader:
        iteration = self._state.iteration if self._state else 0
        self._time = time.time()
        return {"run": self.name, "iteration": iteration, "time": self._time}

    def _snapshot(self) -> events.Snapshot:
        algorithm = self._config.algorithm
        iteration = self._state.iteration if self._state else 0
        return events.Snapshot(
            run=self.name,
            algorithm=algorithm.name,
            title=algorithm.title,
            state=self._run_state,
            iteration=iteration,
            target=self._target,
            rate=self._pacing.rate if self._run_state == "training" else 0.0,
            elapsed=self._pacing.elapsed,
            engine=self._engine.name if self._engine else self._config.engine,
            device=self._engine.device if self._engine else self._config.device,
            pace=self._pacing.pace,
            unsaved=iteration != self._checkpoints.saved_iteration,
            loss=self._metrics.smoothed,
            best=self._metrics.best,
            curve=self._metrics.curve.build(),
            theta=self._state.theta if self._state else None,
            preparing=self._preparing,
            config=self._described,
            budget=algorithm.budget,
        )

    @property
    def _current(self) -> TrainState:
        assert self._state is not None, "the thread has begun"
        return self._state

    @property
    def _loaded_engine(self) -> Engine:
        assert self._engine is not None, "the thread has begun"
        return self._engine
