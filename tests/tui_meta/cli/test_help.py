"""The help is instant, complete, and made from the configuration's dataclasses."""

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest

from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.models.settings import NetworkConfig
from core.tasks.sine import SineTasks
from tui_meta.cli import settings
from tui_meta.cli.main import COMMANDS, app, main

HEAVY = ("torch", "numpy", "numba", "textual", "plotext", "safetensors")

LOADED = """
import json, sys
from tui_meta.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded_by(*tokens: str) -> tuple[int, set[str]]:
    command = [sys.executable, "-c", LOADED, *tokens]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "tokens", [["--help"], ["train", "--help"], ["eval", "--help"], ["--version"], ["--bogus"]]
)
def test_nothing_heavy_is_imported_to_answer_at_once(tokens):
    code, modules = loaded_by(*tokens)
    assert code == (2 if tokens == ["--bogus"] else 0)
    assert modules.isdisjoint(HEAVY)


def test_headless_training_never_loads_textual(tmp_path):
    tokens = ["--no-tui", "--iterations", "1", "--out", str(tmp_path)]
    code, modules = loaded_by(*tokens)
    assert code == 0
    assert "core.training.trainer" in modules
    assert modules.isdisjoint({"textual", "plotext"})


def help_text(capsys, *tokens: str) -> str:
    assert main([*tokens, "--help"]) == 0
    return capsys.readouterr().out


def described_settings():
    for prefix, kind in [("", RunConfig), ("network.", NetworkConfig), ("waves.", SineTasks)]:
        for field in dataclasses.fields(kind):
            if field.name not in ("algorithm", "network", "waves"):
                yield prefix + field.name
    for name, kind in ALGORITHMS.items():
        for field in dataclasses.fields(kind):
            yield f"{name}.{field.name}"


def test_every_setting_of_core_is_a_flag_with_its_default(capsys):
    text = help_text(capsys)
    for setting in described_settings():
        assert f"--{setting.replace('_', '-')} " in text
    folded = " ".join(text.replace("│", " ").split())
    for field in dataclasses.fields(NetworkConfig):
        shown = " ".join(map(str, field.default)) if field.name == "hidden" else field.default
        assert f"[default: {shown}]" in folded
    assert f"[default: {RunConfig.iterations}]" in folded


def test_the_help_is_grouped_and_ends_with_examples(capsys):
    text = help_text(capsys)
    order = ["Commands", "Run", "Output", "FOMAML", "Reptile", "Network", "Waves", "Validation"]
    places = [text.index(f"╭─ {title} ─") for title in order]
    assert places == sorted(places)
    assert text.index("Examples:") > places[-1]
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(capsys, command):
    text = help_text(capsys, command)
    assert f"Usage: tui-meta {command}" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_is_no_docstring_which_optimization_removes(command):
    assert app[command].help
    assert app[command].default_command.__doc__ is None


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("ls", "--json"),
        ("attach", "--read-only"),
        ("eval", "--json"),
        ("export", "--force"),
        ("rm", "--yes"),
    ],
)
def test_the_help_of_a_command_lists_its_switches(capsys, command, flag):
    assert f" {flag} " in help_text(capsys, command)


@dataclass(frozen=True, kw_only=True)
class Third(Algorithm):
    name: ClassVar[str] = "third"
    title: ClassVar[str] = "Third"

    outer_lr: float = 0.5
    tasks: int = 2
    depth: int = 7
    """How deep."""


def test_a_further_algorithm_gets_its_flags_by_itself(monkeypatch):
    monkeypatch.setitem(settings.TABLES, "third", Third)
    flags = settings.flags().__annotations__
    assert "third.depth" in flags
    assert "third.inner_lr" in flags


def test_shells_can_complete_every_flag():
    for shell in ("bash", "zsh", "fish"):
        script = app.generate_completion(shell=shell)
        assert "fomaml.inner-lr" in script
        for command in COMMANDS:
            assert command in script
        for choice in ("tensorboard", "iteration"):
            assert choice in script


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tui-meta ")
