"""The settings of the Lab, by steps and by typing, and the lines that show them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.answers import RunHistory, SavedTheta
from core.analysis.questions import Live, Saved, Untrained
from core.errors import ConfigError, QuestionError
from core.evaluation.few_shot_tasks import PRESETS
from core.tasks.registry import chosen_family
from core.tasks.sine import SineTasks
from tests.support.dashboard.answers import SOURCES, adapted
from tui_meta.views.lab import settings as lab_settings
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.pending_queries import Answers
from tui_meta.views.lab.settings import RANDOM, LabSettings, Origin, settings_of
from tui_meta.views.lab.text import head_lines, loss_lines, shape, task_line
from tui_meta.views.numbers import loss
from tui_meta.views.text import cells, plain

RUNS = (Origin("FOMAML", "fomaml"), Origin("Reptile", "reptile"))
LAB_SETTINGS = LabSettings(lab.begin(SineTasks()), RUNS)
SETTINGS = settings_of(LAB_SETTINGS.lab)
NAMES = [setting.name for setting in SETTINGS]


def past(*iterations: int) -> RunHistory:
    saved = tuple(
        SavedTheta(name=f"{at:09d}.safetensors", iteration=at, kind="auto") for at in iterations
    )
    return RunHistory(folder="checkpoints/reptile", checkpoints=saved, damaged=0, evaluations=())


def on(name: str, settings: LabSettings = LAB_SETTINGS) -> LabSettings:
    """With the setting of that name chosen."""
    return replace(settings, chosen=NAMES.index(name))


def value(name: str, settings: LabSettings) -> str:
    return SETTINGS[NAMES.index(name)].value(settings.lab)


KNOWN = replace(
    lab_settings.recalled(LAB_SETTINGS, "reptile", past(100, 200, 300)), chosen=len(SETTINGS) + 1
)
"""With the theta of Reptile chosen, which has three checkpoints."""


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("amplitude", "3.50", "4.50"),
        ("phase", "0.75", "1.25"),
        ("points", "9", "11"),
        ("from", "left half", "right half"),
        ("noise", "0", "0.1"),
        ("steps", "31", "33"),
        ("inner lr", "0.01", "0.05"),
    ],
)
def test_less_and_more_change_one_setting(name: str, less: str, more: str) -> None:
    before = {other: value(other, LAB_SETTINGS) for other in NAMES}
    for by, expected in ((-1, less), (1, more)):
        changed = lab_settings.turn(on(name), by)
        after = {other: value(other, changed) for other in NAMES}
        assert after == {**before, name: expected}


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("amplitude", "-7.125", "-7.12"),
        ("phase", "1e-1", "0.10"),
        ("points", "50", "50"),
        ("from", "left", "left half"),
        ("noise", "0.75", "0.75"),
        ("steps", "1000", "1,000"),
        ("inner lr", " 0.003 ", "0.003"),
        ("inner lr", "own", "own"),
    ],
)
def test_a_value_is_typed(name: str, text: str, shown: str) -> None:
    assert value(name, lab_settings.type_in(on(name), text)) == shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("amplitude", "tall"),
        ("amplitude", "nan"),
        ("phase", ""),
        ("phase", "inf"),
        ("points", "0"),
        ("points", "2.5"),
        ("points", "9" * 5_000),
        ("from", "middle"),
        ("from", ""),
        ("noise", "-1"),
        ("steps", "1001"),
        ("steps", "²"),
        ("inner lr", "0"),
        ("inner lr", "mine"),
    ],
)
def test_what_cannot_be_typed_is_one_line_that_names_the_setting(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        lab_settings.type_in(on(name), text)
    assert "\n" not in str(refused.value)
    assert refused.value.requirement


@given(st.text(max_size=20), st.integers(0, len(SETTINGS) + 1))
def test_any_text_is_taken_or_refused(text: str, chosen: int) -> None:
    settings = replace(KNOWN, chosen=chosen)
    with suppress(ConfigError, QuestionError):
        assert lab_settings.type_in(settings, text).chosen == chosen


def test_a_task_of_a_mixture_has_its_family_and_the_parameters_of_that() -> None:
    mixture = chosen_family({"tasks": "sine+line+cubic"})
    settings = LabSettings(lab.begin(mixture), RUNS)
    names = [one.name for one in settings_of(settings.lab)]
    assert names[:4] == ["family", "amplitude", "phase", "points"]
    line = lab_settings.turn(settings, 1)
    assert [one.name for one in settings_of(line.lab)][:4] == [
        *("family", "slope", "intercept", "points"),
    ]
    assert settings_of(line.lab)[0].value(line.lab) == "line"
    assert line.lab.function.label == "line: 1.50·x + 1.50"
    assert line.lab.task.support_x == settings.lab.task.support_x
    assert line.lab.task.support_y == pytest.approx(
        [1.5 * x + 1.5 for x in line.lab.task.support_x]
    )
    steeper = lab_settings.turn(lab_settings.choose(line, 1), 2)
    assert steeper.lab.function.label == "line: 2.10·x + 1.50"
    assert lab_settings.turn(settings, -1).lab.function.label.startswith("cubic: ")
    assert lab_settings.type_in(steeper, "1").lab.function.label == "line: 1.00·x + 1.50"
    assert lab_settings.type_in(line, "cub").lab.function.label.startswith("cubic: ")
    with pytest.raises(ConfigError, match="one of sine, line, cubic"):
        lab_settings.type_in(line, "square")


def test_choosing_goes_round_all_settings_and_thetas() -> None:
    seen = []
    settings = LAB_SETTINGS
    for _ in range(len(SETTINGS) + 2):
        seen.append(lab_settings.prompt(settings)[0])
        settings = lab_settings.choose(settings, 1)
    assert seen == [*NAMES, "θ of FOMAML", "θ of Reptile"]
    assert settings == LAB_SETTINGS
    assert lab_settings.choose(LAB_SETTINGS, -1).origin == 1


def test_every_source_is_asked_the_same_and_a_random_one_too() -> None:
    asked = lab_settings.questions(LAB_SETTINGS)
    assert [one.source for one in asked.values()] == [
        Live("fomaml"), Live("reptile"), Untrained(Live("fomaml")),
    ]  # fmt: skip
    assert list(asked)[2] == RANDOM
    assert {(one.task, one.updates) for one in asked.values()} == {(LAB_SETTINGS.lab.task, 32)}


# Whose theta.


def test_less_goes_to_older_checkpoints_and_more_back_to_the_live_theta() -> None:
    settings, seen = KNOWN, []
    for by in (-1, -1, -1, -1, 1, 1, 1, 1):
        settings = lab_settings.turn(settings, by)
        source = settings.origins[1].source
        seen.append(source.path[-15:-12] if isinstance(source, Saved) else "live")
    assert seen == ["300", "200", "100", "100", "200", "300", "live", "live"]
    assert settings.origins[0].source == Live("fomaml")


def test_an_iteration_that_is_typed_chooses_the_checkpoint_at_or_before_it() -> None:
    def at(text: str) -> str:
        source = lab_settings.type_in(KNOWN, text).origins[1].source
        return source.path if isinstance(source, Saved) else "live"

    assert at("200") == at("299") == "checkpoints/reptile/000000200.safetensors"
    assert at("7") == "checkpoints/reptile/000000100.safetensors"
    assert at("live") == "live"


def test_a_run_without_checkpoints_shows_that_and_stays_live() -> None:
    for settings in (
        replace(LAB_SETTINGS, chosen=KNOWN.chosen),
        replace(lab_settings.recalled(LAB_SETTINGS, "reptile", past()), chosen=KNOWN.chosen),
    ):
        with pytest.raises(QuestionError, match="no checkpoint"):
            lab_settings.turn(settings, -1)


def test_a_checkpoint_that_is_gone_gives_way_to_the_one_before() -> None:
    at_200 = lab_settings.type_in(KNOWN, "200")
    later = lab_settings.recalled(at_200, "reptile", past(100, 300, 400))
    assert later.origins[1].source == Saved("checkpoints/reptile/000000100.safetensors")
    none = lab_settings.recalled(at_200, "reptile", past())
    assert none.origins[1].source == Live("reptile")


# Lines.


def answers(settings: LabSettings) -> Answers:
    return {
        title: adapted(question) for title, question in lab_settings.questions(settings).items()
    }


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_present_preset_is_marked(preset: str) -> None:
    settings = replace(LAB_SETTINGS, lab=lab.choose(LAB_SETTINGS.lab, preset))  # type: ignore[arg-type]
    marked = [span.text for span in head_lines(settings, "usual", 80)[0] if "reverse" in span.style]
    assert marked == [preset.replace("-", " ")]


def test_all_presets_and_settings_stand_in_80_columns() -> None:
    presets, task, how = (plain(one) for one in head_lines(LAB_SETTINGS, "usual", 80))
    for index, name in enumerate(PRESETS):
        assert f"{index + 1} {name.replace('-', ' ')}" in presets
    for setting in SETTINGS:
        assert f"{setting.name} {setting.value(LAB_SETTINGS.lab)}" in task + how
    assert "▸amplitude 4.00" in task
    assert "enter: type" in how


def test_the_chosen_of_many_parameters_is_seen_in_80_columns() -> None:
    settings = LabSettings(
        lab.begin(chosen_family({"tasks": "sine+harmonic", "harmonic": {"x": [-5.0, 5.0]}})), RUNS
    )
    settings = lab_settings.turn(settings, 1)
    for number, setting in enumerate(settings_of(settings.lab)[:-2]):
        shown = plain(head_lines(replace(settings, chosen=number), "usual", 80)[1])
        value = setting.value(settings.lab)
        assert f"▸{setting.name} {value}" in shown


@pytest.mark.parametrize("chosen", range(len(SETTINGS) + 2))
def test_in_a_small_terminal_the_chosen_setting_comes_first(chosen: int) -> None:
    settings = replace(KNOWN, chosen=chosen)
    name, _, _ = lab_settings.prompt(settings)
    second = head_lines(settings, "small", 40)[1]
    assert plain(second).startswith(f"▸{name}")
    assert cells(second) == 40


def test_the_task_shows_the_range_of_its_points() -> None:
    assert plain(task_line(LAB_SETTINGS.lab)) == "4.00·sin(x + 1.00), 10 points, standard, task 1"
    drawn = lab.with_noise(lab.with_points(LAB_SETTINGS.lab, 1), 0.5)
    assert (
        plain(task_line(drawn)) == "4.00·sin(x + 1.00), 1 point, drawn from whole range, noise 0.5"
    )
    assert plain(task_line(lab.add(drawn))).endswith("2 points, edited")


def test_each_theta_has_its_losses_and_its_run() -> None:
    settings = replace(KNOWN, lab=lab.step(KNOWN.lab, -20))
    head, *rows = loss_lines(settings, answers(settings), "usual", 80)
    assert plain(head).split()[:7] == ["query", "loss", "before", "step", "12", "after", "32"]
    assert [plain(row).split()[1] for row in rows] == ["FOMAML", "Reptile", "random"]
    assert plain(rows[0]).rstrip().endswith("iteration 50 (live)")
    assert "▸iteration 50 (live)" in plain(rows[1])
    assert plain(rows[2]).rstrip().endswith("untrained")
    assert {cells(row) for row in (head, *rows)} == {80}


def test_long_titles_leave_room_for_theta() -> None:
    long = [replace(one, title=f"Reptile inner_lr=0.005 {one.title}") for one in KNOWN.origins]
    settings = replace(KNOWN, origins=tuple(long))
    head, *rows = loss_lines(settings, answers(settings), "usual", 80)
    assert plain(head).rstrip().endswith("θ (z: freeze)")
    assert "iteration 50 (live)" in plain(rows[0])
    assert {cells(row) for row in (head, *rows)} == {80}


def test_a_checkpoint_is_named_and_what_is_not_known_is_open() -> None:
    settings = lab_settings.hold(lab_settings.type_in(KNOWN, "200"), {})
    rows = loss_lines(settings, dict.fromkeys(lab_settings.questions(settings)), "usual", 80)
    assert "unfreeze" in plain(rows[0])
    assert plain(rows[2]).split() == ["╍╍", "Reptile", "…", "…", "…", "▸checkpoint", "200", "auto"]


def test_a_diverged_loss_is_a_word() -> None:
    settings = replace(LAB_SETTINGS, lab=lab.with_rate(LAB_SETTINGS.lab, 1e30))
    assert "diverged" in plain(loss_lines(settings, answers(settings), "usual", 80)[1])


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((39, 10), "tiny"),
        ((40, 9), "tiny"),
        ((60, 15), "small"),
        ((80, 24), "usual"),
        ((120, 40), "usual"),
        ((200, 60), "wide"),
    ],
)
def test_every_size_has_its_shape(size: tuple[int, int], expected: str) -> None:
    assert shape(*size) == expected


def test_a_large_terminal_also_shows_the_losses_after_a_few_steps() -> None:
    settings = replace(LAB_SETTINGS, lab=lab.step(lab.with_updates(LAB_SETTINGS.lab, 8), -2))
    answers = {title: adapted(one) for title, one in lab.questions(settings.lab, SOURCES).items()}
    head, *rows = loss_lines(settings, answers, "wide", 160)
    assert re.findall(r"before|(?:after|step) \d+", plain(head)) == [
        "before", "after 1", "after 5", "step 6", "after 8",
    ]  # fmt: skip
    for row, answer in zip(rows, answers.values(), strict=True):
        shown = [loss(answer.losses[step]) for step in (0, 1, 5, 6, 8)]
        assert re.findall(r" (\d[\d.]+)(?= )", plain(row))[:5] == shown
