"""Trained networks from their checkpoints, and their losses on many tasks."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.config import DeviceName
from core.engines import make_engine
from core.engines.base import Engine
from core.errors import CheckpointError
from core.evaluation.adaptation import many_tasks
from core.evaluation_protocol import EvaluationProtocol
from core.events import Spent, spent
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.storage.latest_checkpoint import LatestCheckpoint, latest_checkpoint
from core.storage.paths import folder_name
from core.training.memory import require_evaluation_memory
from tui_meta.console import print_note
from tui_meta.output import Output
from tui_meta.views.numbers import duration, whole
from tui_meta.views.printable import printable

Losses = NDArray[np.float64]


class Identity(msgspec.Struct, frozen=True):
    """The identity of a network in JSON output, with the budget of its training."""

    path: str
    algorithm: str
    iteration: int
    seed: int
    inner_lr: float
    spent: Spent


@dataclass(frozen=True)
class Network:
    """A checkpoint, ready to be adapted; ``label`` is unique within a table."""

    label: str
    path: Path
    checkpoint: Checkpoint
    engine: Engine

    @property
    def identity(self) -> Identity:
        """Identity for JSON output."""
        config = self.checkpoint.config
        return Identity(
            str(self.path),
            config.algorithm.name,
            self.checkpoint.state.iteration,
            config.seed,
            config.algorithm.inner_lr,
            self.spent,
        )

    @property
    def spent(self) -> Spent:
        """The budget that the run had used at this checkpoint."""
        checkpoint = self.checkpoint
        budget = checkpoint.config.algorithm.budget
        return spent(budget, checkpoint.state.iteration, checkpoint.elapsed)

    def losses(self, protocol: EvaluationProtocol) -> Losses:
        """Evaluate on random tasks; return query losses ``(tasks, n_reported)``.

        Raises ``EngineError`` where memory is short.
        """
        checkpoint = self.checkpoint
        require_evaluation_memory(protocol, checkpoint.config.tasks)
        return many_tasks(self.engine, checkpoint.state.theta, checkpoint.config, protocol)


def load_networks(
    paths: Sequence[Path], device: DeviceName, *, any_tasks: bool = False
) -> list[Network]:
    """Load checkpoint files, or the newest checkpoints of run folders.

    Raises ``CheckpointError``, also for networks that were trained on different tasks, unless
    ``any_tasks``: where each is evaluated on its own tasks, losses do not compare.
    """
    found = [_load(path) for path in paths]
    labels = _labels([one.path for one in found], [one.checkpoint for one in found])
    networks = []
    for label, one in zip(labels, found, strict=True):
        config = one.checkpoint.config
        if not any_tasks and config.tasks != found[0].checkpoint.config.tasks:
            other = found[0].checkpoint.config.tasks
            names = [one.name for one in dataclasses.fields(config.tasks)]
            what = f"{', '.join(names[:-1])} or {names[-1]}"
            what = what if config.tasks.name == other.name else f"{config.tasks.name} tasks"
            problem = f"its tasks differ from those of {found[0].path} ({what})"
            advice = "evaluate them one by one, or with a protocol that has tasks of its own"
            raise CheckpointError(one.path, problem, advice)
        engine = make_engine(dataclasses.replace(config, engine="auto", device=device))
        networks.append(Network(label, one.path, one.checkpoint, engine))
    return networks


def print_headings(output: Output, networks: Sequence[Network]) -> None:
    """Print three lines about each network, and an empty line."""
    for network in networks:
        config = network.checkpoint.config
        sizes = (config.tasks.inputs, *config.network.hidden, config.tasks.outputs)
        layers = f"{'-'.join(map(str, sizes))} {config.network.activation}"
        output.print_line(f"{network.label}: {network.path}")
        output.print_line(
            f"  {config.algorithm.title}, {whole(network.checkpoint.state.iteration)} iterations, "
            f"seed {config.seed}, {config.model or layers}, "
            f"inner lr {config.algorithm.inner_lr:g}"
        )
        used = network.spent
        output.print_line(
            f"  {whole(used.tasks)} tasks, {whole(used.points)} points, "
            f"{whole(used.gradients)} gradients, {duration(used.seconds)} of training"
        )
    output.print_line("")


def _load(path: Path) -> LatestCheckpoint:
    if not path.is_dir():
        return LatestCheckpoint(path, load_checkpoint(path))
    latest = latest_checkpoint(path)
    for warning in latest.warnings:
        print_note(warning)
    return latest


def _labels(files: Sequence[Path], checkpoints: Sequence[Checkpoint]) -> list[str]:
    """Return the shortest unique names: algorithms, folders, checkpoints or plain numbers."""
    candidates = (
        [checkpoint.config.algorithm.title for checkpoint in checkpoints],
        [folder_name(file.parent) for file in files],
        [f"{folder_name(file.parent)}/{int(file.stem):,}" for file in files]
        if all(file.stem.isdecimal() for file in files)
        else [file.stem for file in files],
        [f"{number}" for number in range(1, len(files) + 1)],
    )
    names = next(names for names in candidates if len(set(names)) == len(names))
    return [printable(name) for name in names]
