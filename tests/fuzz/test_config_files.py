"""A configuration file from a stranger is used or refused in a line, and that is all it does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LabError
from tests.support.hostile.damage import HOSTILE_TEXT, NUMBERS, PLAIN, altered, damaged
from tests.support.hostile.guards import frugal, harmless
from tests.support.soak import soak
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.settings import configure

TRIED = settings(max_examples=soak(100, 10_000))

MOST_MEMORY = 32 * 2**20
"""Bytes that Python may take for a file of some kB, which may describe ten thousand runs."""

SOUND: dict[str, Any] = {
    "seed": 3,
    "iterations": 100,
    "eval_interval": 10,
    "algorithms": ["reptile", "fomaml"],
    "out": "runs",
    "name": "mine",
    "pace": 100.0,
    "engine": "torch",
    "precision": "float64",
    "fomaml": {"inner_lr": 0.01, "shots": 5, "outer_optimizer": "adam", "adam_betas": [0.5, 0.9]},
    "reptile": {"outer_lr": 0.1, "schedule": "linear"},
    "network": {"hidden": [40, 40], "activation": "relu"},
    "waves": {"x": [-1.0, 1.0], "amplitude": [1, 2]},
    "seeds": 2,
    "sweep": {"reptile.inner_lr": [0.005, 0.01]},
}


def as_toml(plain: Any) -> str:
    """``plain`` as a TOML document, as far as TOML can say it."""
    table = plain if isinstance(plain, dict) else {"it": plain}
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in table.items())


def _value(plain: Any) -> str:
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{_text(key)} = {_value(one)}" for key, one in plain.items()) + "}"
    if isinstance(plain, list):
        return "[" + ", ".join(map(_value, plain)) + "]"
    if isinstance(plain, str):
        return _text(plain)
    return repr(plain).lower()


def _text(plain: str) -> str:
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "c.toml"


def check(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with harmless(), frugal(MOST_MEMORY):
        try:
            settings = configure({}, read_config_file(path), path)
        except LabError as error:
            message = str(error)
        else:
            message = ""
            assert len({run.name for run in settings.runs}) == len(settings.runs) > 0
    assert len(message) < 1_000
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_the_sound_file_is_used(path: Path) -> None:
    path.write_text(as_toml(SOUND))
    settings = configure({}, read_config_file(path), path)
    assert [run.name for run in settings.runs] == [
        *("reptile-inner_lr-0.005-s3", "reptile-inner_lr-0.005-s4"),
        *("reptile-inner_lr-0.01-s3", "reptile-inner_lr-0.01-s4"),
        *("fomaml-s3", "fomaml-s4"),
    ]


@TRIED
@given(content=damaged(as_toml(SOUND).encode()))
def test_a_damaged_file(path: Path, content: bytes) -> None:
    check(path, content)


@TRIED
@given(plain=altered(SOUND))
def test_an_altered_file(path: Path, plain: Any) -> None:
    check(path, as_toml(plain).encode(errors="surrogatepass"))


@TRIED
@given(table=st.sampled_from([*SOUND]), key=HOSTILE_TEXT, value=NUMBERS | PLAIN)
def test_any_setting_of_any_value(path: Path, table: str, key: str, value: Any) -> None:
    check(path, as_toml({table: {key: value}}).encode(errors="surrogatepass"))
    check(path, as_toml({table: value}).encode(errors="surrogatepass"))


@TRIED
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes(path: Path, content: bytes) -> None:
    check(path, content)
