"""The part of a Dask executor that runs in its workers."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ClusterError, LabError
from core.experiments.pool import work_off
from core.experiments.specification import PlannedRun
from core.experiments.stored_run import RunTrainer
from core.experiments.sweep_folder import Store, SweepFolder
from core.experiments.train_run import Trained, not_trained
from core.extensions.loading import CODE, load_code
from core.training.memory import require_memory


@dataclass(frozen=True)
class Batch:
    """Runs of one task; ``settings`` are those of the sweep in the folder ``path``."""

    path: Path
    settings: dict[str, Any] | None
    store: Store
    runs: list[PlannedRun]


def train_batch(pickled: bytes) -> list[Trained] | str:
    """Train the runs of a pickled ``Batch`` in this thread of a worker.

    Return a line instead if this worker cannot; runs are left out if the task was cancelled.
    """
    try:
        load_code()  # of the user's own, to which the batch may refer
        batch: Batch = pickle.loads(pickled)
        if batch.store == "all":
            _require_shared(batch)
        require_memory([run.config for run in batch.runs], at_once=1)
    except LabError as error:
        return str(error)
    except ModuleNotFoundError as error:
        return f"a worker has no module {error.name}; name the file of the class in its {CODE}"
    train = RunTrainer(batch.path, batch.store).train
    # A worker has a task in each of its threads; the pool adds none that computes beside this one.
    return list(work_off(batch.runs, train, not_trained, 1, _cancelled_task()))


def _require_shared(batch: Batch) -> None:
    """Require that this machine sees the folder of the sweep, and may write into it."""
    seen = SweepFolder(batch.path).settings()
    if seen != batch.settings or not os.access(batch.path, os.W_OK):
        problem = "not a folder that this worker can write, as needed to keep all of a run"
        raise ClusterError(batch.path, problem, "share it, or keep final networks alone")


def _cancelled_task() -> Callable[[], bool]:
    """Return a function that returns True once the task of this thread is not waited for."""
    from distributed.worker import WORKER_ANY_RUNNING, get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def cancelled() -> bool:
        task = worker.state.tasks.get(key)
        executing = task is not None and task.state == "executing"
        return not executing or worker.status not in WORKER_ANY_RUNNING

    return cancelled
