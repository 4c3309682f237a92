"""Folders of sweeps with made-up results."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.events import Spent, Validated, Validation
from core.experiments.results import RunResult, identity
from core.experiments.specification import PlannedRun
from core.experiments.sweep_folder import SweepFolder

CURVE = (0, 10, 20, 30)
"""The iterations at which the runs were validated."""

SECONDS = 2.0
"""Of training, for each run."""


def result(
    run: PlannedRun,
    mean: float | None,
    state: Any = "finished",
    time: float = 0.0,
    diverged: int = 0,
) -> RunResult:
    """Return a result with this loss on a single task after the last step."""
    columns: Any = dict.fromkeys(("mean", "low", "high", "median"), (mean,))
    spent = Spent(1, 1, 1, SECONDS)
    last = Validated(run=run.name, iteration=CURVE[-1], time=0.0, steps=(2,), diverged=(diverged,),
                     losses=(mean,), spent=spent, **columns)  # fmt: skip
    curve = [(at, mean * (1 + 9 * math.exp(-at / 10))) for at in CURVE] if mean else []
    return RunResult(
        **{**identity(run), "host": "here", "time": time},
        state=state,
        iteration=CURVE[-1],
        spent=spent,
        training_loss=None if mean is None else 2 * mean,
        problem="" if state == "finished" else "the loss is no longer finite",
        validations=tuple(Validation(at, loss, 0.8 * loss, 1.2 * loss) for at, loss in curve),
        last=last,
    )


def loss_of(run: PlannedRun) -> float:
    """Return a loss that depends on settings and seed: lowest at a rate of 0.02."""
    algorithm, hidden = run.config.algorithm, run.config.network.hidden
    distance = abs(math.log10(algorithm.inner_lr / 0.02))
    luck = 0.02 * (run.config.seed % 5) * (1 + 3 * distance)
    return 0.05 * (1 + distance + 2 / hidden[0] + luck)


def write_results(folder: Path, results: Iterable[RunResult], name: str = "worker") -> None:
    """Append results to the file of a process."""
    path = SweepFolder(folder).results_path
    path.mkdir(exist_ok=True)
    with (path / f"{name}.jsonl").open("ab") as file:
        file.writelines(msgspec.json.encode(one) + b"\n" for one in results)


def make_sweep(
    folder: Path,
    table: Mapping[str, Any],
    outcome: Callable[[PlannedRun], RunResult | None] = lambda run: result(run, loss_of(run)),
) -> list[PlannedRun]:
    """Make the folder of a sweep, in which runs have the results that ``outcome`` gives them."""
    runs = SweepFolder(folder).specify(table).expand()
    write_results(folder, [one for run in runs if (one := outcome(run))])
    return runs
