"""One run in its own thread: chunks of training, and commands between them."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.engines import make_engine
from core.engines.base import Advance, Engine, TrainState
from core.errors import ConfigError, LabError
from core.evaluation.protocols import ProbeName
from core.events import (
    AnyEvent,
    Command,
    CommandRejected,
    Diverged,
    Evaluate,
    EventHeader,
    Extend,
    Extended,
    Failed,
    Finished,
    Pause,
    Paused,
    Progress,
    Resume,
    Resumed,
    RolledBack,
    RunState,
    Save,
    SaveKind,
    SetPace,
    Snapshot,
    Started,
    Step,
    Stepped,
    Stop,
    Stopped,
)
from core.storage.checkpoint import Checkpoint
from core.storage.provenance import installed_versions
from core.training.checkpointing import CheckpointManager
from core.training.divergence import advice, last_finite
from core.training.evaluation import evaluation
from core.training.event_publisher import RETRY_SECONDS, EventPublisher
from core.training.metrics import Metrics
from core.training.pacing import Pacing
from core.training.priority import TRAINING, set_thread_niceness
from core.training.run_plan import Plan, check_pace

UNBROKEN_STEP = 100
"""Iterations of a step that are made before a further command can end it."""

COMMAND_LIMIT = 256
"""Commands that may wait for one run; a further one is turned away."""


class Trainer:
    """Trains one run and tells ``publish`` what happens; commands come through ``send``."""

    def __init__(self, plan: Plan, publish: Callable[[AnyEvent], None]) -> None:
        self.name = plan.folder.name
        self._plan = plan
        self._config = plan.config
        self._commands: queue.Queue[Command] = queue.Queue(COMMAND_LIMIT)
        self._thread = threading.Thread(target=self._work, name=f"run {self.name}", daemon=True)
        self._engine: Engine | None = None
        resumed = plan.resumed
        self._state: TrainState | None = resumed.state if resumed else None
        self._run_state: RunState = "loading"
        self._preparing = ""
        self._ended = False
        self._target = plan.target or (resumed.target if resumed else plan.config.iterations)
        self._teller = EventPublisher(plan.folder.log, publish, self._stamp)
        self._saver = CheckpointManager(plan.folder, plan.saving, self._teller)
        self._metrics = Metrics()
        if resumed:
            self._saver.take_up(resumed)
            self._metrics = Metrics.recalled(resumed, plan.history)
        self._clock = Pacing(plan.pace, resumed.elapsed if resumed else 0.0)
        self.snapshot = self._snapshot()

    @property
    def plan(self) -> Plan:
        """What is trained."""
        return self._plan

    @property
    def folder(self) -> Path:
        """Where the run is kept: elsewhere than planned, if it had to be rescued."""
        return self._saver.folder.path

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def send(self, command: Command) -> bool:
        """Hand over a command; False if the thread has ended or too many wait already."""
        if not self._thread.is_alive():
            return False
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            return False
        return True

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the thread has ended; False after ``timeout`` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread.

    def _work(self) -> None:
        set_thread_niceness(TRAINING)
        try:
            self._begin()
            while not self._ended:
                if self._run_state == "training":
                    self._train_chunk()
                self._keep_safe()
                self._obey_waiting_commands()
        except LabError as error:
            self._fail(Failed(problem=str(error), **self._stamp()))
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self._fail(Failed(problem=problem, details=traceback.format_exc(), **self._stamp()))
        finally:
            self._teller.close()
            self._saver.folder.release()

    def _begin(self) -> None:
        engine = self._engine = make_engine(self._config, self._announce)
        if self._state is None:
            self._state = engine.initial_state()
        self._plan.open_folder(engine)
        iteration = self._state.iteration
        if self._plan.goes_back(iteration):
            self._say(RolledBack(**self._stamp()))
        self._say(
            Started(
                engine=engine.name,
                device=engine.device,
                target=self._target,
                resumed_from=self._plan.resumed_from,
                versions=installed_versions(),
                differs=self._plan.differences(engine),
                **self._stamp(),
            )
        )
        if self._plan.lacks_evaluation(iteration):
            self._evaluate("validation", iteration)
        self._saver.begin()
        self._clock.begin()
        self._enter("training" if iteration < self._target else "finished")

    def _keep_safe(self) -> None:
        """Save what is due, and write what could not be written."""
        kind = self._saver.due(self._trained.iteration)
        if kind:
            self._save(kind)
        if kind or self._teller.owes:
            self._enter(self._run_state)

    def _announce(self, preparing: str) -> None:
        self._preparing = preparing
        self.snapshot = self._snapshot()

    def _train_chunk(self) -> None:
        began = time.monotonic()
        n = self._chunk_length()
        if not self._advance(n):
            return
        self._clock.note_chunk(n, began)
        self._after_iterations()
        self._clock.measure(n)
        self._enter(self._run_state)

    def _chunk_length(self) -> int:
        """Iterations of the next chunk: it ends where an evaluation or the end is due."""
        iteration = self._trained.iteration
        interval = self._config.eval_interval
        return min(self._clock.chunk, interval - iteration % interval, self._target - iteration)

    def _advance(self, n: int) -> bool:
        """Make ``n`` iterations; False if the run diverged."""
        before = self._trained
        advance = self._running.advance(before, n)
        if not (np.isfinite(advance.losses).all() and advance.state.is_finite()):
            self._diverge(before, advance)
            return False
        self._take(advance)
        return True

    def _take(self, advance: Advance) -> None:
        first = self._trained.iteration
        self._state = advance.state
        for iteration, mean in self._metrics.log(first, advance.losses):
            self._say(Progress(run=self.name, iteration=iteration, time=time.time(), loss=mean))

    def _after_iterations(self) -> None:
        """What falls due at certain iterations: the periodic evaluation and the end."""
        iteration = self._trained.iteration
        if iteration % self._config.eval_interval == 0:
            self._evaluate("validation", iteration)
        if iteration >= self._target:
            self._save("final")
            self._say(Finished(**self._stamp()))
            self._enter("finished")

    # Commands.

    def _obey_waiting_commands(self) -> None:
        """Obey all that waits; a run that has nothing to do sleeps until something comes."""
        while not self._ended:
            patience = self._patience()
            try:
                command = self._commands.get(block=patience != 0.0, timeout=patience)
            except queue.Empty:
                return
            self._obey(command)

    def _patience(self) -> float | None:
        """Seconds until there is something to do without a command; None for never."""
        if self._run_state == "training":
            return self._clock.wait()
        waits = [self._saver.wait(self._trained.iteration)]
        waits.append(RETRY_SECONDS if self._teller.owes else None)
        return min((wait for wait in waits if wait is not None), default=None)

    def _obey(self, command: Command) -> None:
        match command:
            case Pause() if self._run_state == "training":
                self._enter("paused")
                self._say(Paused(**self._stamp()))
            case Resume() if self._run_state == "paused":
                self._train_on()
                self._say(Resumed(**self._stamp()))
            case Step(count) if self._run_state == "paused":
                self._step(count)
            case Extend() if self._run_state == "finished":
                self._target += self._config.iterations
                self._say(Extended(target=self._target, **self._stamp()))
                self._train_on()
            case Evaluate(probe, index):
                self._evaluate(probe, index)
            case Save():
                self._saver.save(self._checkpoint("hand"), asked=True)
            case SetPace(pace):
                self._set_pace(pace)
            case Stop(save):
                self._stop(save)
            case _:
                self._refuse(command, f"the run is {self._run_state}")
        self._enter(self._run_state)

    def _refuse(self, command: Command, why: str) -> None:
        name = type(command).__name__.lower()
        self._say(CommandRejected(command=name, reason=why, **self._stamp()))

    def _set_pace(self, pace: float | None) -> None:
        try:
            check_pace(pace)
        except ConfigError as error:
            self._refuse(SetPace(pace), str(error))
        else:
            self._clock.set_pace(pace)

    def _train_on(self) -> None:
        self._clock.begin()
        self._enter("training")

    def _step(self, count: int) -> None:
        """Iterations of a pause, in chunks; a long step ends early when a command comes."""
        first = self._trained.iteration
        end = min(first + count, self._target)
        while (iteration := self._trained.iteration) < end:
            if iteration - first >= UNBROKEN_STEP and not self._commands.empty():
                break
            if not self._advance(min(self._chunk_length(), end - iteration)):
                return
            self._after_iterations()
            self._enter(self._run_state)
        made = self._trained.iteration - first
        self._say(Stepped(count=made, **self._stamp()))

    def _stop(self, save: bool) -> None:
        if save and not self._saver.is_final(self._trained.iteration):
            self._saver.save_last(self._checkpoint("final"))
        if self._run_state in ("training", "paused"):
            self._say(Stopped(**self._stamp()))
            self._run_state = "stopped"
        self._ended = True

    def _evaluate(self, probe: ProbeName, index: int) -> None:
        theta, smoothed = self._trained.theta, self._metrics.smoothed
        evaluated = evaluation(
            self._running, self._config, theta, probe, index, smoothed, self._stamp()
        )
        self._say(evaluated)
        if self._metrics.note(evaluated):
            self._saver.note_best(self._checkpoint("best"))

    def _save(self, kind: SaveKind) -> None:
        self._saver.save(self._checkpoint(kind))

    def _checkpoint(self, kind: SaveKind) -> Checkpoint:
        return Checkpoint(
            self._config,
            self._trained,
            self._target,
            self._clock.elapsed,
            self._metrics.recent_losses,
            kind,
            *(self._metrics.best or (None, None)),
        )

    # Ends that nobody asked for.

    def _diverge(self, before: TrainState, broken: Advance) -> None:
        """Keep the last finite state within the chunk."""
        good, by_loss = last_finite(self._running, before, broken)
        self._take(good)
        self._save("final")
        what = "the loss" if by_loss else "a parameter"
        problem = f"{what} is no longer finite in iteration {self._trained.iteration + 1:,}"
        self._say(Diverged(problem=problem, advice=advice(self._config), **self._stamp()))
        self._enter("diverged")

    def _fail(self, event: Failed) -> None:
        iteration = event.iteration
        if self._state is not None and not self._saver.is_final(iteration) and iteration:
            self._saver.save_last(self._checkpoint("final"))
        self._say(event)
        self._enter("failed")

    # What others see.

    def _say(self, event: AnyEvent) -> None:
        self._teller.say(event)

    def _enter(self, run_state: RunState) -> None:
        """Tell what happened, then set the state and publish a snapshot of it."""
        self._teller.tell()
        self._run_state = run_state
        self.snapshot = self._snapshot()

    def _stamp(self) -> EventHeader:
        iteration = self._state.iteration if self._state else 0
        return {"run": self.name, "iteration": iteration, "time": time.time()}

    def _snapshot(self) -> Snapshot:
        algorithm = self._config.algorithm
        best, best_iteration = self._metrics.best or (None, None)
        iteration = self._state.iteration if self._state else 0
        return Snapshot(
            run=self.name,
            algorithm=algorithm.name,
            title=algorithm.title,
            state=self._run_state,
            iteration=iteration,
            target=self._target,
            rate=self._clock.rate if self._run_state == "training" else 0.0,
            elapsed=self._clock.elapsed,
            engine=self._engine.name if self._engine else self._config.engine,
            device=self._engine.device if self._engine else self._config.device,
            pace=self._clock.pace,
            unsaved=iteration != self._saver.saved_iteration,
            loss=self._metrics.smoothed,
            best=best,
            best_iteration=best_iteration,
            curve=self._metrics.curve(),
            theta=self._state.theta if self._state else None,
            preparing=self._preparing,
            waves=self._config.waves,
        )

    @property
    def _trained(self) -> TrainState:
        assert self._state is not None, "the thread has begun"
        return self._state

    @property
    def _running(self) -> Engine:
        assert self._engine is not None, "the thread has begun"
        return self._engine
