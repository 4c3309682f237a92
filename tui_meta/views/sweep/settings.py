"""A setting that differs among the groups of a sweep: its values in order, and its scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tui_meta.views.plots.axis import Scale
from tui_meta.views.sweep.words import setting_words

_WIDE = 10.0
"""Two numbers that are so many times apart are on a logarithmic scale."""

Order = tuple[int, float, str]


@dataclass(frozen=True)
class Setting:
    """A setting and its distinct ``values``, numbers first; ``is_partial``: not all groups have it.

    Values that are not numbers are categories. The ``title`` is the name, or as much of it as tells
    it from others.
    """

    name: str
    title: str
    values: Sequence[Any]
    is_partial: bool = False

    @property
    def is_numeric(self) -> bool:
        """True if all values are numbers."""
        return all(map(is_number, self.values))

    @property
    def scale(self) -> Scale:
        """The scale on which numbers are spaced more evenly."""
        if not self.is_numeric or len(self.values) < 2 or self.values[0] <= 0:
            return "linear"
        if len(self.values) == 2:
            return "log" if self.values[1] / self.values[0] >= _WIDE else "linear"
        logs = [math.log10(one) for one in self.values]
        return "log" if _unevenness(logs) < _unevenness(self.values) else "linear"

    def named(self, value: object) -> str:
        """Return a value in words; a number does not speak for itself."""
        words = setting_words(value)
        return f"{self.title}={words}" if self.is_numeric else words

    def place(self, value: object) -> float:
        """Return the position of one of the values: on the scale, or its number as a category."""
        if not self.is_numeric:
            return float([*map(setting_words, self.values)].index(setting_words(value)))
        assert isinstance(value, (int, float))
        return math.log10(value) if self.scale == "log" else float(value)


def titles_of(names: Sequence[str]) -> Mapping[str, str]:
    """Return each name without that of its table, where no other one has the same."""
    short = {name: name.rpartition(".")[2] for name in names}
    count = Counter(short.values())
    return {name: title if count[title] == 1 else name for name, title in short.items()}


def setting_of(name: str, title: str, values: Sequence[Any]) -> Setting:
    """Return a setting from its value in each group, None where it has none."""
    distinct = {setting_words(one): one for one in values if one is not None}
    ordered = sorted(distinct.values(), key=order_of)
    return Setting(name, title, tuple(ordered), any(one is None for one in values))


def is_number(value: object) -> bool:
    """Return True for a number; a switch is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def order_of(value: object) -> Order:
    """Return what values are sorted by: numbers, then words, then those that have none."""
    if value is None:
        return 2, 0.0, ""
    if is_number(value):
        return 0, float(value), ""  # type: ignore[arg-type]
    return 1, 0.0, setting_words(value)


def _unevenness(places: Sequence[float]) -> float:
    steps = [after - before for before, after in pairwise(places)]
    return max(steps) / min(steps)
