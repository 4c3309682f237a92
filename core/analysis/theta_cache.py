"""Thetas of live runs that are kept after the runs have trained on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from core.analysis.questions import PinnedTheta
from core.analysis.theta import Theta
from core.errors import QuestionError

MOST_SEEN = 2**22
"""Bytes of what was answered with, and may be held next: some hundred thetas of a usual network."""

MOST_HELD = 2**26
"""Bytes of what is held."""


@dataclass
class _Shelf:
    """At most ``room`` bytes of thetas; what was not used for the longest goes first."""

    room: int
    thetas: OrderedDict[PinnedTheta, Theta] = field(default_factory=OrderedDict)

    def put(self, name: PinnedTheta, theta: Theta) -> None:
        self.thetas[name] = theta
        self.thetas.move_to_end(name)
        while sum(one.values.nbytes for one in self.thetas.values()) > self.room:
            self.thetas.popitem(last=False)


class ThetaCache:
    """Remembers what was seen lately, and holds what is asked for again. Threads share it."""

    def __init__(self) -> None:
        self._seen = _Shelf(MOST_SEEN)
        self._held = _Shelf(MOST_HELD)
        self._changing = threading.Lock()

    def see(self, run: str, theta: Theta) -> None:
        """A live run was asked, and had this theta."""
        with self._changing:
            self._seen.put(PinnedTheta(run, theta.iteration), theta)

    def hold(self, name: PinnedTheta) -> Theta:
        """The theta of that name, which is held from now on; raises ``QuestionError``."""
        with self._changing:
            theta = self._held.thetas.get(name) or self._seen.thetas.get(name)
            if theta is None:
                problem = f"its theta of iteration {name.iteration:,} is not kept"
                raise QuestionError(f"run {name.run!r}", problem, "choose a checkpoint")
            self._held.put(name, theta)
            return theta
