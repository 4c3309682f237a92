"""``config`` prints all settings as TOML that ``--config`` reads back."""

import dataclasses
import re
import tomllib
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.base import Algorithm
from core.config import CheckpointSettings, ValidationSettings
from core.experiments.specification import PlannedRun, algorithms_of
from core.tasks.family import TaskFamily
from core.tasks.registry import families_of
from tests.support.strategies import SEEDS, configs, fomamls, intervals, reptiles
from tui_meta.cli.commands import train
from tui_meta.cli.commands.config import as_toml
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.flags import flags
from tui_meta.cli.launch import Launch
from tui_meta.cli.main import main
from tui_meta.cli.settings import Configuration, configure, every_table

Tables = dict[str, Algorithm | TaskFamily]

NAMES = st.sampled_from([("fomaml", "reptile"), ("reptile", "fomaml"), ("reptile",), ("fomaml",)])
LAUNCHES = st.builds(
    Launch,
    algorithms=NAMES,
    out=st.text(min_size=1, max_size=30).filter(str.isprintable),
    name=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    pace=st.none() | st.floats(1e-6, 1e300),
)
SAVINGS = st.builds(
    CheckpointSettings,
    autosave_seconds=st.floats(0, 1e8),
    autosave_iterations=st.integers(0, 2**53),
    keep=st.integers(1, 10_000),
)
VALIDATIONS = st.builds(
    ValidationSettings,
    shots=st.integers(1, 100),
    support_interval=st.none() | intervals(-5, 5),
    steps=st.sets(st.integers(0, 10_000), min_size=1).map(lambda steps: tuple(sorted(steps))),
    inner_lr=st.none() | st.floats(1e-300, 1e300),
    query_points=st.integers(2, 100),
    tasks=st.integers(1, 1_000),
    seed=SEEDS,
    interval=st.integers(0, 2**53),
)


@st.composite
def configurations(draw: st.DrawFn) -> tuple[Configuration, Tables]:
    """Any valid settings, and those of all algorithms and task families."""
    shared = draw(configs())
    launch = draw(LAUNCHES)
    algorithms = algorithms_of({}) | {"fomaml": draw(fomamls()), "reptile": draw(reptiles())}
    families = families_of({}) | {"waves": shared.tasks}
    validation = draw(VALIDATIONS)
    runs = [
        PlannedRun(
            name=name,
            group=name,
            varied={"algorithm": name},
            config=dataclasses.replace(shared, algorithm=algorithms[name], validation=validation),
        )
        for name in launch.algorithms
    ]
    tables = algorithms | families
    return Configuration(launch, draw(SAVINGS), runs[0].config, {}, runs), tables


def printed(capsys: pytest.CaptureFixture[str], *tokens: str) -> str:
    assert main(["config", *tokens]) == 0
    return capsys.readouterr().out


@given(configurations())
def test_any_settings_are_read_back_the_same(written: tuple[Configuration, Tables]) -> None:
    settings, tables = written
    text = as_toml(settings, tables)
    assert configure({}, tomllib.loads(text), None) == settings
    assert every_table({}, tomllib.loads(text)) == tables
    assert max(map(len, text.splitlines())) < 400


def test_long_lists_are_read_back_from_the_file(tmp_path: Path) -> None:
    steps = tuple(range(10_001))
    settings = configure({"validation.steps": steps}, {}, None)
    path = tmp_path / "c.toml"
    path.write_text(as_toml(settings, every_table({}, {})))
    assert configure({}, read_config_file(path), path) == settings


def test_flags_override_the_file_and_the_result_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.toml"
    path.write_text("seed = 3\n[fomaml]\ninner_lr = 0.5\ntasks = 7\n")
    plain = tomllib.loads(printed(capsys, "--config", str(path), "--fomaml.inner-lr", "0.25"))
    assert plain["seed"] == 3
    assert plain["fomaml"]["inner_lr"] == 0.25
    assert plain["fomaml"]["tasks"] == 7
    assert plain["reptile"]["tasks"] == 1


def test_an_experiment_is_printed_and_read_back() -> None:
    own = {"name": "slow", "algorithm": "reptile", "reptile": {"inner_lr": 0.001}, "iterations": 9}
    sweep = {"fomaml.outer-optimizer": ["sgd", "adam"], "network": {"hidden": [[4], [8, 8]]}}
    file = {"runs": [own, {"algorithm": "fomaml"}], "sweep": sweep, "seeds": [3, 5], "seed": 2}
    settings = configure({}, file, None)
    plain = tomllib.loads(as_toml(settings, every_table({}, file)))
    assert plain["seeds"] == [3, 5]
    assert configure({}, plain, None).runs == settings.runs


def test_every_setting_is_printed_with_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    keys = [line.removeprefix("# ").split(" ")[0] for line in lines if " =" in line]
    # A sweep is a table, and a protocol is replaced by what it sets.
    assert len(keys) == len(flags().__annotations__) - 2
    assert "# Outer (meta) learning rate: beta of FOMAML, step size epsilon of Reptile" in lines
    assert lines[lines.index("# support_interval =") - 1].startswith("# Interval of x")


def test_what_is_printed_can_be_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        printed(capsys, "--out", 'a "b"\\c', "--name", "ä😀", "--validation.shots", "5")
    )
    with patch.object(train, "show") as show:
        main(["--config", str(path), "--no-tui"])
    (request, *_), _ = show.call_args
    assert request.name == "ä😀"
    assert request.out == 'a "b"\\c'
    assert [one["validation"]["shots"] for one in request.configs] == [5, 5]


def test_wrong_settings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--seed", "-1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: --seed: must be ")


def test_every_setting_has_its_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    settings = [n for n, line in enumerate(lines) if re.match(r"(# )?\w+ =", line)]
    assert len(settings) > 100
    for n in settings:
        name = lines[n].removeprefix("# ").partition(" ")[0]
        assert lines[n - 1].startswith("# ")
        assert lines[n - 1] != f"# {name}"
