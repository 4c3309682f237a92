"""``tui-meta compare``: a paired comparison of two networks on the same random tasks."""

from pathlib import Path

import msgspec

from core import validation
from core.config import DeviceName
from core.evaluation.protocols import MANY_TASKS, MANY_TASKS_HALF_RANGE, EvaluationProtocol
from core.evaluation.statistics import Statistics
from tui_meta.cli.commands.evaluate import MOST_TASKS
from tui_meta.cli.networks import Identity, Network, load_networks, print_headings
from tui_meta.cli.tables import print_json, print_statistics
from tui_meta.console import Exit, Output
from tui_meta.views.numbers import loss, whole


class Paired(msgspec.Struct, frozen=True):
    """Losses of both networks and their difference, a - b, listed by gradient step, from 0 on.

    ``a_better`` is the share of tasks on which the loss of ``a`` is lower after the last step.
    """

    a: list[Statistics]
    b: list[Statistics]
    difference: list[Statistics]
    a_better: float


class Comparison(msgspec.Struct, frozen=True):
    """Two networks on the same tasks."""

    a: Identity
    b: Identity
    tasks: int
    task_seed: int
    random_tasks: Paired
    random_tasks_half_range: Paired


def compare(
    first: Path, second: Path, *, n_tasks: int, seed: int, device: DeviceName, as_json: bool
) -> int:
    """Compare the networks at ``first`` and ``second``, and print the results."""
    validation.count("--tasks", n_tasks, low=2, high=MOST_TASKS)
    validation.seed("--seed", seed)
    a, b = load_networks([first, second], device)
    comparison = Comparison(
        a.identity,
        b.identity,
        n_tasks,
        seed,
        random_tasks=_paired(a, b, n_tasks, seed, MANY_TASKS),
        random_tasks_half_range=_paired(a, b, n_tasks, seed, MANY_TASKS_HALF_RANGE),
    )
    if as_json:
        print_json(comparison)
    else:
        _show(Output(), a, b, comparison)
    return Exit.DONE


def _paired(
    a: Network, b: Network, n_tasks: int, seed: int, protocol: EvaluationProtocol
) -> Paired:
    of_a, of_b = (network.losses(n_tasks, seed, protocol) for network in (a, b))
    return Paired(
        Statistics.per_step(of_a),
        Statistics.per_step(of_b),
        [Statistics.of(column) for column in (of_a - of_b).T],
        float((of_a[:, -1] < of_b[:, -1]).mean()),
    )


def _show(output: Output, a: Network, b: Network, comparison: Comparison) -> None:
    print_headings(output, (a, b))
    for protocol, paired in (
        (MANY_TASKS, comparison.random_tasks),
        (MANY_TASKS_HALF_RANGE, comparison.random_tasks_half_range),
    ):
        n_tasks = whole(comparison.tasks)
        title = f"Loss on the same {n_tasks} random tasks, {protocol.support}"
        output.print_line(title, "bold")
        rows = {a.label: paired.a, b.label: paired.b, f"{a.label} - {b.label}": paired.difference}
        print_statistics(output, rows)
        output.print_line(verdict(a.label, b.label, paired))
        output.print_line("")


def verdict(a: str, b: str, paired: Paired) -> str:
    """Return which network is better after the last gradient step, if significant."""
    last = paired.difference[-1]
    steps = len(paired.difference) - 1
    if last.low <= 0 <= last.high:
        return f"No significant difference after {steps} gradient steps (95% interval includes 0)."
    better, worse = (a, b) if last.mean < 0 else (b, a)
    share = paired.a_better if last.mean < 0 else 1 - paired.a_better
    return (
        f"After {steps} gradient steps, {better}'s loss is {loss(abs(last.mean))} lower than "
        f"{worse}'s on average; lower on {share:.0%} of tasks."
    )
