"""``tui-meta eval``: the three evaluations of trained networks, and their losses on many tasks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.config import DeviceName
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PROBES, ProbeName, draw_task, task_fields
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.family import TaskFamily
from core.tasks.functions import TaskFunction, query_grid
from core.tasks.sine import SineTasks
from tui_meta.cli.networks import Identity, Network, load_networks, print_headings
from tui_meta.cli.protocols import chosen_protocol, every_step, is_chosen, protocol_lines
from tui_meta.cli.tables import print_chart, print_json, print_losses, print_statistics
from tui_meta.console import Exit
from tui_meta.output import Output
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plots.axis import Limits, limits_around
from tui_meta.views.plots.loss_per_step import loss_per_step_plot
from tui_meta.views.plots.plot import Plot
from tui_meta.views.plots.wave import Prediction, task_series, wave_limits, wave_plot


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One few-shot evaluation: the task, the predictions, and the loss after each gradient step.

    Points and predictions are those of curves.
    """

    amplitude: float | msgspec.UnsetType = msgspec.UNSET
    phase: float | msgspec.UnsetType = msgspec.UNSET
    support_x: list[float]
    support_y: list[float]
    query_x: list[float]
    query_y: list[float]
    before: list[float]
    after: list[float]
    losses: list[float]
    parameters: tuple[float, ...] | msgspec.UnsetType = msgspec.UNSET
    label: str | msgspec.UnsetType = msgspec.UNSET

    def function(self, family: TaskFamily) -> TaskFunction:
        """Return the task, one of ``family``."""
        known = self.parameters or (self.amplitude, self.phase)
        return TaskFunction(family, known)  # type: ignore[arg-type]


class Assessment(msgspec.Struct, frozen=True):
    """The evaluations of one network; statistics are listed by gradient step, from 0 on.

    The third evaluation, the loss per step, is that of ``half_range``: the reference implementation
    compares on its sample.
    """

    network: Identity
    standard: Evaluation
    half_range: Evaluation
    tasks: int
    task_seed: int
    random_tasks: list[Statistics]
    random_tasks_half_range: list[Statistics]


class ProtocolResult(msgspec.Struct, frozen=True):
    """The losses of one network after each of ``steps`` of a protocol."""

    network: Identity
    protocol: EvaluationProtocol
    steps: tuple[int, ...]
    losses: list[Statistics]


def evaluate(
    paths: Sequence[Path], given: Mapping[str, Any], *, device: DeviceName, as_json: bool
) -> int:
    """Evaluate the networks at ``paths`` on the same tasks, and print the results.

    The flags ``given`` describe a protocol, or choose the tasks of the reference implementation's
    evaluations.
    """
    protocol = chosen_protocol(given, SineTasks())
    networks = load_networks(paths, device, any_tasks=protocol.family is not None)
    if is_chosen(given):
        _evaluate_protocol(networks, given, as_json=as_json)
    else:
        _evaluate_reference(networks, given, as_json=as_json)
    return Exit.DONE


def _evaluate_protocol(
    networks: Sequence[Network], given: Mapping[str, Any], *, as_json: bool
) -> None:
    tasks = networks[0].checkpoint.config.tasks
    protocol = chosen_protocol(given, tasks)
    steps = protocol.reported_steps
    losses = {one.label: Statistics.per_step(one.losses(protocol)) for one in networks}
    if as_json:
        for network in networks:
            print_json(ProtocolResult(network.identity, protocol, steps, losses[network.label]))
        return
    output = Output()
    print_headings(output, networks)
    title, settings = protocol_lines(given, protocol, tasks, len(networks))
    output.print_line(title, "bold")
    output.print_line(settings)
    print_statistics(output, steps, losses, complete=True)


