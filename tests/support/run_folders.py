"""Run folders made by hand: any log, any checkpoint, without training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors.numpy import save

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.events import Evaluated, Event, Progress, Started

NASTY = "\x1b[31mred\x1b]0;title\x07[bold]mark\tup\u202e"
"""A name that paints the screen of whoever shows it as it is."""


def stamp(iteration: int, time: float = 1_000.0) -> dict[str, Any]:
    """What every event begins with."""
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


def make_run(
    path: Path,
    events: Iterable[Event] = (),
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
    lines = [msgspec.json.encode(event) + b"\n" for event in events]
    (path / "events.jsonl").write_bytes(b"".join(lines))
    return path


def make_checkpoint(folder: Path, iteration: int, described: Mapping[str, Any] = {}) -> Path:
    """A checkpoint whose header says ``described``; its one tensor is of no network."""
    path = folder / f"{iteration:09d}.safetensors"
    header = {"iteration": iteration, "target": 1_000, **described}
    tensors = {"0.weight": np.zeros(1_000, np.float32)}
    path.write_bytes(save(tensors, {"tui-meta": json.dumps(header)}))
    return path
