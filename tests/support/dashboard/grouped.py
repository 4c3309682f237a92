"""Sessions of fake runs with several settings and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.dashboard.fake_session import FakeSession


def grouped_session(seeds: int, *inner_rates: float, at: int = 12_300) -> FakeSession:
    """Return runs of Reptile with each inner rate and each seed, at iterations from ``at`` on."""
    names = [f"reptile-{number + 1}" for number in range(seeds * len(inner_rates))]
    session = FakeSession({name: at + 10 * number for number, name in enumerate(names)})
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
