"""``core`` names no flag; the command line puts its advice in terms of flags and commands."""

import ast
from pathlib import Path

import core
from core.errors import Advice, RunFolderError
from tui_meta.cli.errors import ADVICE, describe_error


def test_every_kind_of_advice_has_words_of_the_command_line():
    assert set(ADVICE) == set(Advice)


def test_advice_names_the_flag_on_the_command_line_only():
    error = RunFolderError(Path("runs"), "not a folder", Advice.OTHER_OUTPUT)
    assert str(error) == "runs: not a folder; choose another output folder"
    assert describe_error(error) == "runs: not a folder; choose another --out"


def test_who_trains_a_run_can_be_stopped_by_the_advice():
    error = RunFolderError(Path("run"), "being trained by process 7 on vm", Advice.STOP_RUN)
    assert "; stop it first: tui-meta stop ID (see tui-meta ls), or" in describe_error(error)


def test_an_error_without_advice_is_its_statement():
    assert describe_error(RunFolderError(Path("runs"), "not a folder")) == "runs: not a folder"


def test_no_text_of_core_names_a_flag():
    for file in Path(core.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Raise):
                texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
                assert not any(str(text).lstrip().startswith("--") for text in texts), file
                assert not any(" --" in str(text) for text in texts), file
