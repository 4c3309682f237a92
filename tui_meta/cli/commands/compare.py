"""``tui-meta compare``: a paired comparison of two networks on the same random tasks."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core import validation
from core.config import DeviceName
from core.evaluation.statistics import Statistics, has_diverged
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.sine import SineTasks
from tui_meta.cli.networks import Identity, Network, load_networks, print_headings
from tui_meta.cli.protocols import chosen_protocol, every_step, is_chosen, protocol_lines
from tui_meta.cli.tables import print_json, print_statistics
from tui_meta.console import Exit
from tui_meta.output import Output
from tui_meta.views.numbers import loss, whole


class Paired(msgspec.Struct, frozen=True):
    """Losses of both networks and their difference, a - b, listed by gradient step.

    A task of the difference has diverged if it has for either network. ``a_better`` is the share of
    tasks on which the loss of ``a`` is lower after the last step.
    """

    a: list[Statistics]
    b: list[Statistics]
    difference: list[Statistics]
    a_better: float


class Comparison(msgspec.Struct, frozen=True):
    """Two networks on the tasks of the reference implementation's evaluations."""

    a: Identity
    b: Identity
    tasks: int
    task_seed: int
    random_tasks: Paired
    random_tasks_half_range: Paired


class ProtocolComparison(msgspec.Struct, frozen=True):
    """Two networks on the same tasks of a protocol, after each of ``steps``."""

    a: Identity
    b: Identity
    protocol: EvaluationProtocol
    steps: tuple[int, ...]
    losses: Paired


def compare(
    first: Path, second: Path, given: Mapping[str, Any], *, device: DeviceName, as_json: bool
) -> int:
    """Compare the networks at ``first`` and ``second``, and print the results.

    The flags ``given`` describe a protocol, or choose the tasks of the reference implementation's
    evaluations.
    """
    protocol = chosen_protocol(given, SineTasks())
    validation.count("--tasks", protocol.tasks, low=2)
    a, b = load_networks([first, second], device, any_tasks=protocol.family is not None)
    tasks = a.checkpoint.config.tasks
    if is_chosen(given):
        protocols = [chosen_protocol(given, tasks)]
    else:
        protocols = [every_step(given, name, tasks) for name in ("source", "source-half-range")]
    results = [_paired(a, b, protocol) for protocol in protocols]
    if as_json:
        print_json(_plain(a, b, protocols, results))
        return Exit.DONE
    output = Output()
    print_headings(output, (a, b))
    for protocol, paired in zip(protocols, results, strict=True):
        title, settings = protocol_lines(given, protocol, tasks, networks=2)
        output.print_line(title, "bold")
        if is_chosen(given):
            output.print_line(settings)
        rows = {a.label: paired.a, b.label: paired.b, f"{a.label} - {b.label}": paired.difference}
        print_statistics(output, protocol.reported_steps, rows, complete=is_chosen(given))
        output.print_line(verdict(a.label, b.label, paired, protocol.last_step))
        output.print_line("")
    return Exit.DONE


def _plain(
    a: Network, b: Network, protocols: Sequence[EvaluationProtocol], results: Sequence[Paired]
) -> Comparison | ProtocolComparison:
    first = protocols[0]
    if len(protocols) == 1:
        steps = first.reported_steps
        return ProtocolComparison(a.identity, b.identity, first, steps, results[0])
    return Comparison(a.identity, b.identity, first.tasks, first.seed, *results)


def _paired(a: Network, b: Network, protocol: EvaluationProtocol) -> Paired:
    of_a, of_b = (network.losses(protocol) for network in (a, b))
    diverged = (has_diverged(of_a, of_a[:, 0]) | has_diverged(of_b, of_b[:, 0])).sum(axis=0)
    return Paired(
        Statistics.per_step(of_a),
        Statistics.per_step(of_b),
        [
            dataclasses.replace(Statistics.of(column), diverged=count)
            for column, count in zip((of_a - of_b).T, diverged.tolist(), strict=True)
        ],
        float((of_a[:, -1] < of_b[:, -1]).mean()),
    )


def verdict(a: str, b: str, paired: Paired, steps: int) -> str:
    """Return which network is better after the last of ``steps`` gradient steps, if significant."""
    last = paired.difference[-1]
    after = f"{whole(steps)} gradient step{'s' if steps != 1 else ''}"
    if not math.isfinite(last.low + last.high):
        return f"No comparison after {after}: the losses of some tasks are not finite."
    if last.low <= 0 <= last.high:
        return f"No significant difference after {after} (95% interval includes 0)."
    better, worse = (a, b) if last.mean < 0 else (b, a)
    share = paired.a_better if last.mean < 0 else 1 - paired.a_better
    return (
        f"After {after}, {better}'s loss is {loss(abs(last.mean))} lower than "
        f"{worse}'s on average; lower on {share:.0%} of tasks."
    )
