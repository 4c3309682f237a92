"""A result as one row of a table: its last validation, its budget, and what was swept."""

from typing import Any

from core.experiments.results import RunResult


def record_of(result: RunResult) -> dict[str, Any]:
    """Return a flat record; numbers that a run does not have are None."""
    last, used = result.last, result.spent
    at_end = last and (last.mean[-1], last.low[-1], last.high[-1], last.median[-1])
    names = ("validation", "low", "high", "median")
    return {
        "run": result.run,
        "group": result.group,
        "seed": result.seed,
        "state": result.state,
        "problem": result.problem,
        "iteration": result.iteration,
        "training_loss": result.training_loss,
        **dict(zip(names, at_end or (None,) * len(names), strict=True)),
        "diverged_tasks": last.diverged[-1] if last else None,
        "tasks": used.tasks,
        "points": used.points,
        "gradients": used.gradients,
        "seconds": used.seconds,
        "network": result.network,
        **result.varied,
    }
