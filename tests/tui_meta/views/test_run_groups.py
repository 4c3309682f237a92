"""Groups of runs that differ in nothing but their seed, and their curves over seeds."""

import msgspec
import numpy as np
import pytest

from core.evaluation.seed_interval import SeedInterval
from core.events import Curve, Snapshot
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.grouped import grouped_session
from tests.support.dashboard.watch_state import watch_state
from tui_meta.views.run_groups import run_groups, titles
from tui_meta.views.text import plain
from tui_meta.views.watch.groups import GroupStatus, SeedCurves, group_row, mean_curve
from tui_meta.views.watch.state import WatchState


def groups_of(*runs: Snapshot) -> dict[str, tuple[int, ...]]:
    return {one.label: one.members for one in run_groups(runs)}


def started(seeds: int, *inner_rates: float) -> tuple[FakeSession, WatchState]:
    session = grouped_session(seeds, *inner_rates)
    session.start()
    return session, watch_state(session)


def drawn(state: WatchState) -> list[GroupStatus]:
    found = state.lines.drawn(state.dashboard.statuses)
    assert all(isinstance(one, GroupStatus) for one in found)
    return found  # type: ignore[return-value]


def test_runs_that_differ_in_their_seed_alone_are_a_group() -> None:
    runs = list(grouped_session(3, 0.005, 0.02).snapshots().values())
    assert groups_of(*runs) == {
        "Reptile inner_lr=0.005": (0, 1, 2),
        "Reptile inner_lr=0.02": (3, 4, 5),
    }
    # Their order does not matter, nor that they stand side by side.
    assert groups_of(runs[0], runs[3], runs[1], runs[4]) == {
        "Reptile inner_lr=0.005": (0, 2),
        "Reptile inner_lr=0.02": (1, 3),
    }
    assert groups_of(*runs[:3]) == {"Reptile": (0, 1, 2)}


def test_a_run_without_others_is_alone() -> None:
    runs = list(grouped_session(2, 0.005, 0.02).snapshots().values())
    unknown = [msgspec.structs.replace(one, config={}) for one in runs[2:]]
    assert list(groups_of(*runs[:3])) == ["Reptile inner_lr=0.005", "Reptile inner_lr=0.02"]
    assert groups_of(*unknown) == {"Reptile": (0,), "Reptile 2": (1,)}


def test_equal_runs_with_the_same_seed_are_no_group() -> None:
    run, _ = grouped_session(2, 0.005).snapshots().values()
    again = msgspec.structs.replace(run, run="again")
    assert groups_of(run, again) == {"Reptile": (0,), "Reptile 2": (1,)}


def test_each_run_has_one_short_title_of_what_tells_it_from_others() -> None:
    runs = grouped_session(2, 0.005, 0.02).snapshots()
    first, second, other, _ = runs.values()
    assert titles(runs) == {
        "reptile-1": "Reptile inner_lr=0.005 seed 0",
        "reptile-2": "Reptile inner_lr=0.005 seed 1",
        "reptile-3": "Reptile inner_lr=0.02 seed 0",
        "reptile-4": "Reptile inner_lr=0.02 seed 1",
    }
    assert titles({"a": first}) == {"a": "Reptile"}
    assert titles({"a": first, "b": second}) == {"a": "Reptile seed 0", "b": "Reptile seed 1"}
    assert titles({"a": first, "b": other}) == {
        "a": "Reptile inner_lr=0.005",
        "b": "Reptile inner_lr=0.02",
    }
    assert titles({"a": first, "b": first}) == {"a": "Reptile", "b": "Reptile 2"}


def test_runs_that_differ_in_many_settings_are_numbered() -> None:
    (run,) = grouped_session(1, 0.005).snapshots().values()
    changed = {name: -1 for name in run.config["algorithm"] if name != "name"}
    far = msgspec.structs.replace(run, config={**run.config, "algorithm": changed})
    assert titles({"a": run, "b": far}) == {"a": "Reptile", "b": "Reptile 2"}