def _evaluate_reference(
    networks: Sequence[Network], given: Mapping[str, Any], *, as_json: bool
) -> None:
    assessments = {network.label: assess(network, given) for network in networks}
    if as_json:
        for assessment in assessments.values():
            print_json(assessment)
        return
    output = Output()
    print_headings(output, networks)
    tasks = networks[0].checkpoint.config.tasks
    standard = {label: one.standard for label, one in assessments.items()}
    half_range = {label: one.half_range for label, one in assessments.items()}
    _show_waves(output, "1. Standard", "standard", standard, tasks)
    print_losses(output, {label: one.losses for label, one in standard.items()})
    _show_waves(output, "2. Half range", "half-range", half_range, tasks)
    output.print_line("3. Loss per gradient step, same task and points as 2", "bold")
    output.print_line("")
    losses = {label: one.losses for label, one in half_range.items()}
    print_chart(output, loss_plot(losses))
    print_losses(output, losses)
    for protocol, statistics in (
        (
            every_step(given, "source", tasks),
            {label: one.random_tasks for label, one in assessments.items()},
        ),
        (
            every_step(given, "source-half-range", tasks),
            {label: one.random_tasks_half_range for label, one in assessments.items()},
        ),
    ):
        title = f"Loss on {whole(protocol.tasks)} random tasks, {protocol.support}"
        output.print_line(title, "bold")
        print_statistics(output, protocol.reported_steps, statistics)


def assess(network: Network, given: Mapping[str, Any]) -> Assessment:
    """Evaluate one network; tasks and points depend on ``given`` alone."""
    tasks = network.checkpoint.config.tasks
    full = every_step(given, "source", tasks)
    half = every_step(given, "source-half-range", tasks)
    return Assessment(
        network.identity,
        standard=_evaluation(network, "standard", full.seed),
        half_range=_evaluation(network, "half-range", full.seed),
        tasks=full.tasks,
        task_seed=full.seed,
        random_tasks=Statistics.per_step(network.losses(full)),
        random_tasks_half_range=Statistics.per_step(network.losses(half)),
    )


def _evaluation(network: Network, probe: ProbeName, seed: int) -> Evaluation:
    config = network.checkpoint.config
    task = draw_task(config.tasks, seed, PROBES[probe], 0)
    grid = query_grid(config.tasks)
    lr = config.algorithm.inner_lr
    theta = network.checkpoint.state.theta
    result = few_shot(network.engine, theta, config.tasks, task, PROBES[probe].steps, lr)
    named = task_fields(task.function, grid)
    arrays = {
        "support_x": task.support_x,
        "support_y": task.support_y,
        "query_x": grid,
        "query_y": task.function(grid),
        "before": result.before[0],
        "after": result.after[0],
    }
    drawable = config.tasks.is_curve
    points = {name: array[:, 0].tolist() if drawable else [] for name, array in arrays.items()}
    return Evaluation(**{**named, **points}, losses=result.losses[0].tolist())


def _show_waves(
    output: Output,
    title: str,
    probe: ProbeName,
    evaluations: dict[str, Evaluation],
    tasks: TaskFamily,
) -> None:
    first = next(iter(evaluations.values()))
    protocol = PROBES[probe].described(tasks)
    output.print_line(f"{title}: {first.function(tasks).label}", "bold")
    output.print_line(f"{protocol.support}, {protocol.last_step} gradient steps")
    output.print_line("")
    for label, shown in evaluations.items():
        output.print_line(f"{label}: loss {loss(shown.losses[0])} → {loss(shown.losses[-1])}")
        if tasks.is_curve:
            print_chart(output, _evaluation_plot(shown, tasks))


def _evaluation_plot(shown: Evaluation, tasks: TaskFamily) -> Plot:
    x = limits_around(tasks.x)
    function = shown.function(tasks)
    y = wave_limits(function.member, (*shown.before, *shown.after)).axis("y")
    task = task_series(function, shown.support_x, shown.support_y, x)
    prediction = Prediction(shown.query_x, shown.query_y, shown.before, shown.after)
    return wave_plot("", task, x, y, prediction)


def loss_plot(columns: dict[str, list[float]]) -> Plot:
    """Return the loss after each gradient step, on a logarithmic axis, a curve for each network."""
    losses = [value for column in columns.values() for value in column]
    steps = max(len(column) for column in columns.values()) - 1
    curves = ((label, column, index) for index, (label, column) in enumerate(columns.items()))
    return loss_per_step_plot(curves, steps, Limits.unknown("log").follow(losses).axis("loss"))
