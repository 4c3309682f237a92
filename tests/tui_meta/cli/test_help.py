"""The help is instant, complete, and made from the configuration's dataclasses."""

import dataclasses
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
from cyclopts import App

from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.models.settings import NetworkConfig
from core.tasks.sine import SineTasks
from core.version import NAME_AND_VERSION
from tui_meta.cli import flags
from tui_meta.cli.definitions.command_line import COMMANDS, app
from tui_meta.cli.definitions.help_page import Medium
from tui_meta.cli.main import main
from tui_meta.output import Output

HEAVY = {"torch", "numpy", "numba", "textual", "plotext", "safetensors"}
FOR_COMMANDS = {"msgspec", "platformdirs", "rich.console", "cyclopts.help", "tomllib", "hashlib"}
"""What answers without a command need none of; each takes some milliseconds."""

OF_FEW_RUNS = {"core.algorithms.maml", "core.tasks.polynomials"}
"""Settings that default runs do not have."""

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
    assert tokens == ["--bogus"] or not modules & FOR_COMMANDS
    assert ("cyclopts" in modules) == (tokens != ["--version"])
    assert tokens != ["--help"] or not modules & OF_FEW_RUNS


def test_headless_training_never_loads_textual(tmp_path):
    tokens = ["--no-tui", "--iterations", "1", "--out", str(tmp_path)]
    code, modules = loaded_by(*tokens)
    assert code == 0
    assert "core.training.trainer" in modules
    assert modules.isdisjoint({"textual", "plotext"})


def shown(draw: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the characters that ``draw`` prints, each with the codes of its style."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    draw()
    sys.stdout.flush()
    characters, codes = [], ""
    for part in re.split(r"(\x1b\[[\d;]*m)", sys.stdout.buffer.getvalue().decode()):
        if part.startswith("\x1b"):
            codes = part[2:-1].removesuffix("0")
        else:
            characters += [(one, codes if one.strip() else "") for one in part]
    return characters


def draw_with_rich(command: list[str]) -> None:
    App.help_print(app, command, console=Output())


LOOKS: dict[str, dict[str, str]] = {
    "many colours": {"COLUMNS": "80", "TERM": "xterm-256color"},
    "narrow": {"COLUMNS": "44", "TERM": "xterm-256color"},
    "no colours, wide": {"COLUMNS": "133", "TERM": "xterm-256color", "NO_COLOR": "1"},
    "ASCII": {"COLUMNS": "100", "TERM": "linux", "FORCE_COLOR": ""},
    "no style": {"COLUMNS": "80", "TERM": "xterm", "FORCE_COLOR": ""},
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_page_looks_as_cyclopts_draws_it(look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "COLORTERM": "", **LOOKS[look]}.items():
        monkeypatch.setenv(name, value)
    some = [[], ["export"], ["compare"], ["attach"]]
    every = [[], *([one] for one in COMMANDS), ["--install-completion"]]
    for command in every if look == "many colours" else some:
        expected = shown(partial(draw_with_rich, command), monkeypatch)
        found = shown(partial(app.help_print, command), monkeypatch)
        assert found == expected, command


def test_flags_are_analysed_as_by_cyclopts() -> None:
    of_cyclopts = App.assemble_argument_collection(app)
    assert [(one.parameter, one.keys, one.hint) for one in app.assemble_argument_collection()] == [
        (one.parameter, one.keys, one.hint) for one in of_cyclopts
    ]


@pytest.mark.parametrize(
    ("environment", "note"),
    [
        ({"TERM": "xterm"}, "37"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "38;5;246"),
        ({"TERM": "xterm-256color"}, "38;5;246"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ""),
        ({"TERM": "dumb"}, ""),
    ],
)
def test_notes_are_grey_in_the_colours_of_the_terminal(
    environment: dict[str, str], note: str
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    medium = Medium.of(stream, {**environment, "FORCE_COLOR": "1"})
    assert medium.paint("x", "note") == (f"\x1b[{note}m" + "x\x1b[0m" if note else "x")


@pytest.mark.parametrize("columns", [1, 7, 20])
def test_a_narrow_terminal_has_its_help(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert "resume" in "".join(re.findall(r"\w", help_text(capsys)))


@pytest.mark.parametrize("tokens", ["eval --help", "--help eval", "eval run -h", "--seed 3 --help"])
def test_help_may_be_asked_for_anywhere(tokens: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tokens.split()) == 0
    page = capsys.readouterr().out
    assert page == help_text(capsys, *["eval"] * ("eval" in tokens))


@pytest.mark.parametrize("tokens", [[], ["eval"], ["eval", "run"], ["--seed", "3"]])
def test_the_version_may_be_asked_for_anywhere(
    tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*tokens, "--version"]) == 0
    assert capsys.readouterr().out == f"{NAME_AND_VERSION}\n"


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
    text = help_text(capsys, "train")
    for setting in described_settings():
        assert f"--{setting.replace('_', '-')} " in text
    folded = " ".join(text.replace("│", " ").split())
    for field in dataclasses.fields(NetworkConfig):
        shown = " ".join(map(str, field.default)) if field.name == "hidden" else field.default
        assert f"[default: {shown}]" in folded
    assert f"[default: {RunConfig.iterations}]" in folded


def test_the_help_of_the_program_has_the_settings_of_default_runs_alone(capsys):
    text, every = help_text(capsys), help_text(capsys, "train")
    assert "tui-meta train --help" in text
    assert "tui-meta train --help" not in every
    assert "--maml." in every
    flags, all_flags = (set(re.findall(r"--[\w.-]*\w", page)) for page in (text, every))
    assert flags - all_flags == {"--install-completion", "--help", "--version"}
    assert {flag.split(".")[0] for flag in flags if "." in flag} == {
        *("--fomaml", "--reptile", "--network", "--waves", "--validation")
    }


@pytest.mark.parametrize("command", [(), ("train",)])
def test_settings_that_few_runs_have_are_flags_too(capsys, command):
    tokens = ("--algorithms", "maml", "--maml.inner-steps", "3", "--tasks", "line")
    assert main([*command, *tokens, "--line.slope", "1", "2", "--dry-run"]) == 0
    assert "1 run " in capsys.readouterr().out
    assert main([*command, "--maml.inner-step", "3"]) == 2
    assert "--maml.inner-step. Did you mean --maml.inner-steps?" in capsys.readouterr().err


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
    monkeypatch.setitem(flags.TABLES, "third", Third)
    made = flags.flags().__annotations__
    assert "third.depth" in made
    assert "third.inner_lr" in made


def test_shells_can_complete_every_flag():
    for shell in ("bash", "zsh", "fish"):
        script = app.generate_completion(shell=shell)
        assert "fomaml.inner-lr" in script
        for command in COMMANDS:
            assert command in script
        for choice in ("tensorboard", "iteration"):
            assert choice in script
