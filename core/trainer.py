"""One run in its own thread: chunks of training, and commands between them."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.adaptation import PROBES, ProbeName, draw_task, few_shot
from core.checkpoint import Checkpoint
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Advance, Engine, TrainState
from core.errors import LabError, RunFolderError
from core.events import (
    AnyEvent,
    Command,
    Diverged,
    Evaluate,
    Evaluated,
    Extend,
    Extended,
    Failed,
    Finished,
    Pause,
    Paused,
    Progress,
    Refused,
    Resume,
    Resumed,
    RunState,
    Save,
    Saved,
    SaveFailed,
    SetPace,
    Snapshot,
    Stamp,
    Started,
    Step,
    Stepped,
    Stop,
    Stopped,
)
from core.metrics import Metrics
from core.run_folder import RunFolder
from core.tasks import query_grid

CHUNK_SECONDS = 0.03
"""How long a chunk of training should take: a command waits for it at most."""

NICENESS = 5
"""By how much a training thread gives way to others, above all to the one that draws the screen."""

RATE_SECONDS = 1.0
"""Over how long the shown rate is averaged."""

COMMAND_LIMIT = 256
"""Commands that may wait for one run; a further one is turned away."""


@dataclass(frozen=True)
class Plan:
    """A run to be trained: where it is kept and, if it goes on, what it starts from.

    ``history`` holds the events of earlier sittings, ``target`` overrides where the run ends, and
    ``pace`` is in iterations per second, None for full speed.
    """

    config: RunConfig
    folder: RunFolder
    resumed: Checkpoint | None = None
    resumed_from: str | None = None
    history: tuple[AnyEvent, ...] = ()
    target: int | None = None
    pace: float | None = None


class Trainer:
    """Trains one run and tells ``publish`` what happens; commands come through ``send``."""

    def __init__(self, plan: Plan, publish: Callable[[AnyEvent], None]) -> None:
        self.name = plan.folder.name
        self._plan = plan
        self._config = plan.config
        self._folder = plan.folder
        self._publish = publish
        self._commands: queue.Queue[Command] = queue.Queue(COMMAND_LIMIT)
        self._thread = threading.Thread(target=self._work, name=f"run {self.name}", daemon=True)
        self._engine: Engine | None = None
        resumed = plan.resumed
        self._state: TrainState | None = resumed.state if resumed else None
        self._run_state: RunState = "loading"
        self._preparing = ""
        self._ended = False
        self._log_problem: str | None = None
        self._target = plan.target or (resumed.target if resumed else plan.config.iterations)
        self._elapsed = resumed.elapsed if resumed else 0.0
        self._saved_iteration = resumed.state.iteration if resumed else 0
        self._metrics = Metrics(resumed.recent_losses if resumed else ())
        if resumed:
            self._metrics.recall(plan.history, resumed.state.iteration)
        self._pace = plan.pace
        self._chunk = 1
        self._rate = 0.0
        self._mark = 0.0
        self._due = 0.0
        self.snapshot = self._snapshot()

    @property
    def plan(self) -> Plan:
        """What is trained."""
        return self._plan

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
        _give_way()
        try:
            self._begin()
            while not self._ended:
                if self._run_state == "training":
                    self._train_chunk()
                self._obey_waiting_commands()
        except LabError as error:
            self._fail(Failed(problem=str(error), **self._stamp()))
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self._fail(Failed(problem=problem, details=traceback.format_exc(), **self._stamp()))
        finally:
            self._close()

    def _begin(self) -> None:
        engine = self._engine = make_engine(self._config, self._announce)
        if self._state is None:
            self._state = engine.initial_state()
            self._describe(engine)
        self._say(
            Started(
                engine=engine.name,
                device=engine.device,
                target=self._target,
                resumed_from=self._plan.resumed_from,
                **self._stamp(),
            )
        )
        self._mark = time.monotonic()
        self._enter("training" if self._state.iteration < self._target else "finished")

    def _describe(self, engine: Engine) -> None:
        try:
            self._folder.describe(self._config, engine.name, engine.device)
        except OSError as error:
            problem = f"run.json cannot be written ({error.strerror})"
            raise RunFolderError(self._folder.path, problem, "choose another --out") from error

    def _announce(self, preparing: str) -> None:
        self._preparing = preparing
        self.snapshot = self._snapshot()

    def _train_chunk(self) -> None:
        began = time.monotonic()
        n = self._chunk_length()
        if not self._advance(n):
            return
        spent = max(time.monotonic() - began, 1e-6)
        self._chunk = max(1, int(min(n * CHUNK_SECONDS / spent, 2 * self._chunk)))
        self._due = began + n / self._pace if self._pace else 0.0
        self._after_iterations()
        self._measure(n)
        self._flush()
        self._enter(self._run_state)

    def _chunk_length(self) -> int:
        """Iterations of the next chunk: it ends where an evaluation or the end is due."""
        iteration = self._trained.iteration
        interval = self._config.eval_interval
        n = min(self._chunk, interval - iteration % interval, self._target - iteration)
        return min(n, max(1, int(self._pace * CHUNK_SECONDS))) if self._pace else n

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
            self._save()
            self._say(Finished(**self._stamp()))
            self._enter("finished")

    def _measure(self, n: int) -> None:
        """Account for the time since the last mark, in which ``n`` iterations were made."""
        now = time.monotonic()
        passed = max(now - self._mark, 1e-6)
        self._mark = now
        self._elapsed += passed
        weight = min(1.0, passed / RATE_SECONDS) if self._rate else 1.0
        self._rate += (n / passed - self._rate) * weight

    # Commands.

    def _obey_waiting_commands(self) -> None:
        """Obey all that waits; a run that has nothing to train sleeps until something comes."""
        while not self._ended:
            idle = self._run_state != "training"
            patience = None if idle else max(0.0, self._due - time.monotonic())
            try:
                command = self._commands.get(block=patience != 0.0, timeout=patience)
            except queue.Empty:
                return
            self._obey(command)
            self._flush()

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
                self._save()
            case SetPace(pace):
                self._pace, self._due = pace, 0.0
            case Stop(save):
                self._stop(save)
            case _:
                name = type(command).__name__.lower()
                reason = f"the run is {self._run_state}"
                self._say(Refused(command=name, reason=reason, **self._stamp()))
        self._enter(self._run_state)

    def _train_on(self) -> None:
        self._mark, self._due = time.monotonic(), 0.0
        self._enter("training")

    def _step(self, count: int) -> None:
        first = self._trained.iteration
        for _ in range(min(count, self._target - first)):
            if not self._advance(1):
                return
            self._after_iterations()
        made = self._trained.iteration - first
        self._say(Stepped(count=made, **self._stamp()))

    def _stop(self, save: bool) -> None:
        if save and self._trained.iteration != self._saved_iteration:
            self._save()
        if self._run_state in ("training", "paused"):
            self._say(Stopped(**self._stamp()))
            self._run_state = "stopped"
        self._ended = True

    def _evaluate(self, probe: ProbeName, index: int) -> None:
        config = self._config
        task = draw_task(config.waves, config.seed, probe, index)
        updates, lr = PROBES[probe].updates, config.algorithm.inner_lr
        result = few_shot(self._running, self._trained.theta, config.waves, task, updates, lr)
        evaluated = Evaluated(
            probe=probe,
            index=index,
            amplitude=task.wave.amplitude,
            phase=task.wave.phase,
            support_x=tuple(task.support_x.tolist()),
            support_y=tuple(task.support_y.tolist()),
            query_x=tuple(query_grid(config.waves).tolist()),
            before=tuple(result.before[0].tolist()),
            after=tuple(result.after[0].tolist()),
            losses=tuple(result.losses[0].tolist()),
            training_loss=self._metrics.smoothed,
            **self._stamp(),
        )
        self._metrics.note(evaluated)
        self._say(evaluated)

    def _save(self) -> None:
        self._flush()
        state = self._trained
        recent = self._metrics.recent_losses
        checkpoint = Checkpoint(self._config, state, self._target, self._elapsed, recent)
        try:
            path = self._folder.save(checkpoint)
        except OSError as error:
            problem = f"{self._folder.path}: {error.strerror or error}"
            self._say(SaveFailed(problem=problem, **self._stamp()))
            return
        self._saved_iteration = state.iteration
        self._say(Saved(path=str(path), **self._stamp()))

    # Ends that nobody asked for.

    def _diverge(self, before: TrainState, advance: Advance) -> None:
        """Keep the last finite state within the chunk, found by making the chunk again, shorter."""
        bad = np.flatnonzero(~np.isfinite(advance.losses))
        good = self._last_finite(before, int(bad[0]) if len(bad) else len(advance.losses) - 1)
        # A parameter that overflows spoils the next loss: what broke first must not depend on
        # whether that loss was in the chunk.
        by_loss = not np.isfinite(advance.losses[len(good.losses)])
        self._take(good)
        self._save()
        algorithm = self._config.algorithm
        self._say(
            Diverged(
                problem=f"{'the loss' if by_loss else 'a parameter'} is no longer finite in "
                f"iteration {self._trained.iteration + 1:,}",
                advice=f"lower {algorithm.name}.outer_lr (now {algorithm.outer_lr:g}) or "
                f"{algorithm.name}.inner_lr (now {algorithm.inner_lr:g})",
                **self._stamp(),
            )
        )
        self._flush()
        self._enter("diverged")

    def _last_finite(self, before: TrainState, n: int) -> Advance:
        """As many of ``n`` iterations as leave the state finite.

        What is not finite stays so (an infinite moment of Adam for long without any other trace),
        hence the search by halves.
        """
        longest = self._running.advance(before, n)
        if longest.state.is_finite():
            return longest
        sound, broken = 0, n
        while broken - sound > 1:
            middle = (sound + broken) // 2
            if self._running.advance(before, middle).state.is_finite():
                sound = middle
            else:
                broken = middle
        return self._running.advance(before, sound)

    def _fail(self, event: Failed) -> None:
        if self._state is not None and self._state.iteration != self._saved_iteration:
            self._save()
        self._say(event)
        self._flush()
        self._enter("failed")

    # What others see.

    def _say(self, event: AnyEvent) -> None:
        try:
            self._folder.append(event)
        except OSError as error:
            self._say_unlogged(error)
        self._publish(event)

    def _flush(self) -> None:
        try:
            self._folder.flush()
        except OSError as error:
            self._say_unlogged(error)

    def _close(self) -> None:
        try:
            self._folder.close()
        except OSError as error:
            self._say_unlogged(error)

    def _say_unlogged(self, error: OSError) -> None:
        """Say that the log cannot be written: once, not with every chunk."""
        problem = f"{self._folder.path / 'events.jsonl'}: {error.strerror or error}"
        if problem != self._log_problem:
            self._log_problem = problem
            self._publish(SaveFailed(problem=problem, **self._stamp()))

    def _enter(self, run_state: RunState) -> None:
        """Set the state and publish a snapshot of it."""
        self._run_state = run_state
        self.snapshot = self._snapshot()

    def _stamp(self) -> Stamp:
        iteration = self._state.iteration if self._state else 0
        return {"run": self.name, "iteration": iteration, "time": time.time()}

    def _snapshot(self) -> Snapshot:
        algorithm = self._config.algorithm
        best, best_iteration = self._metrics.best or (None, None)
        return Snapshot(
            run=self.name,
            algorithm=algorithm.name,
            title=algorithm.title,
            state=self._run_state,
            iteration=self._state.iteration if self._state else 0,
            target=self._target,
            rate=self._rate if self._run_state == "training" else 0.0,
            elapsed=self._elapsed,
            engine=self._engine.name if self._engine else self._config.engine,
            device=self._engine.device if self._engine else self._config.device,
            pace=self._pace,
            unsaved=self._state is not None and self._state.iteration != self._saved_iteration,
            loss=self._metrics.smoothed,
            best=best,
            best_iteration=best_iteration,
            curve=self._metrics.curve(),
            theta=self._state.theta if self._state else None,
            preparing=self._preparing,
        )

    @property
    def _trained(self) -> TrainState:
        assert self._state is not None, "the thread has begun"
        return self._state

    @property
    def _running(self) -> Engine:
        assert self._engine is not None, "the thread has begun"
        return self._engine


def _give_way() -> None:
    """Let the screen go first on a busy machine: keys were answered about a quarter sooner."""
    # Elsewhere than on Linux niceness belongs to the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
