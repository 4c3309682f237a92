"""What the x axis of a chart counts: iterations, or what they have used."""

from collections.abc import Sequence
from typing import Literal

from core.events import Snapshot, Validated

XUnit = Literal["iterations", "tasks", "points", "gradients", "seconds"]

X_LABELS: dict[XUnit, str] = {
    "iterations": "iteration",
    "tasks": "tasks",
    "points": "points",
    "gradients": "gradient evaluations",
    "seconds": "seconds of training",
}


def in_unit(
    unit: XUnit, iterations: Sequence[float], run: Snapshot, validated: Sequence[Validated]
) -> Sequence[float]:
    """Return what ``run`` had used at ``iterations``.

    Seconds between two validations, and from the last one to the present, are interpolated.
    """
    if unit == "iterations":
        return iterations
    if unit != "seconds":
        each = getattr(run.budget, unit)
        return [each * iteration for iteration in iterations]
    import numpy as np  # late: not before the first frame

    known = {0: 0.0} | {one.iteration: one.spent.seconds for one in validated}
    known |= {run.iteration: run.elapsed}
    at = sorted(known)
    seconds: list[float] = np.interp(iterations, at, [known[each] for each in at]).tolist()
    return seconds
