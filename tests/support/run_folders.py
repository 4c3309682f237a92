"""Run folders with any log and any checkpoint, without training."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors.numpy import save

from core import events
from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.events import AnyEvent, Evaluated, Event, Progress, Spent, Started, Validated
from core.storage.paths import checkpoint_path
from core.storage.run_index import RunSummary

NASTY = "\x1b[31mred\x1b]0;title\x07[bold]mark\tup\u202e"
"""A name that would change the terminal if it were printed unescaped."""


def stamp(iteration: int, time: float = 1_000.0) -> dict[str, Any]:
    """The header of an event."""
    return {"run": "run", "iteration": iteration, "time": time}


def started(iteration: int = 0, target: int = 1_000) -> Started:
    return Started(engine="torch", device="cpu", target=target, **stamp(iteration))


def progress(iteration: int, loss: float = 1.0) -> Progress:
    return Progress(loss=loss, **stamp(iteration))


def evaluated(iteration: int, *losses: float, probe: str = "validation") -> Evaluated:
    """A periodic evaluation, with as much to draw as a real one."""
    grid = tuple(np.linspace(-5, 5, 100).tolist())
    return Evaluated(
        probe=probe,  # type: ignore[arg-type]
        index=iteration,
        amplitude=2.0,
        phase=0.5,
        support_x=(1.0,),
        support_y=(1.0,),
        query_x=grid,
        before=grid,
        after=grid,
        losses=losses,
        training_loss=1.0,
        **stamp(iteration),
    )


def short_evaluated(iteration: int, loss: float, probe: str = "validation") -> Evaluated:
    """An evaluation without anything to draw."""
    return evaluated(iteration, 9.0, loss, probe=probe).abridged()


def validated(iteration: int, *mean: float | None) -> Validated:
    """A validation on two tasks: the mean loss after each step, with an interval of ± 10 %."""
    mean = tuple(one if one is not None and math.isfinite(one) else None for one in mean)
    low, high = (
        tuple(None if one is None else scale * one for one in mean) for scale in (0.9, 1.1)
    )
    return Validated(
        steps=tuple(range(len(mean))),
        mean=mean,
        low=low,
        high=high,
        median=mean,
        diverged=(0,) * len(mean),
        losses=(mean[-1], mean[-1]),
        spent=Spent(3 * iteration, 180 * iteration, 6 * iteration, iteration / 1_000),
        **stamp(iteration),
    )


EVERY_EVENT: list[AnyEvent] = [
    events.Started(engine="torch", device="cpu", target=10, resumed_from=None, **stamp(3)),
    events.Progress(loss=0.1 + 0.2, **stamp(3)),
    short_evaluated(3, 0.25),
    validated(3, 4.0, 0.25),
    validated(3, math.inf),
    events.Saved(path="checkpoints/run/000000003.safetensors", **stamp(3)),
    events.SaveFailed(problem="disk full", **stamp(3)),
    events.WriteRecovered(path="checkpoints/run", **stamp(3)),
    events.RolledBack(**stamp(3)),
    events.Paused(**stamp(3)),
    events.Resumed(**stamp(3)),
    events.Stepped(count=1, **stamp(3)),
    events.CommandRejected(command="step", reason="the run is training", **stamp(3)),
    events.CommandIssued(who="me on pts/1", command="save", **stamp(3)),
    events.Extended(target=20, **stamp(3)),
    events.Diverged(problem="the loss", advice="lower it", **stamp(3)),
    events.Failed(problem="fire", details="Traceback\n  two lines", **stamp(3)),
    events.Finished(**stamp(3)),
    events.Stopped(**stamp(3)),
]


def make_run(
    path: Path,
    log: Iterable[Event] = (),
    config: RunConfig | None = None,
    **record: Any,
) -> Path:
    """A run folder with this log."""
    path.mkdir(parents=True)
    described = {
        "name": path.name,
        "config": (config or RunConfig(algorithm=Fomaml(), iterations=1_000)).to_dict(),
        "engine": "torch",
        "device": "cpu",
        "versions": {"numpy": "2.4.6"},
        "python": "3.11.7",
        "host": "here",
        "processor": "abacus",
        "command_line": ["tui-meta", "--name", "a name"],
        "started": "2026-11-23T22:36:12+0000",
        **record,
    }
    (path / "run.json").write_text(json.dumps(described))
    lines = [msgspec.json.encode(event) + b"\n" for event in log]
    (path / "events.jsonl").write_bytes(b"".join(lines))
    return path


def make_checkpoint(folder: Path, iteration: int, metadata: Mapping[str, Any] = {}) -> Path:
    """A checkpoint with this ``metadata``; its one tensor does not belong to any network."""
    path = checkpoint_path(folder, iteration)
    described = {
        "format_version": 1,
        "iteration": iteration,
        "target": 1_000,
        "elapsed": 1.0,
        "recent_losses": [],
        "config": {},
        "optimizer_sha256": None,
        **metadata,
    }
    tensors = {"0.weight": np.zeros(1_000, np.float32)}
    path.write_bytes(save(tensors, {"tui-meta": json.dumps(described)}))
    return path


def run_summary(name: str, **values: object) -> RunSummary:
    """A finished run as the index has it."""
    described = {"state": "finished", "algorithm": "fomaml", "iteration": 10, "target": 20}
    return RunSummary(path=f"/runs/{name}", name=name, **{**described, **values})  # type: ignore[arg-type]
