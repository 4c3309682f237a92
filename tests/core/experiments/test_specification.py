"""The expansion of an experiment into runs."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, UnknownSettingError
from core.experiments.specification import MOST_RUNS, PlannedRun, specification_of

RATES = st.lists(st.sampled_from([0.001, 0.005, 0.01, 0.02]), min_size=1, unique=True)
TABLES = st.fixed_dictionaries(
    {
        "algorithms": st.sampled_from([["fomaml"], ["reptile"], ["fomaml", "reptile"]]),
        "seeds": st.integers(1, 3) | st.lists(st.integers(0, 9), min_size=1, unique=True),
        "sweep": st.fixed_dictionaries(
            {},
            optional={
                "network.hidden": st.lists(
                    st.sampled_from([[8], [8, 8], [16]]), min_size=1, unique_by=str
                ),
                "iterations": st.lists(st.sampled_from([10, 20]), min_size=1, unique=True),
            },
        ),
    }
)

MANY = [
    *("iterations", "eval_interval", "fixed_tasks", "validation.tasks", "validation.shots"),
    *("fomaml.tasks", "fomaml.shots"),
]
"""Settings with so many combinations of a thousand values that ``len`` could not return them."""


def nested(depth: int) -> dict[str, Any]:
    """Return tables in one another."""
    table: Any = 1
    for _ in range(depth):
        table = {"x": table}
    return dict(table)


def expanded(**table: Any) -> list[PlannedRun]:
    return specification_of(table).expand()


def test_without_anything_each_algorithm_has_one_run() -> None:
    runs = expanded()
    assert [run.name for run in runs] == ["fomaml", "reptile"]
    assert [run.group for run in runs] == ["fomaml", "reptile"]
    assert [run.config.seed for run in runs] == [0, 0]


def test_a_grid_has_every_combination_with_every_seed() -> None:
    sweep = {"reptile.inner-lr": [0.005, 0.02], "network.hidden": [[8], [8, 8]]}
    runs = expanded(algorithms=["reptile"], sweep=sweep, seeds=[4, 7])
    found = [
        (run.config.network.hidden, run.config.algorithm.inner_lr, run.config.seed) for run in runs
    ]
    assert found == [
        ((8,), 0.005, 4),
        ((8,), 0.005, 7),
        ((8,), 0.02, 4),
        ((8,), 0.02, 7),
        ((8, 8), 0.005, 4),
        ((8, 8), 0.005, 7),
        ((8, 8), 0.02, 4),
        ((8, 8), 0.02, 7),
    ]
    assert runs[7].group == "reptile network.hidden=8,8 inner_lr=0.02"
    assert runs[7].name == "reptile-network.hidden-8-8-inner_lr-0.02-s7"
    assert runs[7].varied == {
        "algorithm": "reptile",
        "network.hidden": [8, 8],
        "reptile.inner_lr": 0.02,
    }


def test_a_setting_of_one_algorithm_multiplies_only_its_runs() -> None:
    runs = expanded(sweep={"reptile": {"inner_lr": [0.005, 0.02]}}, seeds=2)
    assert [run.group for run in runs] == [
        "fomaml",
        "fomaml",
        "reptile inner_lr=0.005",
        "reptile inner_lr=0.005",
        "reptile inner_lr=0.02",
        "reptile inner_lr=0.02",
    ]


def test_seeds_are_counted_from_the_shared_seed() -> None:
    assert [run.config.seed for run in expanded(algorithms=["fomaml"], seed=3, seeds=3)] == [
        3,
        4,
        5,
    ]


def test_runs_have_settings_of_their_own_over_the_shared_ones() -> None:
    slow = {"name": "slow", "algorithm": "reptile", "reptile": {"inner_lr": 0.001}}
    wide = {"name": "wide", "algorithm": "reptile", "network": {"hidden": [128]}}
    runs = expanded(runs=[slow, wide], reptile={"tasks": 2, "inner_lr": 0.03}, iterations=9)
    assert [run.name for run in runs] == ["slow", "wide"]
    assert [run.config.algorithm.inner_lr for run in runs] == [0.001, 0.03]
    assert [run.config.network.hidden for run in runs] == [(64, 64), (128,)]
    assert {(run.config.iterations, run.config.algorithm.tasks) for run in runs} == {(9, 2)}


def test_a_runs_own_setting_is_not_swept() -> None:
    fixed = {"name": "fixed", "algorithm": "reptile", "reptile": {"inner_lr": 0.03}}
    free = {"name": "free", "algorithm": "reptile"}
    runs = expanded(runs=[fixed, free], sweep={"reptile.inner_lr": [0.01, 0.02]})
    assert [run.group for run in runs] == ["fixed", "free inner_lr=0.01", "free inner_lr=0.02"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"sweep": {"reptile.iner_lr": [1]}}, "did you mean 'reptile.inner_lr'?"),
        ({"sweep": {"seed": [1]}}, "unknown setting 'seed' in sweep"),
        ({"sweep": {"reptile.inner_lr": 0.1}}, "sweep.reptile.inner_lr: must be a list"),
        ({"sweep": {"reptile.inner_lr": [nested(5_000)]}}, "must be nested at most 20 deep"),
        ({"sweep": nested(5_000)}, "must be nested at most 20 deep"),
        ({"sweep": {"reptile.inner_lr": []}}, "sweep.reptile.inner_lr: must be a list"),
        ({"sweep": {"reptile.inner_lr": [0.1, 0.10]}}, "each once"),
        ({"sweep": {"reptile.inner_lr": [0.1, -1.0]}}, "reptile.inner_lr: must be a finite"),
        ({"sweep": {"reptile.inner_lr": [0.1]}, "algorithms": ["fomaml"]}, "that is trained"),
        ({"sweep": 3}, "sweep: must be a table"),
        ({"seeds": 0}, "seeds: must be a whole number"),
        ({"seeds": [1, 1]}, "seeds: must be 1 to 10,000, each once"),
        ({"seeds": [*range(MOST_RUNS + 1)]}, "seeds: must be 1 to 10,000, each once"),
        ({"seeds": [-1]}, "seeds: must be a whole number"),
        ({"seeds": "5"}, "seeds: must be a whole number"),
        ({"runs": []}, "runs: must be a list of tables"),
        ({"runs": [{"algorithm": "mamal"}]}, "runs[1].algorithm: must be one of"),
        ({"runs": [{"algorithm": "fomaml"}] * 2}, "runs[2].name: must be another name"),
        ({"runs": [{"algorithm": "fomaml", "name": "a/b"}]}, "runs[1].name: must be letters"),
        ({"runs": [{"algorithm": "fomaml", "reptile": {}}]}, "unknown setting 'reptile'"),
        ({"runs": [{"algorithm": "fomaml"}], "algorithms": ["fomaml"]}, "must be left out"),
        (
            {"runs": [{"algorithm": "fomaml", "name": name} for name in "ab"]},
            "must have other settings and another name than 'a'",
        ),
        ({"algorithms": ["fomaml", "fomaml"]}, "algorithms: must be at least one, each once"),
        ({"seeds": MOST_RUNS, "algorithms": ["fomaml", "reptile"]}, "runs: must be a whole number"),
        ({"sweep": {key: [*range(1, 1_000)] for key in MANY}}, "runs: must be a whole number"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_setting(table: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, UnknownSettingError)) as raised:
        expanded(**table)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@given(TABLES)
def test_expansion_is_pure_without_duplicates_and_counted_before(table: dict[str, Any]) -> None:
    specification = specification_of(table)
    runs = specification.expand()
    assert runs == specification_of(table).expand()
    assert len(runs) == specification.size
    assert len({run.digest for run in runs}) == len({run.name for run in runs}) == len(runs)


@given(TABLES, st.randoms())
def test_the_order_of_a_description_changes_no_run(table: dict[str, Any], random: Any) -> None:
    def shuffled(values: Any) -> Any:
        return random.sample(values, len(values)) if isinstance(values, list) else values

    sweep = {key: shuffled(table["sweep"][key]) for key in shuffled([*table["sweep"]])}
    other = {key: shuffled(value) for key, value in table.items()} | {"sweep": sweep}

    def identities(table: dict[str, Any]) -> dict[str, PlannedRun]:
        return {run.name: run for run in expanded(**table)}

    assert identities(table) == identities(other)


@given(TABLES)
def test_runs_of_a_group_differ_in_nothing_but_the_seed(table: dict[str, Any]) -> None:
    settings: dict[str, set[Any]] = {}
    for run in expanded(**table):
        settings.setdefault(run.group, set()).add(dataclasses.replace(run.config, seed=0))
    assert all(len(configs) == 1 for configs in settings.values())
    assert len(set().union(*settings.values())) == len(settings)
