"""The functions of the public Python interface; ``import core`` offers their names."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from core.commands import Stop
from core.config import RunConfig
from core.engines import make_engine
from core.errors import SessionError
from core.evaluation.adaptation import many_tasks
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.events import (
    AnyEvent,
    Diverged,
    EndOfRun,
    Evaluated,
    Failed,
    Progress,
    SaveFailed,
    Validated,
)
from core.storage import checkpoint as storage
from core.storage.checkpoint import Checkpoint
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_or_untrained
from core.storage.run_folder import create_run_folder, read_record
from core.storage.run_index import checkpoint_files
from core.tasks.base import Floats
from core.training import batch
from core.training.memory import require_evaluation_memory, require_memory
from core.training.run_plan import plan_in
from core.training.trainer import Trainer

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class TrainedRun:
    """A run that was trained in memory: final parameters and the loss of every iteration.

    ``theta`` is ``(n_parameters,)``, ``losses`` ``(iterations,)``.
    """

    config: RunConfig
    theta: Floats
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class LossHistory:
    """The losses that a run folder has logged, oldest first.

    ``training`` is ``(n,)``, each the mean of the 100 iterations that end at ``iterations``. Of the
    validations, ``(k,)`` each, ``validation`` is the mean loss on the validation tasks after the
    last step, and ``low`` to ``high`` its 95 % interval; NaN where it was not finite. Of the
    periodic evaluations, ``(m,)`` each, ``before`` and ``after`` are the losses on the query set of
    a new random task without adaptation and with it.
    """

    iterations: NDArray[np.int64]
    training: NDArray[np.float64]
    validated_at: NDArray[np.int64]
    validation: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    evaluated_at: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """A run folder: its settings, checkpoints and losses."""

    path: Path
    config: RunConfig

    @property
    def checkpoints(self) -> list[Path]:
        """Paths of the readable checkpoints, oldest first; raises ``RunFolderError``.

        Those that the run discarded when it was resumed from an earlier one are left out.
        """
        files = checkpoint_files(self.path)
        return [file.path for file in files if file.metadata and not file.discarded]

    def latest(self) -> Checkpoint:
        """Load the checkpoint that the run would continue from.

        Raises ``CheckpointError`` and ``RunFolderError``.

        >>> open_run("checkpoints/fomaml-source").latest().state.iteration
        50000
        """
        return latest_or_untrained(self.path, self.config.to_dict()).checkpoint

    def losses(self) -> LossHistory:
        """Read the log; what was rolled back is left out. Raises ``RunFolderError``.

        >>> losses = open_run("checkpoints/fomaml-source").losses()
        >>> losses.training.shape, losses.after.shape
        ((500,), (50,))
        """
        events = tuple(history(self.path))
        training = [event for event in events if isinstance(event, Progress)]
        evaluations = [
            event
            for event in events
            if isinstance(event, Evaluated) and event.probe == "validation"
        ]
        validated = [event for event in events if isinstance(event, Validated)]
        columns = [(event.mean[-1], event.low[-1], event.high[-1]) for event in validated]
        mean, low, high = np.array(columns, np.float64).reshape(-1, 3).T
        return LossHistory(
            iterations=np.array([event.iteration for event in training], np.int64),
            training=np.array([event.loss for event in training]),
            validated_at=np.array([event.iteration for event in validated], np.int64),
            validation=mean,
            low=low,
            high=high,
            evaluated_at=np.array([event.iteration for event in evaluations], np.int64),
            before=np.array([event.losses[0] for event in evaluations]),
            after=np.array([event.losses[-1] for event in evaluations]),
        )


@dataclass(frozen=True)
class Evaluation:
    """Losses on the query sets of many random tasks, after each of ``steps`` ``(n,)`` from 0 on.

    ``losses`` is ``(tasks, n)``, the others are statistics over the tasks, ``(n,)``: ``low`` to
    ``high`` is the 95 % interval of the mean. The mean includes tasks that ``diverged``: a single
    one can decide on it. Equal protocols and task families mean the same tasks, so ``losses`` of
    two networks can be subtracted.
    """

    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    median: NDArray[np.float64]
    diverged: NDArray[np.int64]


@overload
def train(config: RunConfig) -> TrainedRun: ...
@overload
def train(config: RunConfig, folder: StrPath) -> Run: ...


def train(config: RunConfig, folder: StrPath | None = None) -> TrainedRun | Run:
    """Train one run to its last iteration, in memory or into the new run folder ``folder``.

    A run folder has a log, periodic evaluations and checkpoints, and every ``tui-meta`` command
    opens it. An interrupted run is saved. Raises ``LabError``: of a setting, an engine, a folder
    that exists or cannot be written in the end, or a run with a folder that diverges.

    >>> from core import Fomaml, RunConfig
    >>> run = train(RunConfig(algorithm=Fomaml(), iterations=200))
    >>> run.losses.shape
    (200,)
    """
    if folder is None:
        return train_many([config], threads=1)[0]
    path = Path(folder).absolute()
    ended = threading.Event()
    problems: list[str] = []
    unsaved: list[str] = []

    def watch(event: AnyEvent) -> None:
        if isinstance(event, Diverged | Failed):
            problems.append(event.problem)
        if isinstance(event, SaveFailed):
            unsaved.append(event.problem)
        if isinstance(event, EndOfRun):
            ended.set()

    require_memory([config])
    plan = plan_in(create_run_folder(path.parent, path.name, unique=False), config)
    trainer = Trainer(plan, watch)
    trainer.start()
    try:
        ended.wait()
    finally:
        trainer.send(Stop())
        trainer.join()
    if problems:
        raise SessionError(f"{path}: {problems[0]}")
    if unsaved and (trainer.snapshot.unsaved or trainer.folder != plan.folder.path):
        raise SessionError(unsaved[-1])
    return open_run(path)


def train_many(configs: Sequence[RunConfig], threads: int | None = None) -> list[TrainedRun]:
    """Train independent runs in memory, spread over ``threads`` (default: one per processor).

    Each run has the same bits as it would have alone. A run that diverges ends with losses that are
    not finite. Raises ``ConfigError`` and ``EngineError``.

    >>> from core import Reptile, RunConfig
    >>> runs = train_many([RunConfig(algorithm=Reptile(), iterations=50, seed=s) for s in range(3)])
    >>> [run.config.seed for run in runs]
    [0, 1, 2]
    """
    results = batch.train_many(configs, threads)
    return [
        TrainedRun(config, result.state.theta, result.losses)
        for config, result in zip(configs, results, strict=True)
    ]


def open_run(folder: StrPath) -> Run:
    """Open a run folder; raises ``RunFolderError`` and ``ConfigError``.

    >>> run = open_run("checkpoints/fomaml-source")
    >>> run.config.algorithm.inner_lr
    0.02
    >>> [path.name for path in run.checkpoints]
    ['000049000.safetensors', '000050000.safetensors']
    """
    path = Path(folder)
    return Run(path, RunConfig.from_dict(read_record(path).config))


def load_checkpoint(path: StrPath) -> Checkpoint:
    """Load and verify a checkpoint file; raises ``CheckpointError``.

    >>> checkpoint = load_checkpoint("checkpoints/fomaml-source/000049000.safetensors")
    >>> checkpoint.state.iteration, checkpoint.state.theta.shape
    (49000, (4353,))
    """
    return storage.load_checkpoint(Path(path))


def evaluate(
    network: TrainedRun | Run | Checkpoint,
    protocol: EvaluationProtocol | ProtocolName = "source",
) -> Evaluation:
    """Fine-tune on the support sets of many random tasks, by full-batch gradient steps.

    Of a ``Run`` the latest checkpoint is evaluated. ``protocol`` says which tasks, how many support
    points and steps, and the inner learning rate, by default the run's own; the named ones are
    those of ``tui-meta eval --protocol``. Raises ``LabError``.

    >>> protocol = EvaluationProtocol(shots=5, steps=(1, 5, 10), tasks=200)
    >>> result = evaluate(open_run("checkpoints/fomaml-source"), protocol)
    >>> result.steps.tolist(), result.losses.shape
    ([0, 1, 5, 10], (200, 4))
    >>> bool(result.low[-1] < result.mean[-1] < result.high[-1] < result.mean[0])
    True
    """
    checkpoint = network.latest() if isinstance(network, Run) else network
    theta = checkpoint.theta if isinstance(checkpoint, TrainedRun) else checkpoint.state.theta
    config = checkpoint.config
    if not isinstance(protocol, EvaluationProtocol):
        protocol = named_protocol(protocol, config.tasks)
    require_evaluation_memory(protocol, config.tasks)
    engine = make_engine(dataclasses.replace(config, engine="auto", device="auto"))
    losses = many_tasks(engine, theta, config, protocol)
    columns = Statistics.per_step(losses)
    means, lows, highs, medians, diverged = (
        np.array([getattr(column, name) for column in columns])
        for name in ("mean", "low", "high", "median", "diverged")
    )
    steps = np.array(protocol.reported_steps)
    return Evaluation(steps, losses, means, lows, highs, medians, diverged)
