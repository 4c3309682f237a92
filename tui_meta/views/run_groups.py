"""Groups of runs that differ in nothing but their seed, and the titles of groups and runs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from core.events import Snapshot
from tui_meta.views.printable import printable

_PREFIXES = ("algorithm.", "network.")
"""Tables whose settings are known by their own names."""

_LONGEST_LABEL = 48
"""Cells of a label with all settings that differ; a longer one is that of the algorithm alone."""


class RunGroup(Struct, frozen=True):
    """The places of its ``members`` among all runs, and a ``label`` that no other group has.

    A run that has no other beside it is a group of its own, and has its label as its title.
    """

    label: str
    members: tuple[int, ...]

    @property
    def is_single(self) -> bool:
        """True for a run without others."""
        return len(self.members) == 1


def titles(snapshots: Mapping[str, Snapshot]) -> dict[str, str]:
    """Return the title of each run, on all screens and in messages: the label of its group.

    Those of a group have their seeds in it.
    """
    names, runs = list(snapshots), list(snapshots.values())
    found = {}
    for group in run_groups(runs):
        for place in group.members:
            seed = "" if group.is_single else f" seed {runs[place].config['seed']}"
            found[names[place]] = f"{group.label}{seed}"
    return {name: found[name] for name in names}


def run_groups(runs: Sequence[Snapshot]) -> tuple[RunGroup, ...]:
    """Return the groups of all ``runs`` in the order of their first ones.

    Runs of unknown settings are alone, and so are equal ones with the same seed.
    """
    found: dict[object, list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault(_key(run), []).append(place)
    members = sorted(
        part
        for places in found.values()
        for part in ([places] if _is_group(runs, places) else [[place] for place in places])
    )
    labels = _numbered(_labels([runs[places[0]] for places in members]))
    return tuple(
        RunGroup(label, tuple(places)) for label, places in zip(labels, members, strict=True)
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


def _labels(leads: Sequence[Snapshot]) -> Iterator[str]:
    """Yield the algorithm of each, with those settings in which groups of it differ."""
    settings = [_settings(one.config) for one in leads]
    alike = Counter(one.algorithm for one in leads if one.config)
    shared = Counter(
        (lead.algorithm, setting)
        for lead, own in zip(leads, settings, strict=True)
        for setting in own.items()
    )
    for lead, own in zip(leads, settings, strict=True):
        count = alike[lead.algorithm]
        differing = [one for one in own.items() if shared[lead.algorithm, one] < count]
        label = " ".join([lead.title, *(f"{name}={value}" for name, value in differing)])
        yield printable(label if len(label) <= _LONGEST_LABEL else lead.title)


def _numbered(labels: Iterable[str]) -> Iterator[str]:
    """Yield the labels; the second and further ones of several equal ones with a number."""
    count = Counter[str]()
    for label in labels:
        count[label] += 1
        yield label if count[label] == 1 else f"{label} {count[label]}"


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
