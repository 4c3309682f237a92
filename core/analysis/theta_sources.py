"""Resolve the source of a question to its meta-parameters, and to an engine that adapts them."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.algorithms.optimizers import MOMENTS
from core.analysis.questions import AnySource, Live, PinnedTheta, Saved, Untrained
from core.analysis.theta_cache import Theta, ThetaCache
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Engine, untrained
from core.errors import CheckpointError, QuestionError
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.storage.paths import RECORD
from core.tasks.base import Floats

ENGINES_KEPT = 8


@dataclass(frozen=True)
class LiveRun:
    """A run of a session. ``theta`` is None before training starts; it is never written to.

    ``moments`` are the outer optimiser's vectors by name, where they are known.
    """

    config: RunConfig
    iteration: int
    theta: Floats | None
    folder: Path
    moments: Mapping[str, Floats] | None = None


FindRun = Callable[[str], LiveRun | None]
"""Returns the run of a name, or None."""


class ThetaSources:
    """Resolves the sources of questions. Its engines belong to one thread, and so does it."""

    def __init__(self, find_run: FindRun, cache: ThetaCache) -> None:
        self._find_run = find_run
        self._cache = cache
        self._engine = lru_cache(ENGINES_KEPT)(make_engine)

    def theta(self, source: AnySource) -> Theta:
        """Return finite meta-parameters; raises ``CheckpointError`` and ``QuestionError``."""
        if isinstance(source, Untrained):
            config = self._config(source.of)
            state = untrained(config)
            return Theta(config, 0, state.theta, state.moments)
        if isinstance(source, Saved):
            checkpoint = _listed(Path(source.path))
            state = checkpoint.state
            return Theta(
                _on_this_machine(checkpoint.config), state.iteration, state.theta, state.moments
            )
        if isinstance(source, PinnedTheta):
            return self._cache.pin(source)
        run = self.run(source)
        if run.theta is None:
            raise QuestionError(f"run {source.run!r}", "not started yet", "wait for it")
        if not np.isfinite(run.theta).all():
            problem = "its parameters are not finite"
            raise QuestionError(f"run {source.run!r}", problem, "choose one of its checkpoints")
        known = run.moments if MOMENTS[run.config.algorithm.outer_optimizer] else {}
        theta = Theta(run.config, run.iteration, run.theta, known)
        self._cache.remember(source.run, theta)
        return theta

    def engine(self, config: RunConfig) -> Engine:
        """Return an engine for ``config``; the latest few are kept. Raises ``EngineError``."""
        return self._engine(config)

    def folder(self, of: Live | Saved) -> Path:
        """Return the folder of a run; raises ``QuestionError``."""
        if isinstance(of, Live):
            return self.run(of).folder
        path = Path(of.path)
        # Path.is_file raises for names that are too long.
        return path.parent if os.path.isfile(path) else path

    def run(self, source: Live) -> LiveRun:
        """Return the run of that name; raises ``QuestionError``."""
        run = self._find_run(source.run)
        if run is None:
            raise QuestionError(f"run {source.run!r}", "no such run", "choose another")
        return run

    def _config(self, of: Live | Saved) -> RunConfig:
        if isinstance(of, Live):
            return self.run(of).config
        return _on_this_machine(_listed(Path(of.path)).config)


def _listed(path: Path) -> Checkpoint:
    """Load a checkpoint that was in a list of its run; raises ``CheckpointError``."""
    if os.path.exists(path.parent / RECORD) and not os.path.exists(path):
        raise CheckpointError(path, "deleted by now: newer checkpoints replace older ones")
    return load_checkpoint(path)


def _on_this_machine(config: RunConfig) -> RunConfig:
    """Return ``config`` for any engine and device: those it was trained on may be missing."""
    return dataclasses.replace(config, engine="auto", device="auto")
