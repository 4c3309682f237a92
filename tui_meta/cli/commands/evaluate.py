"""``tui-meta eval``: the three evaluations of trained networks, and their losses on many tasks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.config import DeviceName
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PROBES, ProbeName, draw_task
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.sine import SineTasks, SineWave
from core.tasks.sine_sampler import query_grid
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


class Evaluation(msgspec.Struct, frozen=True):
    """One few-shot evaluation: the task, the predictions, and the loss after each gradient step."""

    amplitude: float
    phase: float
    support_x: list[float]
    support_y: list[float]
    query_x: list[float]
    query_y: list[float]
    before: list[float]
    after: list[float]
    losses: list[float]


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
    waves = networks[0].checkpoint.config.waves
    protocol = chosen_protocol(given, waves)
    steps = protocol.reported_steps
    losses = {one.label: Statistics.per_step(one.losses(protocol)) for one in networks}
    if as_json:
        for network in networks:
            print_json(ProtocolResult(network.identity, protocol, steps, losses[network.label]))
        return
    output = Output()
    print_headings(output, networks)
    title, settings = protocol_lines(given, protocol, waves, len(networks))
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
    waves = networks[0].checkpoint.config.waves
    standard = {label: one.standard for label, one in assessments.items()}
    half_range = {label: one.half_range for label, one in assessments.items()}
    _show_waves(output, "1. Standard", "standard", standard, waves)
    print_losses(output, {label: one.losses for label, one in standard.items()})
    _show_waves(output, "2. Half range", "half-range", half_range, waves)
    output.print_line("3. Loss per gradient step, same task and points as 2", "bold")
    output.print_line("")
    losses = {label: one.losses for label, one in half_range.items()}
    print_chart(output, loss_plot(losses))
    print_losses(output, losses)
    for protocol, statistics in (
        (
            every_step(given, "source", waves),
            {label: one.random_tasks for label, one in assessments.items()},
        ),
        (
            every_step(given, "source-half-range", waves),
            {label: one.random_tasks_half_range for label, one in assessments.items()},
        ),
    ):
        title = f"Loss on {whole(protocol.tasks)} random tasks, {protocol.support}"
        output.print_line(title, "bold")
        print_statistics(output, protocol.reported_steps, statistics)


def assess(network: Network, given: Mapping[str, Any]) -> Assessment:
    """Evaluate one network; tasks and points depend on ``given`` alone."""
    waves = network.checkpoint.config.waves
    full = every_step(given, "source", waves)
    half = every_step(given, "source-half-range", waves)
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
    task = draw_task(config.waves, seed, PROBES[probe], 0)
    grid = query_grid(config.waves)
    lr = config.algorithm.inner_lr
    theta = network.checkpoint.state.theta
    result = few_shot(network.engine, theta, config.waves, task, PROBES[probe].steps, lr)
    return Evaluation(
        task.wave.amplitude,
        task.wave.phase,
        task.support_x.tolist(),
        task.support_y.tolist(),
        grid.tolist(),
        task.wave(grid).tolist(),
        result.before[0].tolist(),
        result.after[0].tolist(),
        result.losses[0].tolist(),
    )


def _show_waves(
    output: Output,
    title: str,
    probe: ProbeName,
    evaluations: dict[str, Evaluation],
    waves: SineTasks,
) -> None:
    first = next(iter(evaluations.values()))
    protocol = PROBES[probe].described(waves)
    output.print_line(f"{title}: {SineWave(first.amplitude, first.phase).label}", "bold")
    output.print_line(f"{protocol.support}, {protocol.last_step} gradient steps")
    output.print_line("")
    for label, shown in evaluations.items():
        output.print_line(f"{label}: loss {loss(shown.losses[0])} → {loss(shown.losses[-1])}")
        print_chart(output, _evaluation_plot(shown, waves))


def _evaluation_plot(shown: Evaluation, waves: SineTasks) -> Plot:
    x = limits_around(waves.x)
    y = wave_limits(waves, (*shown.before, *shown.after)).axis("y")
    task = task_series(shown.amplitude, shown.phase, shown.support_x, shown.support_y, x)
    prediction = Prediction(shown.query_x, shown.query_y, shown.before, shown.after)
    return wave_plot("", task, x, y, prediction)


def loss_plot(columns: dict[str, list[float]]) -> Plot:
    """Return the loss after each gradient step, on a logarithmic axis, a curve for each network."""
    losses = [value for column in columns.values() for value in column]
    steps = max(len(column) for column in columns.values()) - 1
    curves = ((label, column, index) for index, (label, column) in enumerate(columns.items()))
    return loss_per_step_plot(curves, steps, Limits.unknown("log").follow(losses).axis("loss"))
