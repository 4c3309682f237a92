"""A sweep: trains what has no result yet, by threads or by another executor; keeps each result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.analysis.callbacks import never_cancelled
from core.experiments.pool import work_off
from core.experiments.results import ResultLog, RunResult, missing
from core.experiments.specification import PlannedRun, specification_of
from core.experiments.stored_run import RunTrainer
from core.experiments.sweep_folder import Shard, Store, SweepFolder
from core.experiments.train_run import not_trained
from core.training.memory import require_memory
from core.training.processors import usable_processors


class Executor(Protocol):
    """Trains runs somewhere."""

    @property
    def workers(self) -> int:
        """How many runs are trained at once."""

    def require(self, runs: list[PlannedRun]) -> None:
        """Raise ``LabError`` if ``runs`` cannot be trained here."""

    def __call__(self, runs: list[PlannedRun], train: RunTrainer) -> Generator[RunResult]:
        """Yield the results of ``runs`` as they come; raises ``LabError``."""


@dataclass(frozen=True)
class ThreadExecutor:
    """Trains in threads of this process, by default one for each processor it may use.

    It ends early once ``stopped`` returns True.
    """

    workers: int = field(default_factory=usable_processors)
    stopped: Callable[[], bool] = never_cancelled

    def require(self, runs: list[PlannedRun]) -> None:
        """Raise ``EngineError`` if as many as are trained at once do not fit in memory."""
        require_memory([run.config for run in runs], at_once=self.workers)

    def __call__(self, runs: list[PlannedRun], train: RunTrainer) -> Generator[RunResult]:
        self.require(runs)
        workers = min(self.workers, max(1, len(runs)))
        by_digest = {run.digest: run for run in runs}
        with closing(work_off(runs, train.train, not_trained, workers, self.stopped)) as ended:
            for trained in ended:
                yield train.keep(by_digest[trained.result.digest], trained)


@dataclass(frozen=True)
class Sweep:
    """A sweep that is being trained: of ``total`` runs of a shard ``runs`` have no result yet."""

    folder: SweepFolder
    runs: list[PlannedRun]
    total: int
    store: Store

    def train(self, executor: Executor) -> Generator[RunResult]:
        """Train the runs; yield each result once it is on disk. Raises ``LabError``.

        When the iterator is closed, what is being trained is cancelled, within a chunk.
        """
        trainer = RunTrainer(self.folder.path, self.store)
        log = ResultLog(self.folder.results_path)
        with closing(log), closing(executor(self.runs, trainer)) as results:
            for result in results:
                log.append(result)
                yield result


@contextmanager
def opened(
    folder: SweepFolder,
    shard: Shard,
    store: Store,
    settings: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
) -> Iterator[Sweep]:
    """Yield the part ``shard`` of the sweep in ``folder``, locked. Raises ``LabError``.

    ``settings`` begin or extend it, once it is known that ``executor`` can train what is missing.
    """
    specification = folder.specification() if settings is None else specification_of(settings)
    runs = shard.of(specification.expand())
    if executor:
        executor.require(missing(runs, folder.results()))
    with folder.locked(shard, settings):
        yield Sweep(folder, missing(runs, folder.results()), len(runs), store)
