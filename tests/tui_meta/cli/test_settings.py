"""Flags and configuration files become validated configurations, or one line."""

import contextlib
import math
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import RunConfig, ValidationSettings
from core.errors import ConfigError, ConfigFileError, UnknownSettingError
from core.tasks.sine import SineTasks
from tui_meta.cli import flags
from tui_meta.cli.commands import train
from tui_meta.cli.config_file import LARGEST_FILE, read_config_file
from tui_meta.cli.main import main
from tui_meta.cli.settings import configure

FILE = Path("my.toml")


def test_without_anything_both_algorithms_run_with_the_defaults_of_core():
    found = configure({}, {}, None)
    assert found.launch.out == "checkpoints"
    expected = [
        RunConfig.from_dict({"algorithm": {"name": name}}) for name in ("fomaml", "reptile")
    ]
    assert [run.config for run in found.runs] == expected


def test_flags_override_the_file_and_leave_the_rest_of_it():
    file = {"seed": 3, "fomaml": {"inner_lr": 0.5, "tasks": 7}, "network": {"hidden": [8]}}
    given_flags = {"fomaml.inner_lr": 0.25, "iterations": 9, "algorithms": ("fomaml",)}
    found = configure(given_flags, file, FILE)
    assert found.launch.algorithms == ("fomaml",)
    (config,) = [run.config for run in found.runs]
    assert (config.seed, config.iterations) == (3, 9)
    assert (config.algorithm.inner_lr, config.algorithm.tasks) == (0.25, 7)
    assert config.network.hidden == (8,)


def test_seeds_and_a_sweep_are_flags_over_those_of_the_file():
    file = {"seeds": [7], "sweep": {"reptile.inner_lr": [0.5], "iterations": [9]}}
    flags = {"seeds": (2,), "sweep": ("reptile.inner-lr=0.25, 0.125", "iterations=5")}
    runs = configure(flags, file, FILE).runs
    assert [run.name for run in runs if run.config.algorithm.name == "reptile"] == [
        f"reptile-iterations-5-inner_lr-{rate}-s{seed}" for rate in (0.25, 0.125) for seed in (0, 1)
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("network.hidden=[4],[8, 8]", [(4,), (8, 8)]),
        ("network.activation=tanh, relu", ["tanh", "relu"]),
        ('network.activation="relu"', ["relu"]),
    ],
)
def test_values_of_a_sweep_are_as_in_toml_and_need_no_quotes(text, values):
    runs = configure({"sweep": (text,), "algorithms": ("reptile",)}, {}, None).runs
    name = text.split(".")[1].split("=")[0]
    assert [getattr(run.config.network, name) for run in runs] == values


def test_an_error_in_a_sweep_names_its_flag_or_its_file():
    with pytest.raises(ConfigError, match=r"^--sweep reptile.inner-lr: must be "):
        configure({"sweep": ("reptile.inner-lr=0.1,-1",)}, {}, None)
    with pytest.raises(ConfigError, match=r"^my.toml: sweep.reptile.inner_lr: must be "):
        configure({}, {"sweep": {"reptile.inner_lr": [-1]}}, FILE)
    with pytest.raises(UnknownSettingError, match=r"'a.b' in --sweep;"):
        configure({"sweep": ("a.b=1",)}, {}, None)
    with pytest.raises(UnknownSettingError, match=r"'ab' in \[sweep\] of my.toml;"):
        configure({}, {"sweep": {"ab": [1]}}, FILE)
    with pytest.raises(ConfigError, match=r"^--sweep: must be a setting and its values"):
        configure({"sweep": ("reptile.inner-lr",)}, {}, None)


def test_a_protocol_is_below_the_file_and_the_flags():
    file = {"protocol": "finn2017", "iterations": 9, "network": {"activation": "tanh"}}
    given = {"maml.tasks": 7, "seed": 3}
    maml, joint = (run.config for run in configure(given, file, None).runs)
    assert (maml.algorithm.name, joint.algorithm.name) == ("maml", "joint")
    assert (maml.algorithm.tasks, maml.algorithm.shots, maml.seed, maml.iterations) == (7, 10, 3, 9)
    assert (maml.network.activation, maml.network.hidden) == ("tanh", (40, 40))
    assert maml.tasks == joint.tasks == SineTasks(phase=(0, math.pi))
    by_flag = configure({"protocol": "source", "algorithms": ("joint",)}, file, None)
    assert [run.config.iterations for run in by_flag.runs] == [9]
    assert configure({"protocol": "source"}, {}, None).runs == configure({}, {}, None).runs