def test_a_curve_is_the_interval_over_the_seeds_that_were_validated() -> None:
    _, state = started(3, 0.005, 0.02)
    history = state.dashboard.history
    one, _ = drawn(state)
    runs = ["reptile-1", "reptile-2", "reptile-3"]
    newest = history.validations["reptile-3"].pop()
    history.add([msgspec.structs.replace(newest, mean=(None,) * len(newest.mean))])
    iterations, points = SeedCurves().of(one, history)
    assert iterations == [0, 100, 1_000, 5_000, 10_000]
    values = [[each.mean[-1] or 0.0 for each in history.validations[run]] for run in runs]
    assert points[:-1] == [
        SeedInterval.of(column) for column in list(zip(*values, strict=True))[:-1]
    ]
    assert points[-1] == SeedInterval.of([values[0][-1], values[1][-1]])


def test_the_end_of_a_curve_waits_for_seeds_that_are_about_to_reach_it() -> None:
    session, state = started(3, 0.005, 0.02)
    history, curves = state.dashboard.history, SeedCurves()
    history.validations["reptile-3"].pop()
    assert curves.of(drawn(state)[0], history).iterations[-1] == 5_000
    history.validations["reptile-3"].pop()
    assert curves.of(drawn(state)[0], history).iterations[-1] == 10_000, "it is far behind"
    session.diverge("reptile-3")
    state.dashboard.update((), session.snapshots())
    assert curves.of(drawn(state)[0], history).points[-1].n == 2


def test_only_the_curve_of_a_run_with_a_new_validation_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed = 0

    def counted(values: list[float]) -> SeedInterval:
        nonlocal computed
        computed += 1
        return interval_of(values)

    interval_of = SeedInterval.of
    session, state = started(50, 0.005, 0.02)
    monkeypatch.setattr(SeedInterval, "of", counted)
    state.arrange(120, 40)

    def look() -> int:
        nonlocal computed
        computed = 0
        state.run_lines(120, 1)
        state.plots()
        return computed

    assert look() == 2 * 5
    for run in session.snapshots():
        session.change(run, iteration=13_000)
    state.dashboard.update((), session.snapshots())
    assert look() == 0
    newest = state.dashboard.history.validations["reptile-7"][-1]
    state.dashboard.history.add([msgspec.structs.replace(newest, iteration=15_000)])
    assert look() == 5
    assert look() == 0


def test_the_training_loss_is_the_mean_of_the_seeds_that_have_come_so_far() -> None:
    session, _ = started(2, 0.005, 0.02, 0.1)
    at = [(2, 4), (4,), (3, 6)]
    losses = [(1.0, 3.0), (5.0,), (7.0, 7.0)]
    for run, iterations, values in zip(session.snapshots(), at, losses, strict=False):
        session.change(run, curve=Curve(iterations, values))
    one, two, three = drawn(watch_state(session))
    assert mean_curve(one) == Curve((2, 4), (3.0, 4.0))
    assert mean_curve(two).iterations[-1] > 6
    session.change("reptile-5", curve=Curve())
    session.change("reptile-6", curve=Curve((5,), (np.nan,)))
    assert mean_curve(three).iterations
    *_, three = drawn(watch_state(session))
    assert mean_curve(three).iterations == (5,)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_line_says_seeds_by_state_and_an_interval_over_seeds(width: int) -> None:
    session, _ = started(5, 0.005, 0.02)
    session.finish("reptile-1")
    session.finish("reptile-2")
    session.diverge("reptile-3")
    state = watch_state(session)
    one, _ = drawn(state)
    newest = state.lines.curves.of(one, state.dashboard.history).newest
    text = plain(group_row(one, newest, width, len(one.title), chosen=False, marked=True))
    assert len(text) == width
    assert "Reptile inner_lr=0.005" in text
    if width >= 80:
        assert "2 of 5 done, 1 diverged" in text
        assert " ± " in text
    if width >= 120:
        assert " ± 0.0062 over 5 seeds" in text
    if width >= 200:
        assert "2 of 5 done, 1 diverged, 2 training" in text


def test_a_group_whose_runs_have_all_diverged_is_not_done() -> None:
    session, _ = started(2, 0.005, 0.02, 0.1)
    session.diverge("reptile-1")
    session.diverge("reptile-2")
    one, *_ = drawn(watch_state(session))
    text = plain(group_row(one, None, 120, len(one.title), chosen=False, marked=True))
    assert "0 of 2 done, 2 diverged" in text
    assert "24%" in text
    assert mean_curve(one) == Curve()
