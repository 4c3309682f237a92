"""Which runs a reproduction needs: protocols and seeds, expanded into those of a sweep."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.experiments.specification import PlannedRun, merged, run_config, specification_of
from core.experiments.sweep_folder import SweepFolder
from core.reproduction.protocol import TASKS, Method, Protocol
from core.reproduction.protocols import PROTOCOLS


@dataclass(frozen=True)
class Training:
    """The ``group`` of runs that trains a method: its ``entry`` of ``[[runs]]``.

    Methods with the same settings share one, which has the name of the first.
    """

    group: str
    entry: Mapping[str, Any]
    iterations: int
    published_iterations: int


@functools.cache
def trainings(iterations: int | None = None) -> Mapping[tuple[str, str], Training]:
    """Return the training of each method, by the names of its protocol and of itself.

    With ``iterations``, all have that many instead of their publication's.
    """
    known: dict[RunConfig, Training] = {}
    found = {}
    for protocol in PROTOCOLS.values():
        for method in protocol.methods:
            settings = _settings(protocol, method)
            config = run_config(method.algorithm, settings)
            of_publication = config.iterations
            group = f"{protocol.name}.{method.name}"
            entry = {"name": group, "algorithm": method.algorithm, **settings}
            if iterations:
                entry["iterations"] = iterations
            training = Training(group, entry, iterations or of_publication, of_publication)
            found[protocol.name, method.name] = known.setdefault(config, training)
    return found


def _settings(protocol: Protocol, method: Method) -> dict[str, Any]:
    """Return all settings of a method, without those of other algorithms."""
    settings = merged(protocol.settings, method.settings)
    others = ALGORITHMS.keys() - {method.algorithm}
    return {key: value for key, value in settings.items() if key not in others}


@dataclass(frozen=True)
class Reproduction:
    """The methods of the protocols ``names``, each with ``seeds``, evaluated on ``tasks``.

    With ``iterations`` each run has that many, which is not what was published.
    """

    names: Sequence[str]
    seeds: Sequence[int]
    iterations: int | None = None
    tasks: int = TASKS

    @property
    def trainings(self) -> dict[str, Training]:
        """What is trained, by group."""
        known = trainings(self.iterations)
        found = [one for (name, _), one in known.items() if name in self.names]
        return {one.group: one for one in found}

    def runs(self, folder: SweepFolder) -> list[PlannedRun]:
        """Return the runs; write them to ``folder`` beside those that it has.

        Raises ``LabError``.
        """
        specification = folder.specify(self.table(folder.settings() or {}))
        return self.among(specification.expand())

    def among(self, runs: Sequence[PlannedRun]) -> list[PlannedRun]:
        """Return those of ``runs`` that are part of this."""
        groups = self.trainings
        return [one for one in runs if one.group in groups and one.config.seed in self.seeds]

    def table(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return a specification that also has the runs of the one ``before``."""
        known = specification_of(before) if before else None
        present = {one.name for one in known.variants} if known else set()
        wanted = present | self.trainings.keys()
        entries = {one.group: one.entry for one in trainings(self.iterations).values()}
        return {
            "runs": [dict(entry) for group, entry in entries.items() if group in wanted],
            "seeds": sorted({*self.seeds, *((known and known.seeds) or ())}),
        }
