"""Configurations: defaults, round trips, and a clear one-line error for every invalid value."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.registry import ALGORITHMS
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.errors import ConfigError, LabError
from core.models.settings import NetworkConfig
from core.tasks.sine import SineTasks
from tests.support.strategies import configs

NAN, INF = float("nan"), float("inf")
NOT_POSITIVE: list[Any] = [0, 0.0, -0.0, -1, -1e-9, NAN, INF, -INF, True, False, "0.1", None, [1]]
NOT_POSITIVE += [10**400, -(10**400)]
NO_COUNT: list[Any] = [0, -1, 1.0, 1.5, NAN, INF, True, False, "3", None, 2**60, 10**400]
NO_FRACTION: list[Any] = [-0.1, 1, 1.0, 2, NAN, INF, -INF, True, False, "0.9", None, 10**400]
NO_CHOICE: list[Any] = ["", "SGD", "none", 0, True, None, 1.5, ["sum"]]
NO_INTERVAL: list[Any] = [[1.0], [], [1, 2, 3], [2, 1], [NAN, 1], [0, INF], [True, 2], ["a", "b"]]
NO_INTERVAL += [5, None, "12", [[0], 1], [0, 10**400]]
NO_SEED: list[Any] = [-1, 2**63, 0.0, 1.5, NAN, True, "0", None]

COMMON = {
    "outer_lr": NOT_POSITIVE,
    "inner_lr": NOT_POSITIVE,
    "tasks": [*NO_COUNT, 100_001],
    "schedule": NO_CHOICE,
    "outer_optimizer": NO_CHOICE,
    "momentum": NO_FRACTION,
    "adam_betas": [[bad, 0.9] for bad in NO_FRACTION] + [[0.9, -1], [0.9], [], 0.9, None, "ab"],
}
ALLOWED = {
    "fomaml": {
        **COMMON,
        "shots": [*NO_COUNT, 100_001],
        "query_points": [*NO_COUNT, 1, 100_001],
        "inner_steps": [*NO_COUNT, 100_001],
        "query": NO_CHOICE,
        "reduction": NO_CHOICE,
    },
    "reptile": {
        **COMMON,
        "points": [*NO_COUNT, 1, 100_001],
        "batch_size": [*NO_COUNT, 51, 3, 49],
        "inner_epochs": [*NO_COUNT, 100_001],
        "inner_optimizer": [*NO_CHOICE, "momentum"],
        "inner_betas": [[bad, 0.9] for bad in NO_FRACTION] + [[0.9], [], 0.9, None, "ab"],
    },
}
NETWORK = {
    "hidden": [[], [0], [64, -1], [1.5], [NAN], [True], ["64"], 64, None, [16_385], [1] * 65],
    "activation": NO_CHOICE,
    "init": NO_CHOICE,
    "init_deviation": NOT_POSITIVE,
}
RUN = {
    "seed": NO_SEED,
    "iterations": [*NO_COUNT, 2**53 + 1],
    "eval_interval": [*NO_COUNT, 2**53 + 1],
    "engine": NO_CHOICE,
    "device": NO_CHOICE,
    "precision": [*NO_CHOICE, "float16"],
    "noise": [-0.1, 1e6, NAN, INF, True, "0.3", None],
    "fixed_tasks": [-1, 2**20 + 1, 1.5, True, "9", None],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    """One test case for every setting and every value that it does not allow."""
    return [
        pytest.param(key, value, id=f"{key}-{value!r:.20}")
        for key, values in table.items()
        for value in values
    ]


def name_in(plain: dict[str, Any]) -> str:
    return str(plain["algorithm"]["name"])


def assert_refused(plain: dict[str, Any], field: str) -> None:
    """``plain`` is refused in one line that names the setting ``field``."""
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_dict(plain)
    assert caught.value.field.partition(" ")[0] in (
        field,
        field.replace("algorithm", name_in(plain)),
    )
    assert str(caught.value).startswith(caught.value.field)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["fomaml", "reptile"])
def test_every_setting_of_an_algorithm_is_checked(name: str) -> None:
    fields = {field.name for field in dataclasses.fields(ALGORITHMS[name])}
    assert fields == set(ALLOWED[name])


@pytest.mark.parametrize(("key", "value"), cases(ALLOWED["fomaml"]))
def test_fomaml_refuses_an_invalid_value(key: str, value: object) -> None:
    assert_refused({"algorithm": {"name": "fomaml", key: value}}, f"algorithm.{key}")


@pytest.mark.parametrize(("key", "value"), cases(ALLOWED["reptile"]))
def test_reptile_refuses_an_invalid_value(key: str, value: object) -> None:
    assert_refused({"algorithm": {"name": "reptile", key: value}}, f"algorithm.{key}")


@pytest.mark.parametrize(("key", "value"), cases(NETWORK))
def test_a_network_refuses_an_invalid_value(key: str, value: object) -> None:
    assert_refused({"algorithm": {"name": "fomaml"}, "network": {key: value}}, f"network.{key}")


@pytest.mark.parametrize("value", NO_INTERVAL, ids=repr)
@pytest.mark.parametrize("key", ["amplitude", "phase", "frequency", "x"])
def test_a_distribution_refuses_an_invalid_interval(key: str, value: object) -> None:
    assert_refused({"algorithm": {"name": "fomaml"}, "waves": {key: value}}, f"waves.{key}")


@pytest.mark.parametrize(("key", "value"), cases(RUN))
def test_a_run_refuses_an_invalid_value(key: str, value: object) -> None:
    assert_refused({"algorithm": {"name": "fomaml"}, key: value}, key)


@pytest.mark.parametrize("name", ["fomaml", "reptile"])
@pytest.mark.parametrize("value", [0, -1, NAN, INF, True], ids=repr)
@pytest.mark.parametrize("key", ["outer_lr", "inner_lr"])
def test_a_rate_is_checked_in_the_constructor(name: str, key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name}.{key}"):
        ALGORITHMS[name](**{key: value})


@pytest.mark.parametrize("batch_size", [1, 2, 5, 10, 25, 50])
def test_reptile_accepts_any_minibatch_size_that_divides_its_points(batch_size: int) -> None:
    assert Reptile(batch_size=batch_size).batch_size == batch_size


def test_reptile_points_that_do_not_divide_name_the_minibatch() -> None:
    with pytest.raises(ConfigError, match=r"reptile.batch_size: must divide 51 points, got 10"):
        Reptile(points=51)


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("engine", "one of auto, "),
        ("device", "one of auto, cpu, cuda, mps"),
        ("precision", "float64"),
    ],
)
def test_an_invalid_choice_lists_the_valid_ones(key: str, choices: str) -> None:
    with pytest.raises(ConfigError, match=choices):
        RunConfig.from_dict({"algorithm": {"name": "fomaml"}, key: "gpu"})


@pytest.mark.parametrize("setting", ["x", "amplitude", "phase"])
def test_an_interval_of_one_point_is_allowed(setting: str) -> None:
    assert getattr(SineTasks(**{setting: (1.0, 1.0)}), setting) == (1.0, 1.0)


def test_configurations_are_immutable() -> None:
    config = RunConfig(algorithm=Fomaml())
    for part in (config, config.algorithm, config.network, config.tasks):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, dataclasses.fields(part)[0].name, 1)


@given(config=configs())
def test_a_configuration_survives_its_plain_values(config: RunConfig) -> None:
    assert RunConfig.from_dict(config.to_dict()) == config


@given(config=configs())
def test_a_configuration_survives_json(config: RunConfig) -> None:
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_missing_settings_take_their_defaults() -> None:
    found = RunConfig.from_dict({"algorithm": {"name": "reptile"}, "network": {}})
    assert found == RunConfig(algorithm=Reptile())


def test_a_configuration_can_be_written_in_toml() -> None:
    text = """
    seed = 7
    [algorithm]
    name = "reptile"
    outer_lr = 1
    [network]
    hidden = [8]
    [waves]
    phase = [0, 3.14]
    """
    assert RunConfig.from_dict(tomllib.loads(text)) == RunConfig(
        algorithm=Reptile(outer_lr=1.0),
        network=NetworkConfig(hidden=(8,)),
        tasks=SineTasks(phase=(0.0, 3.14)),
        seed=7,
    )


def test_the_dictionary_has_every_setting() -> None:
    """Numbers of runs with other phases or another reduction cannot be taken for the source's."""
    plain = RunConfig(algorithm=Fomaml()).to_dict()
    assert plain["algorithm"]["name"] == "fomaml"
    assert plain["algorithm"]["reduction"] == "sum"
    assert list(plain["waves"]["phase"]) == [0.0, 6.283185307179586]


