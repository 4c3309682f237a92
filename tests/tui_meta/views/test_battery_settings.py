"""What a survey will ask, and where its parts stand at any size."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.questions import MOST_SOURCES, Live, Untrained
from core.errors import ConfigError
from core.evaluation_protocol import ProtocolName, named_protocol
from core.tasks.sine import SineTasks
from tui_meta.views.battery.layout import PANELS, WORST, arrange
from tui_meta.views.battery.settings import COUNTS, HINT, BatterySettings, introduction
from tui_meta.views.geometry.picture import number_rows, side_by_side
from tui_meta.views.keys.keymap import usual_key
from tui_meta.views.text import cells, plain

SIZES = st.integers(1, 400), st.integers(1, 120)


def test_a_survey_asks_all_runs_and_the_first_one_s_initialisation() -> None:
    question = BatterySettings(n_tasks=300, seed=4).question(["a", "b"], SineTasks())
    assert question.sources == (Live("a"), Live("b"), Untrained(Live("a")))
    protocol = question.protocol
    assert (protocol.tasks, protocol.seed, protocol.last_step) == (300, 4, 32)


@pytest.mark.parametrize("name", get_args(ProtocolName))
def test_a_named_protocol_is_asked_with_the_chosen_tasks_and_seed(name: ProtocolName) -> None:
    question = BatterySettings(name, n_tasks=300, seed=4).question(["a"], SineTasks())
    expected = dataclasses.replace(named_protocol(name, SineTasks()), tasks=300, seed=4)
    assert question.protocol == expected


def test_all_named_protocols_come_in_turn() -> None:
    settings = BatterySettings(n_tasks=300, seed=4, shots=7)
    met = []
    for _ in get_args(ProtocolName):
        settings = settings.next_protocol()
        met.append((settings.name, settings.n_tasks, settings.seed, settings.shots))
    assert {name for name, *_ in met} == set(get_args(ProtocolName))
    assert {tuple(others) for _, *others in met} == {(300, 4, None)}


def test_typed_settings_are_asked() -> None:
    text = "tasks=200 seed=3 shots=7 steps=12 inner-lr=0.05 support-interval=-2,2.5"
    settings = BatterySettings().typed(text, SineTasks())
    protocol = settings.question(["a"], SineTasks()).protocol
    assert (protocol.tasks, protocol.seed, protocol.shots, protocol.last_step) == (200, 3, 7, 12)
    assert (protocol.inner_lr, protocol.support_interval) == (0.05, (-2.0, 2.5))
    assert settings.typed(settings.text, SineTasks()) == settings
    assert BatterySettings().typed(HINT, SineTasks()).name == "finn-5-shot"
    assert (settings.more(1).n_tasks, settings.more(-1).n_tasks) == (300, 100)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("finn-6-shot", "must be one of source, source-half-range, finn-5-shot, finn-10-shot"),
        ("source shot=5", "must be one of tasks, seed, shots, steps, inner-lr, support-interval"),
        ("shots=few", "must be a number"),
        ("shots=0", "must be a whole number from 1"),
        ("shots=101", "must be a whole number from 1 to 100"),
        ("steps=-1", "must be whole numbers from 0"),
        ("tasks=20000", "must be a whole number from 100 to 10,000"),
        ("inner-lr=-1", "must be a finite number above 0"),
        ("support-interval=5", "must be a number"),
        ("support-interval=5,0", "the lower first"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        BatterySettings().typed(text, SineTasks())
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_of_very_many_runs_as_many_are_asked_as_a_survey_takes() -> None:
    question = BatterySettings().question([str(n) for n in range(20)], SineTasks())
    assert len(question.sources) == MOST_SOURCES


@pytest.mark.slow
@given(st.lists(st.integers(-9, 9)))
def test_the_number_of_tasks_stays_within_what_there_is(steps: list[int]) -> None:
    settings = BatterySettings()
    for step in steps:
        settings = settings.more(step).reseeded(step)
    assert settings.n_tasks in COUNTS
    assert settings.seed >= 0


@pytest.mark.parametrize("width", [1, 40, 60, 80, 200])
@pytest.mark.parametrize("selected", [True, False])
def test_the_settings_fit_any_width(width: int, selected: bool) -> None:
    assert cells(BatterySettings().line(width, SineTasks(), selected=selected)) == width


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (70, "1,000 tasks, 5 points from [0, 5], 10 gradient steps, seed 0"),
        (60, "1,000 tasks, 5 points from [0, 5], 10 steps, seed 0"),
        (50, "1,000 tasks, source-half-range, seed 0"),
    ],
)
def test_the_settings_name_the_half_of_the_range_at_every_width(width: int, said: str) -> None:
    shown = BatterySettings("source-half-range").line(width, SineTasks(), selected=True)
    assert plain(shown).rstrip() == f"▸ next: {said}"


def test_the_introduction_names_the_key_to_press() -> None:
    assert "Press e to start." in plain(introduction(80, usual_key, SineTasks(), running=False)[-1])
    assert all(cells(one) <= 60 for one in introduction(60, usual_key, SineTasks(), running=False))
    assert not any(
        "e to start" in plain(one) for one in introduction(80, usual_key, SineTasks(), running=True)
    )


@given(*SIZES, st.integers(2, 8), st.sampled_from(PANELS))
def test_the_battery_takes_no_more_rows_and_columns_than_there_are(
    width: int, height: int, sources: int, panel: str
) -> None:
    made = arrange(width, height, sources, panel)
    head = 1 + sources + (0 if made.brief else sources)
    rows = height - head
    if made.above:
        assert rows >= 5
        assert set(made.above) <= set(PANELS)
    if made.maps:
        assert rows - made.map_rows >= 12
        assert made.maps * 38 <= width
    if made.turns:
        assert set(made.turns) & set(made.above)


@given(*SIZES, st.integers(2, 8))
def test_the_worst_tasks_can_be_seen_wherever_there_is_a_panel(
    width: int, height: int, sources: int
) -> None:
    made = arrange(width, height, sources, WORST)
    assert WORST in made.above or not made.above


@given(st.integers(1, 400), st.integers(1, 12), st.data())
def test_the_chosen_run_s_picture_is_shown(width: int, runs: int, data: st.DataObject) -> None:
    chosen = data.draw(st.integers(0, runs - 1))
    shown = side_by_side(width, runs, chosen)
    assert chosen in shown
    assert 0 <= shown.start < shown.stop <= runs
    assert len(shown) == 1 or len(shown) * 60 <= width


def test_numbers_give_way_to_the_picture() -> None:
    assert number_rows(20, 5) == 5
    assert number_rows(9, 5) == 3
    assert number_rows(4, 5) == 0
