"""Meta-parameters of live runs, kept after training has replaced them."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.analysis.questions import PinnedTheta
from core.config import RunConfig
from core.errors import QuestionError
from core.tasks.base import Floats

RECENT_BYTES = 2**22
"""Room for thetas that answers used lately: some hundred of a usual network."""

PINNED_BYTES = 2**26
"""Room for thetas that questions have named."""


@dataclass(frozen=True)
class Theta:
    """Meta-parameters ``(n_parameters,)`` of a run at ``iteration``.

    ``moments`` are the outer optimiser's vectors by name, None where they are not known.
    """

    config: RunConfig
    iteration: int
    values: Floats
    moments: Mapping[str, Floats] | None


@dataclass
class _LeastRecentlyUsed:
    """At most ``room`` bytes of thetas; the least recently used are dropped first."""

    room: int
    thetas: OrderedDict[PinnedTheta, Theta] = field(default_factory=OrderedDict)

    def put(self, name: PinnedTheta, theta: Theta) -> None:
        self.thetas[name] = theta
        self.thetas.move_to_end(name)
        while sum(kept.values.nbytes for kept in self.thetas.values()) > self.room:
            self.thetas.popitem(last=False)


class ThetaCache:
    """Remembers recently used thetas, and pins those that are asked for again. Thread-safe."""

    def __init__(self) -> None:
        self._recent = _LeastRecentlyUsed(RECENT_BYTES)
        self._pinned = _LeastRecentlyUsed(PINNED_BYTES)
        self._lock = threading.Lock()

    def remember(self, run: str, theta: Theta) -> None:
        """Keep a theta of the live run ``run`` for a while."""
        with self._lock:
            self._recent.put(PinnedTheta(run, theta.iteration), theta)

    def pin(self, name: PinnedTheta) -> Theta:
        """Return the theta of that name and keep it longer; raises ``QuestionError``."""
        with self._lock:
            theta = self._pinned.thetas.get(name) or self._recent.thetas.get(name)
            if theta is None:
                problem = f"its theta of iteration {name.iteration:,} is not kept"
                raise QuestionError(f"run {name.run!r}", problem, "choose a checkpoint")
            self._pinned.put(name, theta)
            return theta
