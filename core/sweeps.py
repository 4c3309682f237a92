"""Sweeps in the public Python interface; ``import core`` offers their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import validation
from core.api import Run, StrPath, open_run
from core.errors import ConfigError, RunFolderError
from core.evaluation.seed_interval import SeedInterval
from core.experiments.pool import work_off
from core.experiments.records import record_of
from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun, merged, specification_of
from core.experiments.stored_run import RunTrainer, final_checkpoint
from core.experiments.summary import GroupSummary, summarize
from core.experiments.sweep import ThreadExecutor, opened
from core.experiments.sweep_folder import Shard, Store, SweepFolder
from core.experiments.train_run import Trained, not_trained
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.training.memory import require_memory
from core.training.processors import usable_processors

OnResult = Callable[[RunResult], object]


@dataclass(frozen=True)
class GroupCurve:
    """Validation losses of the runs of a group, after the last gradient step.

    ``losses`` is ``(seeds, n)``, NaN where the run of a seed has none, at ``iterations`` ``(n,)``.
    ``mean`` ``(n,)`` is over the seeds that have one, and ``low`` to ``high`` its 95 % interval
    over seeds (Student's t), NaN where there is one seed only.
    """

    seeds: NDArray[np.int64]
    iterations: NDArray[np.int64]
    losses: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Sweep:
    """Runs of several settings and seeds: ``results`` in the order of the runs, and what is kept.

    ``planned`` has all runs, also those without a result. ``path`` is its folder, if it has one.
    """

    path: Path | None
    planned: Sequence[PlannedRun] = field(repr=False)
    results: Sequence[RunResult] = field(repr=False)
    _checkpoints: Mapping[str, Checkpoint] = field(repr=False, default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Names of the runs without a result, and of those that failed."""
        done = {result.digest for result in self.results if result.state != "failed"}
        return [run.name for run in self.planned if run.digest not in done]

    @property
    def groups(self) -> list[GroupSummary]:
        """The runs that differ in their seed alone, summarised: what ``tui-meta report`` prints.

        The ``validation`` of a group is the mean over its seeds with its interval, and its
        ``difference`` how much more that is than the best group's, seed by seed.
        """
        return summarize(self.planned, {result.digest: result for result in self.results})

    def records(self) -> list[dict[str, Any]]:
        """Return a flat record of each result, with the settings that are swept: a table's rows."""
        return [record_of(result) for result in self.results]

    def curve(self, group: str) -> GroupCurve:
        """Return the validation losses of a group; raises ``ConfigError`` for an unknown one."""
        validation.one_of("group", group, list(dict.fromkeys(run.group for run in self.planned)))
        results = [result for result in self.results if result.group == group]
        at = sorted({one.iteration for result in results for one in result.validations})
        found = [{one.iteration: one.mean for one in result.validations} for result in results]
        losses = np.array([[one.get(i, np.nan) for i in at] for one in found]).reshape(-1, len(at))
        means = [SeedInterval.of(column[np.isfinite(column)].tolist()) for column in losses.T]
        mean, low, high = (
            np.array([getattr(one, name) for one in means]) for name in ("mean", "low", "high")
        )
        seeds = np.array([result.seed for result in results], np.int64)
        return GroupCurve(seeds, np.array(at, np.int64), losses, mean, low, high)

    def network(self, run: str) -> Checkpoint | Run:
        """Return the final network of the run of this name, for ``evaluate``.

        Raises ``ConfigError`` for an unknown run, ``RunFolderError`` where its network was not
        kept, and ``CheckpointError``.
        """
        validation.one_of("run", run, [one.run for one in self.results])
        if run in self._checkpoints:
            return self._checkpoints[run]
        (result,) = [one for one in self.results if one.run == run]
        if self.path is None or not result.network:
            raise RunFolderError(self.path or Path(run), "its network was not kept")
        path = self.path / result.network
        return open_run(path) if path.is_dir() else load_checkpoint(path)


def sweep(
    folder: StrPath | None = None,
    /,
    *,
    store: Store = "final",
    workers: int | None = None,
    on_result: OnResult | None = None,
    **experiment: Any,
) -> Sweep:
    """Train runs of several settings and seeds, as many at once as there are ``workers``.

    ``experiment`` has the keys of a configuration file, by default with one seed: ``seeds``, a
    number or a list; ``sweep``, the values of each swept setting; ``algorithms`` or ``runs``; and
    the settings of a run, such as ``iterations`` and ``reptile={"inner_lr": 0.01}``. It expands
    into the runs of ``tui-meta sweep``, with the same bits.

    A ``folder`` keeps results, and of each run what ``store`` says: its "final" network, "all" of
    its run folder, or "none". What has a result there is not trained again, so an interrupted sweep
    continues, and one with more seeds is extended. Without a folder all is in memory. A run that
    diverges or fails is a result like others. ``on_result`` is called with each result as it comes.

    ``workers`` defaults to the number of processors that this process may use. Raises ``LabError``:
    of a setting, of a folder that has other runs, or where memory is short.

    >>> found = sweep(algorithms=["reptile"], seeds=2, sweep={"reptile.inner_lr": [0.005, 0.02]},
    ...               iterations=50, validation={"interval": 0})
    >>> [result.run for result in found.results]
    ['reptile-inner_lr-0.005-s0', 'reptile-inner_lr-0.005-s1', 'reptile-inner_lr-0.02-s0', \
'reptile-inner_lr-0.02-s1']
    """
    threads = usable_processors() if workers is None else workers
    validation.count("workers", threads, high=10_000)
    follow = on_result or (lambda _: None)
    if folder is None:
        return _in_memory({"seeds": 1, **experiment}, store, threads, follow)
    target = SweepFolder(Path(folder))
    settings = merged({"seeds": 1, **(target.settings() or {})}, experiment)
    executor = ThreadExecutor(threads)
    with (
        opened(target, Shard(), store, settings, executor) as opened_sweep,
        closing(opened_sweep.train(executor)) as results,
    ):
        for result in results:
            follow(result)
    return open_sweep(folder)


def open_sweep(folder: StrPath) -> Sweep:
    """Open the folder of a sweep, finished or not; raises ``RunFolderError``."""
    path = Path(folder)
    target = SweepFolder(path)
    planned, found = target.specification().expand(), target.results()
    return Sweep(path, planned, [found[run.digest] for run in planned if run.digest in found])


def _in_memory(
    experiment: Mapping[str, Any], store: Store, threads: int, follow: OnResult
) -> Sweep:
    if store == "all":
        raise ConfigError("store", store, "must be 'final' or 'none' without a folder")
    planned = specification_of(experiment).expand()
    require_memory([run.config for run in planned], at_once=threads)
    found: dict[str, Trained] = {}
    for one in _trained(planned, store, threads):
        found[one.result.run] = one
        follow(one.result)
    checkpoints = {
        run.name: final_checkpoint(run, found[run.name]) for run in planned if store == "final"
    }
    kept = {name: one for name, one in checkpoints.items() if one}
    return Sweep(None, planned, [found[run.name].result for run in planned], kept)


def _trained(planned: Sequence[PlannedRun], store: Store, threads: int) -> Iterator[Trained]:
    train = RunTrainer(Path(), store).train
    with closing(work_off(planned, train, not_trained, min(threads, len(planned)))) as results:
        yield from results
