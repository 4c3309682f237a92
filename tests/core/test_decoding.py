"""Errors in configuration files name the setting, and for a misspelt one the nearest."""

from __future__ import annotations

from typing import Any

import pytest

from core.config import RunConfig
from core.errors import ConfigError, UnknownSettingError

FOMAML: dict[str, Any] = {"algorithm": {"name": "fomaml"}}


@pytest.mark.parametrize(
    ("plain", "where", "key", "nearest"),
    [
        ({**FOMAML, "sead": 1}, "the configuration", "sead", "seed"),
        ({**FOMAML, "iteration": 1}, "the configuration", "iteration", "iterations"),
        ({"algorithm": {"name": "fomaml", "outerlr": 1}}, "algorithm", "outerlr", "outer_lr"),
        ({"algorithm": {"name": "reptile", "epochs": 1}}, "algorithm", "epochs", "inner_epochs"),
        ({**FOMAML, "network": {"hiden": [1]}}, "network", "hiden", "hidden"),
        ({**FOMAML, "waves": {"phases": [0, 1]}}, "waves", "phases", "phase"),
    ],
)
def test_a_misspelt_setting_suggests_the_nearest(
    plain: dict[str, Any], where: str, key: str, nearest: str
) -> None:
    with pytest.raises(UnknownSettingError) as caught:
        RunConfig.from_dict(plain)
    assert (caught.value.where, caught.value.key) == (where, key)
    assert f"did you mean {nearest!r}?" in str(caught.value)


def test_an_unknown_setting_lists_all_known_ones() -> None:
    with pytest.raises(UnknownSettingError, match="known: hidden, activation"):
        RunConfig.from_dict({**FOMAML, "network": {"zzz": 1}})


def test_a_setting_of_another_algorithm_is_unknown() -> None:
    with pytest.raises(UnknownSettingError, match="'shots' in algorithm"):
        RunConfig.from_dict({"algorithm": {"name": "reptile", "shots": 5}})


@pytest.mark.parametrize("name", ["mamal", "", "FOMAML", None, 3, ["fomaml"], {}])
def test_an_unknown_algorithm_is_neither_built_in_nor_registered(name: object) -> None:
    with pytest.raises(ConfigError, match="must be built in or registered") as caught:
        RunConfig.from_dict({"algorithm": {"name": name}})
    assert caught.value.field == "algorithm.name"


def test_a_missing_algorithm_is_named() -> None:
    with pytest.raises(ConfigError, match="a table with algorithm"):
        RunConfig.from_dict({"seed": 1})


@pytest.mark.parametrize("plain", [None, 3, "text", [], [1], {1: 2}, {"algorithm": 5}])
def test_a_value_that_is_not_a_table_is_refused(plain: object) -> None:
    with pytest.raises(ConfigError, match="must be a table of settings"):
        RunConfig.from_dict(plain)


def test_a_long_or_broken_value_is_shortened_to_one_line() -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_dict({**FOMAML, "device": "cp\nu" * 1_000})
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 200


def test_a_long_unknown_key_is_shortened_to_one_line() -> None:
    with pytest.raises(UnknownSettingError) as caught:
        RunConfig.from_dict({**FOMAML, "k\n" * 1_000: 1})
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300
