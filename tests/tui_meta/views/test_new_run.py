"""Another run: its settings as they are typed, what is wrong with them, and what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.algorithms.registry import ALGORITHMS
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.errors import ConfigError, UnknownSettingError
from core.models.settings import NetworkConfig
from core.tasks.polynomials import LineTasks
from core.tasks.registry import FAMILIES
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.grouped import grouped_session
from tui_meta.views.dialogs.new_run import NewRun, run_settings
from tui_meta.views.dialogs.new_run_form import NewRunForm
from tui_meta.views.text import cells, plain


def new_run(run: str = "reptile-1", session: FakeSession | None = None, out: str = ".") -> NewRun:
    """Return a run as ``run`` of ``session``."""
    runs = (session or FakeSession()).snapshots()
    return NewRun(runs[run], list(runs.values()), Path(out), runs[run].algorithm)


def typed(new: NewRun, **texts: str) -> NewRun:
    """Return ``new`` with these texts; two underscores are a dot."""
    for key, text in texts.items():
        new = new.with_text(key.replace("__", "."), text)
    return new


def test_a_run_has_the_settings_of_the_one_beside_it_and_the_next_seed() -> None:
    new = new_run()
    same = RunConfig.from_dict({**new.beside.config, "seed": 1})
    assert RunConfig.from_dict(new.request.config) == same
    assert new.request.beside == "reptile-1"
    assert new.difference_words == "seed 1 instead of 0"


def test_the_seed_is_the_next_of_the_group_or_that_of_the_run_beside_it() -> None:
    new = new_run("reptile-2", grouped_session(3, 0.005, 0.02))
    assert new.text("seed") == "3"
    assert typed(new, reptile__inner_lr="0.02").text("seed") == "3"
    assert typed(new, reptile__inner_lr="0.03").text("seed") == "1"
    assert typed(new, reptile__inner_lr="0.03", seed="7").text("seed") == "7"
    assert typed(new, iterations="x").text("seed") == "1"


def test_what_is_typed_becomes_the_configuration() -> None:
    new = typed(
        new_run(),
        seed="5",
        iterations="1_000",
        reptile__outer_optimizer="adam",
        reptile__adam_betas="0.8, 0.99",
        network__hidden="[32 16]",
        waves__x="-1 1",
        validation__support_interval="0, 5",
        validation__inner_lr="0.01",
        name="mine",
    )
    config = RunConfig.from_dict(new.request.config)
    assert config.algorithm == Reptile(outer_optimizer="adam", adam_betas=(0.8, 0.99))
    assert config.network == NetworkConfig(hidden=(32, 16))
    assert (config.seed, config.iterations, config.tasks.x) == (5, 1_000, (-1.0, 1.0))
    assert config.validation.support_interval == (0.0, 5.0)
    assert config.validation.inner_lr == 0.01
    assert new.request.name == "mine"
    assert not new.problems


def test_a_run_of_another_algorithm_has_its_defaults() -> None:
    new = typed(new_run(), reptile__inner_lr="0.3", algorithm="fomaml")
    assert (
        new.request.config["algorithm"]
        == RunConfig(algorithm=ALGORITHMS["fomaml"]()).to_dict()["algorithm"]
    )
    words = "fomaml instead of reptile; seed 1 instead of 0; outer-lr 0.01 instead of 0.1"
    assert new.difference_words.startswith(words)
    assert typed(new, algorithm="reptile").text("reptile.inner_lr") == "0.3"


def test_a_text_typed_back_differs_no_more() -> None:
    new = typed(new_run(), reptile__inner_lr="0.3")
    assert new.difference_words == "inner-lr 0.3 instead of 0.02"
    assert typed(new, reptile__inner_lr="0.02").difference_words == "seed 1 instead of 0"
    same = typed(new_run(), seed="0")
    assert same.difference_words == "same settings and seed: it will learn the same"


def test_an_empty_number_is_not_called_none() -> None:
    new = typed(new_run(), seed="")
    assert new.problems["seed"].endswith("; it is empty")
    assert new.difference_words == "seed empty instead of 0"
    assert new.words("model") == "none"


def test_settings_of_the_same_name_have_their_tables_in_front() -> None:
    named = new_run().labels
    assert named["tasks"] == "tasks"
    assert named["reptile.tasks"] == "reptile.tasks"
    assert (named["reptile.inner_lr"], named["validation.inner_lr"]) == (
        "inner-lr", "validation.inner-lr",
    )  # fmt: skip
    new = typed(new_run(), reptile__tasks="7")
    assert new.difference_words == "reptile.tasks 7 instead of 1"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_setting_has_a_help_text_and_says_what_it_must_be(algorithm: str) -> None:
    new = typed(new_run(), algorithm=algorithm)
    for one in new.settings:
        assert one.help
        assert new.requirement(one).startswith("must be "), one.key


def test_another_task_family_comes_with_its_default_settings() -> None:
    new = typed(new_run(), waves__x="-1 1", tasks="line")
    assert new.difference_words == "tasks line instead of sine"
    assert RunConfig.from_dict(new.request.config).tasks == LineTasks()
    other = typed(new, line__slope="1 2")
    assert RunConfig.from_dict(other.request.config).tasks == LineTasks(slope=(1.0, 2.0))
    assert typed(other, tasks="sine").difference_words == "x -1 1 instead of -5.0, 5.0"
    assert new_run().with_words(["line.slope=1 2", "tasks=line"]).text("line.slope") == "1 2"
    with pytest.raises(ConfigError, match="tasks: must be one of sine, line"):
        typed(new, tasks="lines")


def test_settings_that_files_leave_out_are_there_and_a_mixture_has_those_of_its_families() -> None:
    new = new_run().with_words(["noise=0.3", "tasks=sine+line", "line.slope=1 2"])
    tasks = RunConfig.from_dict(new.request.config).tasks
    assert tasks.name == "sine+line"
    assert tasks.families[1] == LineTasks(slope=(1.0, 2.0))  # type: ignore[attr-defined]
    assert new.text("waves.frequency") == "1.0, 1.0"
    assert "tasks sine+line instead of sine" in new.difference_words
    session = FakeSession()
    config = RunConfig(algorithm=Reptile(), tasks=tasks)
    session.change("reptile-1", config=config.to_dict(complete=True))
    assert RunConfig.from_dict(new_run(session=session).request.config).tasks == tasks
    form = NewRunForm(new_run(session=session))
    form.focus(next(at for at, one in enumerate(form.fields) if one.key == "tasks"))
    form.sideways(1)
    assert form.new.text("tasks") in FAMILIES


def test_a_run_on_another_task_family_keeps_it_and_its_settings() -> None:
    config = RunConfig(algorithm=Reptile(), tasks=LineTasks(slope=(0.0, 2.0)))
    session = FakeSession()
    session.change("reptile-1", config=config.to_dict())
    new = new_run(session=session)
    assert new.text("line.slope") == "0.0, 2.0"
    other = typed(new, line__slope="1 2")
    assert other.difference_words == "slope 1 2 instead of 0.0, 2.0"
    assert RunConfig.from_dict(other.request.config).tasks == LineTasks(slope=(1.0, 2.0))


def test_a_requirement_follows_other_values() -> None:
    (size,) = [one for one in run_settings("reptile") if one.field == "batch_size"]
    assert new_run().requirement(size) == "must be a whole number from 1 to 50"
    more = typed(new_run(), reptile__points="100", iterations="x")
    assert more.requirement(size) == "must be a whole number from 1 to 100"


def test_each_invalid_setting_has_its_refusal() -> None:
    new = typed(
        new_run(),
        seed="-4",
        iterations="",
        reptile__inner_lr="0",
        reptile__batch_size="7",
        network__hidden="8, x",
        waves__x="3",
    )
    assert new.problems == {
        "seed": "must be a whole number from 0 to 9,223,372,036,854,775,807, got -4",
        "iterations": "must be a whole number; it is empty",
        "reptile.inner_lr": "must be a finite number above 0, got 0.0",
        "reptile.batch_size": "must divide 50 points, got 7",
        "network.hidden": "must be a whole number, got [8, 'x']",
        "waves.x": "must be 2 values, got [3.0]",
    }
    with pytest.raises(ConfigError):
        _ = new.request


def test_settings_that_are_valid_together_are_valid() -> None:
    assert not typed(new_run(), reptile__points="60", reptile__batch_size="15").problems


def test_settings_that_are_too_large_together_are_refused_by_each_of_them() -> None:
    large = typed(new_run(), reptile__tasks="100000", reptile__points="100000")
    assert list(large.problems) == ["reptile.tasks", "reptile.points"]
    (words,) = set(large.problems.values())
    assert words.startswith(
        "reptile.tasks * reptile.points * reptile.inner_epochs: must be at most"
    )


def test_a_setting_that_was_not_typed_may_be_the_one_refused() -> None:
    new = typed(new_run(), reptile__points="55")
    assert new.problems == {"reptile.batch_size": "must divide 55 points, got 10"}


def test_a_name_is_checked_and_another_is_proposed_for_one_that_is_taken(tmp_path: Path) -> None:
    new = new_run(out=str(tmp_path))
    assert not typed(new, name="mine").problems
    for name in ("reptile-mine", "reptile-mine-2", "fomaml-mine"):
        (tmp_path / name).mkdir()
    taken = typed(new, name="mine")
    assert taken.problems == {"name": "this run exists already; mine-3 is free"}
    assert "mine-2 is free" in typed(taken, algorithm="fomaml").problems["name"]
    for wrong in ("a/b", "../x", "x" * 200, "a b"):
        assert "use letters, digits" in typed(new, name=wrong).problems["name"]


def test_words_of_a_command_line_are_settings_too() -> None:
    new = new_run().with_words(["fomaml.inner-lr=0.3", "name=mine", "algorithm=fomaml"])
    assert (new.algorithm, new.name, new.text("fomaml.inner_lr")) == ("fomaml", "mine", "0.3")
    with pytest.raises(UnknownSettingError, match="did you mean"):
        new_run().with_words(["reptile.iner-lr=1"])
    with pytest.raises(ConfigError, match="must be a setting and its value"):
        new_run().with_words(["mine"])
    with pytest.raises(ConfigError, match="algorithm: must be one of fomaml, reptile"):
        new_run().with_words(["algorithm=mamal"])


def test_text_is_edited_at_the_cursor() -> None:
    form = NewRunForm(new_run())
    form.insert("abd")
    form.sideways(-1)
    form.insert("c")
    assert form.new.name == "abcd"
    form.delete(-1, 0)
    form.delete(0, 1)
    assert form.new.name == "ab"
    form.sideways(-999)
    form.insert("x" * 200)
    assert len(form.new.name) == 100
    form.sideways(999)
    form.delete(-999, 0)
    form.delete(-1, 0)
    assert form.new.name == ""


def test_a_choice_is_made_by_the_arrows_or_its_first_letter() -> None:
    form = NewRunForm(new_run())
    form.move(1)
    form.sideways(1)
    assert form.new.algorithm == "maml"
    form.sideways(-1)
    form.sideways(-1)
    assert form.new.algorithm == "fomaml"
    form.sideways(999)
    form.sideways(-999)
    assert form.new.algorithm == "fomaml"
    form.insert("r")
    assert form.new.algorithm == "reptile"
    form.insert("z")
    form.delete(-1, 0)
    assert form.new.algorithm == "reptile"


def test_the_focus_goes_to_what_is_wrong() -> None:
    form = NewRunForm(typed(new_run(), reptile__inner_lr="x"))
    assert form.request() is None
    assert form.field.label == "inner-lr"


def test_a_refusal_is_shown_until_something_is_changed() -> None:
    form = NewRunForm(new_run())
    form.refuse("the disk is full")
    assert plain(form.hint(60)[0]) == "the disk is full"
    form.insert("x")
    assert "suffix" in plain(form.hint(60)[0])


@pytest.mark.parametrize("rows", [1, 4, 15, 99])
def test_the_field_in_focus_is_seen_in_any_height(rows: int) -> None:
    form = NewRunForm(new_run())
    for _ in form.fields:
        shown = form.lines(70, rows)
        assert len(shown) == min(rows, form.count)
        assert {cells(one) for one in shown} == {70}
        assert sum(plain(one).startswith("▸") for one in shown) == 1
        form.move(1)
    assert form.place == 0
