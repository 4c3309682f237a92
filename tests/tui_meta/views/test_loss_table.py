"""The table of losses on the watch screen."""

import msgspec
import pytest

from tests.support.dashboard.watch_state import started_session, watch_state
from tui_meta.views.text import cells, plain


@pytest.mark.parametrize("width", [0, 10, 30, 40, 58, 78, 120])
def test_the_table_fits_any_width(width: int) -> None:
    table = watch_state(started_session()).table(width)
    lines = [*table.head, *(table.row(index) for index in range(table.count)), *table.foot]
    assert {cells(each) for each in lines} == {width}


def test_both_blocks_of_the_table_end_with_their_newest_row() -> None:
    table = watch_state(started_session()).table(58)
    assert table.count == 18
    last = plain(table.row(table.count - 1)).split()
    assert (last[0], last[5]) == ("12,000", "18,000")
    assert plain(table.row(0)).split() == ["│", "1,000", *plain(table.row(0)).split()[2:]]
    best_line, now = (plain(each) for each in table.foot)
    fomaml, reptile = "0.134 ± 0.027", "0.120 ± 0.024"
    assert best_line.split() == f"10,000 best {fomaml} │ 15,000 best {reptile}".split()
    assert now.split() == f"10,000 now {fomaml} │ 15,000 now {reptile}".split()


def test_the_table_of_one_run_has_its_title_and_a_row_per_evaluation() -> None:
    table = watch_state(started_session(reptile=5_000)).table(58)
    assert "Reptile" in plain(table.head[0])
    assert table.count == 5


@pytest.mark.parametrize("width", [38, 58, 78, 118])
@pytest.mark.parametrize("runs", [1, 2, 3, 4])
@pytest.mark.parametrize("validated", [True, False])
def test_the_last_lines_say_for_each_run_which_is_the_best_and_which_is_now(
    width: int, runs: int, validated: bool
) -> None:
    iterations = {f"reptile-{number}": 20_000 + number for number in range(runs)}
    state = watch_state(started_session(**iterations))
    if not validated:
        state.dashboard.history.validations.update({run: [] for run in iterations})
    best, now = (plain(each) for each in state.table(width).foot)
    assert (best.count("best"), now.count("now")) == (runs, runs)


def test_where_room_is_short_a_margin_gives_way_to_what_a_line_says() -> None:
    session = started_session(**{f"reptile-{seed}": 20_000 for seed in range(3)})
    best, now = (plain(each).split() for each in watch_state(session).table(78).foot)
    assert (best[1], now[1]) == ("best", "now")
    assert "±" not in best + now


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (78, "15,000 now 0.120 ± 0.024, 3 diverged"),
        (40, "15,000 now 0.120 ± 0.024, 3 diverged"),
        (32, "15,000 now 0.120, 3 diverged"),
        (20, "15,000 now 0.120"),
    ],
)
def test_tasks_that_diverged_are_counted_beside_the_newest_mean(width: int, expected: str) -> None:
    state = watch_state(started_session(reptile=18_000))
    (run,) = state.dashboard.history.validations
    *before, newest = state.dashboard.history.validations[run]
    diverged = msgspec.structs.replace(newest, diverged=(*newest.diverged[:-1], 3))
    state.dashboard.history.validations[run] = [*before, diverged]
    _, now = state.table(width).foot
    assert " ".join(plain(now).split()) == expected