def test_files_of_a_run_have_the_settings_of_version_01_while_later_ones_have_their_defaults() -> (
    None
):
    first = json.loads((Path(__file__).parent / "first_version" / "run.json").read_text())
    record = RunConfig(algorithm=Fomaml()).to_dict()
    del record["validation"]
    assert json.dumps(record) == json.dumps(first["config"])
    reptile = RunConfig(algorithm=Reptile()).to_dict()["algorithm"]
    assert list(reptile)[-3:] == ["points", "batch_size", "inner_epochs"]


@given(
    plain=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["algorithm", "network", "waves", "seed", "name", "hidden", "x"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_any_plain_value_is_a_configuration_or_a_clear_error(plain: object) -> None:
    try:
        found = RunConfig.from_dict(plain)
    except LabError as error:
        message = str(error)
    else:
        message = ""
        assert isinstance(found.algorithm, Algorithm)
    assert len(message.splitlines()) <= 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (
            {"algorithm": {"name": "fomaml", "tasks": 30_000, "shots": 30_000}},
            "fomaml.tasks * fomaml.shots",
        ),
        (
            {"algorithm": {"name": "fomaml", "tasks": 1_000, "query_points": 100_000}},
            "fomaml.tasks * fomaml.query_points",
        ),
        (
            {"algorithm": {"name": "reptile", "points": 100_000, "inner_epochs": 1_000}},
            "reptile.tasks * reptile.points * reptile.inner_epochs",
        ),
        (
            {
                "algorithm": {"name": "fomaml", "query_points": 100_000},
                "network": {"hidden": [3_000]},
            },
            "fomaml.query_points * network.hidden (units)",
        ),
        (
            {
                "algorithm": {"name": "reptile", "points": 100_000, "batch_size": 100_000},
                "network": {"hidden": [3_000]},
            },
            "reptile.batch_size * network.hidden (units)",
        ),
        (
            {
                "algorithm": {"name": "fomaml", "tasks": 1_000},
                "network": {"hidden": [1_000, 1_000]},
                "engine": "torch",
            },
            "fomaml.tasks * network.hidden (parameters)",
        ),
        (
            {
                "algorithm": {"name": "fomaml", "tasks": 1_000, "shots": 50_000},
                "device": "cuda",
            },
            "fomaml.tasks * fomaml.shots * network.hidden (units)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_whose_product_does_not_fit_in_memory_are_named(
    settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_dict(settings)
    assert caught.value.field == named
    assert caught.value.requirement.startswith("must be at most ")