def test_runs_of_a_file_are_in_place_of_those_of_a_protocol():
    file = {"protocol": "finn2017", "runs": [{"name": "one", "algorithm": "fomaml"}]}
    (run,) = configure({}, file, None).runs
    assert (run.name, run.config.algorithm.tasks) == ("one", 25)


def test_a_wrong_protocol_is_refused_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r"^--protocol: .*\(did you mean finn2017\?\)"):
        configure({"protocol": "fin2017"}, {}, None)
    with pytest.raises(ConfigError, match=r"^my\.toml: protocol: must be one of source"):
        configure({}, {"protocol": 3}, Path("my.toml"))


def test_runs_of_a_file_are_named_in_errors():
    file = {"runs": [{"algorithm": "reptile", "name": "slow", "reptile": {"inner_lr": -1}}]}
    with pytest.raises(ConfigError, match=r"^my.toml: runs slow.reptile.inner_lr: must be "):
        configure({}, file, FILE)


def test_validation_is_a_table_of_the_file_and_a_group_of_flags():
    file = {"validation": {"shots": 5, "support_interval": [0.0, 5.0], "interval": 0}}
    flags = {"validation.steps": (1, 5), "validation.inner_lr": 0.01, "validation.shots": 7}
    for run in configure(flags, file, FILE).runs:
        assert run.config.validation == ValidationSettings(
            shots=7, support_interval=(0, 5), steps=(1, 5), inner_lr=0.01, interval=0
        )
    with pytest.raises(ConfigError, match=r"^--validation.steps: must be "):
        configure({"validation.steps": (5, 1)}, {}, None)
    with pytest.raises(ConfigError, match=r"^my.toml: validation.family: must be that"):
        configure({}, {"validation": {"family": {}}}, FILE)


def test_the_order_of_algorithms_is_that_of_the_flag():
    found = configure({"algorithms": ("reptile", "fomaml")}, {}, None)
    assert [run.group for run in found.runs] == ["reptile", "fomaml"]


def test_an_error_names_the_flag_or_the_file_that_caused_it():
    with pytest.raises(ConfigError, match=r"^--fomaml.inner-lr: must be "):
        configure({"fomaml.inner_lr": -1.0}, {"fomaml": {"inner_lr": 1.0}}, FILE)
    with pytest.raises(ConfigError, match=r"^my.toml: fomaml.inner_lr: must be "):
        configure({}, {"fomaml": {"inner_lr": -1.0}}, FILE)


def test_an_unknown_key_is_answered_with_the_nearest():
    with pytest.raises(UnknownSettingError, match=r"'sead' in my.toml; did you mean 'seed'"):
        configure({}, {"sead": 1}, FILE)
    with pytest.raises(UnknownSettingError, match=r"in \[reptile\] of my.toml; .*'inner_lr'"):
        configure({}, {"reptile": {"inner_rl": 1.0}}, FILE)


@pytest.mark.parametrize("file", [{"seed": 2**20_000}, {"waves": {"x": [0, 2**20_000]}}])
def test_a_number_too_long_to_be_shown_is_an_error_that_can_be_shown(file):
    with pytest.raises(ConfigError) as caught:
        configure({}, file, FILE)
    assert len(str(caught.value)) < 200


def test_settings_of_an_algorithm_that_does_not_run_are_checked_too():
    with pytest.raises(ConfigError, match=r"reptile.tasks"):
        configure({"algorithms": ("fomaml",)}, {"reptile": {"tasks": 0}}, FILE)


@pytest.mark.parametrize("algorithms", [[], ["fomaml", "fomaml"], ["mamal"], "fomaml"])
def test_algorithms_are_known_and_named_once(algorithms):
    with pytest.raises(ConfigError, match=r"algorithms"):
        configure({}, {"algorithms": algorithms}, FILE)


