"""Groups of runs that differ in nothing but their seed, and what they are called."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from core.events import Snapshot

_PREFIXES = ("algorithm.", "network.")
"""Tables whose settings are known by their own names."""


class RunGroup(Struct, frozen=True):
    """The places of its ``members`` among all runs, and a name with the settings that differ.

    A run that has no other beside it is a group of its own, with the name of the run.
    """

    label: str
    members: tuple[int, ...]

    @property
    def is_single(self) -> bool:
        """True for a run without others."""
        return len(self.members) == 1


def run_groups(runs: Sequence[Snapshot], titles: Mapping[str, str]) -> tuple[RunGroup, ...]:
    """Return the groups of all ``runs`` in the order of their first ones.

    Runs of unknown settings are alone, and so are equal ones with the same seed.
    """
    found: dict[object, list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault(_key(run), []).append(place)
    members = [
        part
        for places in found.values()
        for part in ([places] if _is_group(runs, places) else [[place] for place in places])
    ]
    labels = _labels([runs[places[0]] for places in members])
    return tuple(
        RunGroup(
            titles[runs[places[0]].run] if len(places) == 1 or labels.count(label) > 1 else label,
            tuple(places),
        )
        for places, label in sorted(zip(members, labels, strict=True))
    )


def _key(run: Snapshot) -> object:
    """Return what runs of a group share."""
    if "seed" not in run.config:
        return run.run
    settings = {name: value for name, value in run.config.items() if name != "seed"}
    return msgspec.msgpack.encode(settings, order="deterministic")


def _is_group(runs: Sequence[Snapshot], places: Sequence[int]) -> bool:
    seeds = {runs[place].config.get("seed") for place in places}
    return len(seeds) == len(places)


def _labels(leads: Sequence[Snapshot]) -> list[str]:
    """Return the algorithm of each, and those settings in which groups of it differ."""
    settings = [_settings(one.config) for one in leads]
    words = []
    for lead, own in zip(leads, settings, strict=True):
        same = [
            of for one, of in zip(leads, settings, strict=True) if one.algorithm == lead.algorithm
        ]
        differing = [name for name in own if len({of.get(name) for of in same}) > 1]
        words.append(" ".join([lead.title, *(f"{name}={own[name]}" for name in differing)]))
    return words


def _settings(config: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key, value in config.items():
        table = value if isinstance(value, dict) else {"": value}
        for name, one in table.items():
            full = f"{key}.{name}".rstrip(".")
            for prefix in _PREFIXES:
                full = full.removeprefix(prefix)
            found[full] = _words(one)
    found.pop("seed", None)
    return found


def _words(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "-".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
