"""Sessions of fake runs with several settings and seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.analysis.answers import AnyAnswer, BatteryResult
from core.analysis.battery import OnProgress
from core.analysis.questions import AnyQuestion, Battery, Live
from core.analysis.service import ignore_progress, never_cancelled
from tests.support.dashboard.canned import surveyed
from tests.support.dashboard.fake_session import FakeSession


class GroupedSession(FakeSession):
    """Answers batteries: the loss of a run follows from its inner rate and its seed."""

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        if isinstance(question, Battery):
            return self.answer(question)
        return super().ask(question, progress, cancelled)

    def answer(self, question: Battery) -> BatteryResult:
        """Return losses as ``battery_loss`` gives them, and 4.5 for the untrained network."""
        runs = self.snapshots()
        means = [
            battery_loss(runs[one.run].config) if isinstance(one, Live) else 4.5
            for one in question.sources
        ]
        found = surveyed(question)
        sources = [
            msgspec.structs.replace(one, mean=mean)
            for one, mean in zip(found.sources, means, strict=True)
        ]
        return msgspec.structs.replace(found, sources=tuple(sources))


def battery_loss(config: Mapping[str, Any]) -> float:
    """Return the loss of a run on the tasks of a battery."""
    rate, seed = config["algorithm"]["inner_lr"], config["seed"]
    return float(10 * rate * (1 + 0.1 * seed) + 0.01 * seed**2)


def grouped_session(seeds: int, *inner_rates: float, at: int = 12_300) -> GroupedSession:
    """Return runs of Reptile with each inner rate and each seed, at iterations from ``at`` on."""
    names = [f"reptile-{number + 1}" for number in range(seeds * len(inner_rates))]
    session = GroupedSession({name: at + 10 * number for number, name in enumerate(names)})
    for number, name in enumerate(names):
        config = session.snapshots()[name].config
        changed = configured(config, number % seeds, inner_rates[number // seeds])
        session.change(name, config=changed)
    return session


def configured(config: Mapping[str, Any], seed: int, inner_rate: float) -> dict[str, Any]:
    """Return ``config`` with this seed and inner rate."""
    return {
        **config,
        "seed": seed,
        "algorithm": {**config["algorithm"], "inner_lr": inner_rate},
    }