@pytest.mark.parametrize("pace", [0, -1, math.nan, math.inf])
def test_a_pace_is_a_finite_number_above_zero(pace):
    with pytest.raises(ConfigError, match="--pace"):
        configure({"pace": pace}, {}, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"seed = = 3", "not valid TOML"),
        (b"a = 1\na = 2", "not valid TOML"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b"a = " + b"[" * 50_000, "longer than"),
        (b"a = " + b"9" * 5_000, "longer than"),
        (b"#" * (LARGEST_FILE + 1), "too large"),
    ],
)
def test_an_invalid_configuration_file_is_an_error(tmp_path, content, problem):
    path = tmp_path / "c.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigFileError, match=problem):
        read_config_file(path)


def test_a_folder_or_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigFileError, match="cannot be read"):
        read_config_file(tmp_path)
    with pytest.raises(ConfigFileError, match="no such file"):
        read_config_file(tmp_path / "c.toml")


# Whatever is given, the answer is a run or a line.


@pytest.fixture(scope="module", autouse=True)
def nothing_is_trained():
    with (
        patch.object(train, "show", lambda *_, **__: 0),
    ):
        yield


KEYS = sorted(flags.flags().__annotations__)

numbers = st.one_of(st.integers(), st.floats(), st.just(10**400))
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20))
plain = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
near_keys = st.one_of(st.sampled_from(KEYS), st.sampled_from(("fomaml", "waves")), st.text())


@given(st.dictionaries(near_keys, plain, max_size=4), st.dictionaries(near_keys, plain, max_size=2))
def test_any_values_give_configurations_or_a_documented_error(top, table):
    try:
        runs = configure({}, {**top, "network": table}, FILE).runs
    except (ConfigError, UnknownSettingError) as error:
        said = str(error)
    else:
        said = "a configuration"
        assert all(RunConfig.from_dict(run.config.to_dict()) == run.config for run in runs)
    assert said


def words():
    flags = st.sampled_from([f"--{key.replace('_', '-')}" for key in KEYS])
    others = st.sampled_from(["train", "resume", "eval", "--", "-", "--json", "--no-tui", "-x"])
    values = st.one_of(
        st.integers().map(str),
        st.floats().map(str),
        st.sampled_from(["fomaml", "cuda", "tanh", "", "nan", "{}", '{"a": 1}', "[1, 2]", "="]),
        st.text(st.characters(exclude_characters="\0"), max_size=12),
    )
    return st.one_of(flags, others, values, st.tuples(flags, values).map("=".join))


@given(st.lists(words(), max_size=6))
def test_any_command_line_ends_with_0_or_with_one_line_and_2(tokens):
    with patch("sys.stderr") as stderr, patch("sys.stdout"):
        code = main([*tokens, "--no-tui"])
    said = "".join(call.args[0] for call in stderr.write.call_args_list)
    assert code in (0, 2)
    if code == 2:
        assert said.startswith("error: ")
        assert said.count("\n") == 1


@given(st.dictionaries(st.sampled_from(KEYS), plain, max_size=5))
def test_any_json_like_file_ends_with_0_or_with_one_line_and_2(tmp_path_factory, values):
    with (
        patch.object(train, "read_settings", lambda _: values),
        patch("sys.stderr") as stderr,
    ):
        code = main(["--config", "any.toml", "--no-tui"])
    said = "".join(call.args[0] for call in stderr.write.call_args_list)
    assert code in (0, 2)
    assert code == 0 or (said.startswith("error: ") and said.count("\n") == 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_a_documented_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "c.toml"
    path.write_bytes(content)
    with contextlib.suppress(ConfigFileError):
        assert isinstance(read_config_file(path), dict)


def test_settings_that_are_too_large_together_are_named_as_flags(capsys):
    flags = ["--fomaml.tasks", "30000", "--fomaml.shots", "30000"]
    assert main(["--no-tui", *flags]) == 2
    assert capsys.readouterr().err == (
        "error: --fomaml.tasks * --fomaml.shots: must be at most 67,108,864 to fit in memory, "
        "got 900000000\n"
    )
