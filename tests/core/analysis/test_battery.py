"""The battery: the tasks of ``core.evaluation.adaptation``, and statistics found in another way."""

from __future__ import annotations

import dataclasses
import math
import statistics
from itertools import pairwise

import msgspec
import pytest

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.analysis.adapt import adapt
from core.analysis.answers import LARGEST_ANSWER, AnyAnswer, BatteryResult, Cancelled
from core.analysis.battery import PART, run_battery
from core.analysis.questions import MOST_POINTS, MOST_SOURCES, Adapt, Battery, Live
from core.engines import make_engine
from core.engines.torch.engine import TASKS_AT_ONCE
from core.errors import ConfigError
from core.evaluation.adaptation import many_tasks
from core.evaluation.few_shot_tasks import draw_many
from core.evaluation_protocol import EvaluationProtocol
from core.models.settings import NetworkConfig
from core.tasks.registry import chosen_family
from core.tasks.sine import SineTasks
from tests.support.live_runs import ready, trained
from tests.support.reference import Array

ANY = Live("any")
N = 300
PROTOCOL = EvaluationProtocol(tasks=N, seed=11, steps=(4,))
RIGHT_HALF = dataclasses.replace(PROTOCOL, shots=5, support_interval=(0.0, 5.0))
ONE_STEP = EvaluationProtocol(tasks=100, steps=(1,))


class Listener:
    """Hears of progress, and cancels after ``at`` parts."""

    def __init__(self, at: int = 10**9) -> None:
        self.calls: list[tuple[int, int]] = []
        self._at = at

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))

    def cancelled(self) -> bool:
        return len(self.calls) >= self._at


def battery_of_two(
    engine_name: str, listener: Listener | None = None, protocol: EvaluationProtocol = PROTOCOL
) -> BatteryResult:
    listener = listener or Listener()
    runs = [trained(engine_name), trained(engine_name, algorithm=Reptile(), seed=1)]
    question = Battery(sources=(ANY, ANY), protocol=protocol)
    found = run_battery(question, [ready(*run) for run in runs], listener, listener.cancelled)
    assert isinstance(found, BatteryResult)
    return found


def losses_of_two(engine_name: str, protocol: EvaluationProtocol = PROTOCOL) -> list[Array]:
    """The losses that ``core.evaluation.adaptation`` finds on the same tasks."""
    columns = []
    for config, state in (
        trained(engine_name),
        trained(engine_name, algorithm=Reptile(), seed=1),
    ):
        losses = many_tasks(make_engine(config), state.theta, config, protocol)
        columns.append(losses[:, -1])
    return columns


def percentile(values: Array, share: float) -> float:
    """By its definition: linear between the two nearest of the sorted values."""
    ordered = sorted(values.tolist())
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


