"""Evaluates trained networks under the protocols of publications, and compares the losses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from statistics import fmean

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.engines import make_engine
from core.errors import RunFolderError
from core.evaluation.adaptation import many_tasks
from core.evaluation.seed_interval import SeedInterval
from core.evaluation.statistics import Statistics, has_diverged, number
from core.evaluation_protocol import named_protocol
from core.events import Spent
from core.experiments.results import RunResult
from core.experiments.sweep_folder import SweepFolder
from core.reproduction.plan import Reproduction, Training, trainings
from core.reproduction.protocol import Protocol
from core.reproduction.protocols import PROTOCOLS
from core.reproduction.published import Published
from core.reproduction.verdict import Interval, Verdict, verdict
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint
from core.training.memory import require_evaluation_memory

Losses = NDArray[np.float64]


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """The mean loss of networks with different seeds, each adapted to the same tasks.

    ``over_tasks`` is its 95 % interval over tasks, and ``over_seeds`` that over seeds, None of a
    single one. Adaptations that ``diverged`` are not part of them, but of the median; all are None
    where nothing else is left.
    """

    loss: float | None
    over_tasks: Interval | None
    over_seeds: Interval | None
    median: float | None
    adaptations: int
    diverged: int

    @property
    def interval(self) -> Interval | None:
        """The wider of both intervals."""
        known = [one for one in (self.over_tasks, self.over_seeds) if one]
        return max(known, key=lambda one: one.high - one.low, default=None)


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a ``group``: how they ended, and what each of those that finished used."""

    group: str
    planned: int
    finished: int
    diverged: int
    failed: int
    iterations: int
    published_iterations: int
    spent: Spent | None

    @classmethod
    def of(cls, training: Training, planned: int, results: Sequence[RunResult]) -> Budget:
        """Count the ``results`` of as many runs as are ``planned``."""
        used = [one.spent for one in results if one.state == "finished"]
        seconds = fmean(one.seconds for one in used) if used else 0.0
        states = [one.state for one in results]
        return cls(
            group=training.group,
            planned=planned,
            finished=states.count("finished"),
            diverged=states.count("diverged"),
            failed=states.count("failed"),
            iterations=training.iterations,
            published_iterations=training.published_iterations,
            spent=msgspec.structs.replace(used[0], seconds=seconds) if used else None,
        )

    @property
    def is_published(self) -> bool:
        """True if the runs have as many iterations as those of the publication."""
        return self.iterations == self.published_iterations


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A published loss beside ours; there is no verdict where one of them is missing."""

    protocol: str
    version: int
    publication: str
    url: str
    published: Published
    ours: Ours | None
    verdict: Verdict | None
    budget: Budget


def measured(folder: SweepFolder, reproduction: Reproduction) -> Iterator[Row]:
    """Yield the rows of each protocol, from the runs in ``folder`` that have ended.

    Raises ``LabError``.
    """
    results = folder.results()
    runs = reproduction.among(folder.specification().expand())
    for name in reproduction.names:
        protocol = PROTOCOLS[name]
        for method in protocol.methods:
            training = trainings(reproduction.iterations)[name, method.name]
            planned = [run for run in runs if run.group == training.group]
            ended = [results[run.digest] for run in planned if run.digest in results]
            finished = [one for one in ended if one.state == "finished"]
            networks = [network_of(folder, one) for one in finished]
            budget = Budget.of(training, len(reproduction.seeds), ended)
            published = [one for one in protocol.published if one.method == method.name]
            losses = _losses(protocol, published, networks, reproduction.tasks)
            for one in published:
                ours = losses.get((one.shots, one.step))
                yield Row(
                    protocol=protocol.name,
                    version=protocol.version,
                    publication=protocol.publication,
                    url=protocol.url,
                    published=one,
                    ours=ours,
                    verdict=_verdict(one, ours) if budget.is_published else None,
                    budget=budget,
                )


def is_kept(folder: SweepFolder, result: RunResult) -> bool:
    """Return True if the network of a run is there, or there is none as it has not finished."""
    is_there = bool(result.network) and (folder.path / result.network).exists()
    return is_there or result.state != "finished"


def network_of(folder: SweepFolder, result: RunResult) -> Checkpoint:
    """Return the final network of a run; raises ``RunFolderError`` and ``CheckpointError``."""
    if not is_kept(folder, result):
        problem = f"the network of {result.run} is not there"
        raise RunFolderError(folder.path, problem, "train it again")
    path = folder.path / result.network
    return latest_checkpoint(path).checkpoint if path.is_dir() else load_checkpoint(path)


def _losses(
    protocol: Protocol, published: Sequence[Published], networks: Sequence[Checkpoint], tasks: int
) -> dict[tuple[int, int], Ours]:
    """Return what ``networks`` lose after the shots and the step of each row."""
    found = {}
    for shots in {one.shots for one in published} if networks else ():
        steps = sorted({0, *(one.step for one in published if one.shots == shots)})
        losses = np.array([_adapted(one, protocol, shots, steps, tasks) for one in networks])
        for column, step in enumerate(steps):
            found[shots, step] = summarize(losses[..., column], losses[..., 0])
    return found


def _adapted(
    network: Checkpoint, protocol: Protocol, shots: int, steps: Sequence[int], tasks: int
) -> Losses:
    """Return the losses of a network after ``steps`` at its own inner rate, ``(tasks, n)``."""
    config = network.config
    evaluation = dataclasses.replace(
        named_protocol(protocol.evaluation, config.tasks),
        inner_lr=None,  # that of the training; methods of ours need not have the publication's
        shots=shots,
        steps=tuple(steps),
        tasks=tasks,
    )
    require_evaluation_memory(evaluation, config.tasks)
    return many_tasks(make_engine(config), network.state.theta, config, evaluation)


def summarize(losses: Losses, before: Losses) -> Ours:
    """Summarize the losses of some networks on the same tasks, ``(networks, tasks)``.

    ``before`` are those before adaptation, which show whether it has diverged.
    """
    diverged = np.array([has_diverged(*pair) for pair in zip(losses, before, strict=True)])
    sound = np.ma.masked_array(losses, diverged)
    with np.errstate(all="ignore"):
        median = number(float(np.median(losses)))
    none = Ours(
        loss=None,
        over_tasks=None,
        over_seeds=None,
        median=median,
        adaptations=losses.size,
        diverged=int(diverged.sum()),
    )
    if diverged.all():
        return none
    loss = float(sound.mean())
    tasks = Statistics.of(sound.mean(axis=0).compressed())
    seeds = SeedInterval.of(sound.mean(axis=1).compressed().tolist())
    return msgspec.structs.replace(
        none,
        loss=loss,
        over_tasks=_around(loss, (tasks.high - tasks.low) / 2),
        over_seeds=_around(loss, seeds.margin) if seeds.n > 1 else None,
    )


def _around(loss: float, margin: float) -> Interval:
    return Interval(loss - margin, loss + margin)


def _verdict(published: Published, ours: Ours | None) -> Verdict | None:
    if published.interval is None or ours is None:
        return None
    if ours.interval is None:
        return "diverged"
    return verdict(
        published.interval, ours.interval, diverged=ours.diverged, is_clear=not published.doubt
    )