@pytest.mark.parametrize("protocol", [PROTOCOL, RIGHT_HALF], ids=["whole range", "right half"])
def test_each_source_has_the_statistics_of_many_tasks(
    engine_name: str, protocol: EvaluationProtocol
) -> None:
    found = battery_of_two(engine_name, protocol=protocol)
    assert found.protocol == protocol
    columns = losses_of_two(engine_name, protocol)
    for source, losses in zip(found.sources, columns, strict=True):
        values = losses.tolist()
        margin = 1.96 * statistics.stdev(values) / math.sqrt(N)
        assert source.mean == pytest.approx(statistics.fmean(values))
        assert source.low == pytest.approx(statistics.fmean(values) - margin)
        assert source.high == pytest.approx(statistics.fmean(values) + margin)
        assert source.median == statistics.median(values)
        expected = [percentile(losses, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
        assert source.quantiles == pytest.approx(expected)
        assert source.diverged == 0


def test_the_hardest_tasks_have_the_losses_of_many_tasks(engine_name: str) -> None:
    found = battery_of_two(engine_name)
    for source, losses in zip(found.sources, losses_of_two(engine_name), strict=True):
        ordered = sorted(range(N), key=lambda index: -losses[index])
        assert [task.index for task in source.worst] == ordered[:10]
        assert [task.loss for task in source.worst] == losses[ordered[:10]].tolist()


def test_a_hard_task_adapted_alone_has_the_same_loss() -> None:
    worst = battery_of_two("fused").sources[0].worst[0]
    alone = adapt(Adapt(source=ANY, task=worst.task, updates=4), *ready(*trained("fused")))
    assert alone.losses[-1] == worst.loss


def test_bins_are_shared_and_logarithmic_and_count_every_loss(engine_name: str) -> None:
    found = battery_of_two(engine_name)
    ratios = [b / a for a, b in pairwise(found.bins)]
    assert ratios == pytest.approx([ratios[0]] * 30)
    for source, losses in zip(found.sources, losses_of_two(engine_name), strict=True):
        assert sum(source.counts) == N
        for lower, upper, count in list(
            zip(found.bins, found.bins[1:], source.counts, strict=False)
        )[1:-1]:
            assert count == sum(lower <= loss < upper for loss in losses.tolist())


def test_a_cell_has_the_mean_of_its_tasks(engine_name: str) -> None:
    found = battery_of_two(engine_name)
    amplitude, phase = draw_many(PROTOCOL, SineTasks()).parameters.T
    assert found.axes == ("amplitude", "phase")
    for source, losses in zip(found.sources, losses_of_two(engine_name), strict=True):
        for row, (low, high) in enumerate(pairwise(found.rows)):
            for column, (left, right) in enumerate(pairwise(found.columns)):
                inside = (low <= amplitude) & (amplitude < high)
                inside &= (left <= phase) & (phase < right)
                assert found.tasks[row][column] == inside.sum()
                mean = source.heat[row][column]
                if inside.any():
                    assert mean == pytest.approx(losses[inside].mean())
                else:
                    assert mean is None


def test_each_family_of_a_mixture_has_a_row_and_hard_tasks_say_of_which_they_are() -> None:
    mixture = chosen_family({"tasks": "sine+line+cubic"})
    run = trained("torch", tasks=mixture, algorithm=Fomaml(outer_lr=1e-5))
    question = Battery(sources=(ANY,), protocol=ONE_STEP)
    found = run_battery(question, [ready(*run)], Listener(), lambda: False)
    assert isinstance(found, BatteryResult)
    families = draw_many(ONE_STEP, mixture).parameters[:, 0].tolist()
    assert found.names == ("sine", "line", "cubic")
    assert [sum(row) for row in found.tasks] == [families.count(number) for number in range(3)]
    hard = found.sources[0].worst[0]
    assert hard.label.partition(":")[0] in found.names
    assert hard.task is not None
    assert hard.task.family == "sine+line+cubic"
    question = Adapt(source=ANY, task=hard.task, updates=1)
    theta, engine = ready(*run)
    assert adapt(question, theta, engine).losses[1] == pytest.approx(hard.loss, rel=1e-4)


def test_a_pair_has_the_interval_of_the_difference(engine_name: str) -> None:
    (pair,) = battery_of_two(engine_name).pairs
    first, second = losses_of_two(engine_name)
    differences = [a - b for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    margin = 1.96 * statistics.stdev(differences) / math.sqrt(N)
    assert (pair.first, pair.second) == (0, 1)
    assert pair.mean == pytest.approx(statistics.fmean(differences))
    assert pair.low == pytest.approx(statistics.fmean(differences) - margin)
    assert pair.high == pytest.approx(statistics.fmean(differences) + margin)
    assert pair.first_better == sum(one < 0 for one in differences) / N


def test_a_source_is_never_better_than_itself() -> None:
    run = ready(*trained())
    question = Battery(sources=(ANY, ANY), protocol=ONE_STEP)
    found = run_battery(question, [run, run], Listener(), lambda: False)
    assert isinstance(found, BatteryResult)
    (pair,) = found.pairs
    assert (pair.mean, pair.low, pair.high, pair.first_better) == (0, 0, 0, 0)


def test_the_rate_is_that_of_the_protocol_or_of_each_run() -> None:
    slow, fast = (ready(*trained(algorithm=Fomaml(inner_lr=rate))) for rate in (0.01, 0.03))

    def rates(inner_lr: float | None) -> list[float]:
        protocol = dataclasses.replace(ONE_STEP, inner_lr=inner_lr)
        question = Battery(sources=(ANY, ANY), protocol=protocol)
        found = run_battery(question, [slow, fast], Listener(), lambda: False)
        assert isinstance(found, BatteryResult)
        return [source.lr for source in found.sources]

    assert rates(None) == [0.01, 0.03]
    assert rates(0.02) == [0.02, 0.02]


def test_a_family_of_the_protocols_own_is_used_and_shown() -> None:
    family = SineTasks(amplitude=(2.0, 3.0), phase=(0.0, 1.0))
    protocol = dataclasses.replace(PROTOCOL, family=family)
    found = battery_of_two("torch", protocol=protocol)
    assert (found.rows[0], found.rows[-1]) == (2.0, 3.0)
    assert (found.columns[0], found.columns[-1]) == (0.0, 1.0)
    for source, losses in zip(found.sources, losses_of_two("torch", protocol), strict=True):
        assert source.mean == pytest.approx(losses.mean())
        assert 2 <= source.worst[0].task.parameters[0] <= 3


def test_without_a_step_the_losses_are_those_before_adaptation() -> None:
    protocol = dataclasses.replace(PROTOCOL, steps=(0,))
    found = battery_of_two("torch", protocol=protocol)
    for source, losses in zip(found.sources, losses_of_two("torch", protocol), strict=True):
        assert source.mean == pytest.approx(losses.mean())


def test_progress_is_reported_after_each_part_up_to_all_tasks() -> None:
    listener = Listener()
    battery_of_two("torch", listener)
    done = [PART, 2 * PART, N, N + PART, N + 2 * PART, 2 * N]
    assert listener.calls == [(one, 2 * N) for one in done]


def test_a_part_is_a_multiple_of_the_reference_engines_batch() -> None:
    assert PART % TASKS_AT_ONCE == 0


@pytest.mark.parametrize("at", [0, 1, 4])
def test_a_cancelled_battery_ends_after_the_current_part(at: int) -> None:
    listener = Listener(at)
    run = ready(*trained())
    question = Battery(sources=(ANY, ANY), protocol=dataclasses.replace(ONE_STEP, tasks=N))
    assert run_battery(question, [run, run], listener, listener.cancelled) == Cancelled()
    assert len(listener.calls) == at


def test_tasks_that_diverge_are_counted_and_leave_other_numbers_finite() -> None:
    relu = NetworkConfig(hidden=(24, 24), activation="relu")
    run, other = ready(*trained(iterations=0, network=relu)), ready(*trained())
    # At this rate large amplitudes diverge and small ones do not.
    protocol = EvaluationProtocol(tasks=N, steps=(60,), inner_lr=0.4)
    question = Battery(sources=(ANY, ANY), protocol=protocol)
    found = run_battery(question, [run, other], Listener(), lambda: False)
    assert isinstance(found, BatteryResult)
    source = found.sources[0]
    assert 0 < source.diverged < N
    assert sum(source.counts) == N - source.diverged
    assert (source.mean, source.low, source.high) == (None, None, None)
    assert source.worst[0].loss is None
    assert source.quantiles[0] is not None
    assert found.pairs[0].mean is None
    cells = [mean for row in source.heat for mean in row]
    assert None in cells
    assert any(mean is not None for mean in cells)
    for wire in (msgspec.msgpack, msgspec.json):
        assert wire.decode(wire.encode(found), type=AnyAnswer) == found


def test_waves_of_one_amplitude_and_one_phase_fill_one_cell() -> None:
    config, state = trained(tasks=SineTasks(amplitude=(2.0, 2.0), phase=(1.0, 1.0)))
    found = run_battery(
        Battery(sources=(ANY,), protocol=ONE_STEP),
        [ready(config, state)],
        Listener(),
        lambda: False,
    )
    assert isinstance(found, BatteryResult)
    assert sum(map(sum, found.tasks)) == found.tasks[0][0] == 100


@pytest.mark.parametrize(
    "family", [SineTasks(amplitude=(1e7, 1e8)), SineTasks(phase=(0, 1e9)), SineTasks(x=(-1e9, 0))]
)
def test_waves_too_large_for_a_question_are_refused(family: SineTasks) -> None:
    config, state = trained(iterations=0, tasks=family)
    with pytest.raises(ConfigError, match="for a battery"):
        run_battery(
            Battery(sources=(ANY,), protocol=ONE_STEP),
            [ready(config, state)],
            Listener(),
            lambda: False,
        )


def test_the_largest_result_keeps_its_size_limit() -> None:
    run = ready(*trained("fused"))
    protocol = EvaluationProtocol(tasks=1_000, steps=(1,), shots=MOST_POINTS)
    question = Battery(sources=(ANY,) * MOST_SOURCES, protocol=protocol)
    found = run_battery(question, [run] * MOST_SOURCES, Listener(), lambda: False)
    assert len(msgspec.msgpack.encode(found)) <= LARGEST_ANSWER


@pytest.mark.parametrize(
    "change", [{"bins": (1.0, 1.0)}, {"tasks": ()}, {"columns": (0.0,)}, {"sources": ()}]
)
def test_an_inconsistent_answer_is_refused(change: dict[str, object]) -> None:
    plain = msgspec.to_builtins(battery_of_two("torch"))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain, **change}, BatteryResult)
