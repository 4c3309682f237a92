"""A family, an algorithm and a network from files: trained, resumed, evaluated and exported."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.engines import make_engine
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.run_folder import read_record
from tests.support.own_code import forget, write_files
from tests.support.states import bits
from tui_meta.cli.main import main

pytestmark = pytest.mark.usefixtures("registries")

SMALL = ["--validation.tasks", "2", "--validation.steps", "1", "--eval-interval", "9", "--no-tui"]
OWN = ["--tasks", "planes.py:Planes", "--model", "nets.py:residual"]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)


def test_all_three_are_trained_resumed_evaluated_and_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = [*OWN, "--algorithms", "halves.py:Halves", "fomaml", "--name", "x", "--precision"]
    assert main([*new, "float64", *SMALL, "--iterations", "3"]) == 0
    out = capsys.readouterr().out
    assert "PyTorch trains, as the fused engine cannot" in out
    names = [tmp_path / name for name in ("planes.py", "halves.py", "nets.py")]
    assert set(os.environ["TUI_META_CODE"].split(":")) == set(map(str, names))
    run, other = (Path("checkpoints") / name for name in ("halves-x", "fomaml-x"))
    plain = read_record(run).config
    assert (plain["model"], plain["tasks"]["name"]) == ("residual", "planes")
    assert "network" not in plain

    assert main(["resume", str(run), "--no-tui", "--iterations", "5"]) == 0
    found = latest_checkpoint(run).checkpoint
    engine = make_engine(found.config)
    assert bits(found.state) == bits(engine.advance(engine.initial_state(), 5).state)

    assert main(["eval", str(run), "--protocol", "source", "--tasks", "3"]) == 0
    assert main(["eval", str(run), "--protocol", "finn-5-shot"]) == 2
    problem = "sine waves: 1 and 1 inputs and outputs, where the run's planes have 2 and 1"
    assert problem in capsys.readouterr().err
    assert main(["compare", str(run), str(other), "--tasks", "3"]) == 0
    assert main(["export", str(run), "--to", "csv", "--out", "-"]) == 0
    assert main(["show", str(run)]) == 0
    assert main(["config", *OWN]) == 0
    out = capsys.readouterr().out
    assert "Halves, 5 iterations, seed 0, residual, inner lr 0.001" in out
    assert "task.a" in out
    assert 'model = "residual"' in out
    assert main(["runs", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed


def test_code_that_ends_the_program_is_one_line_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "halves.py"
    budget = "    @property\n    def budget(self):\n        raise SystemExit(4)\n"
    file.write_text(f"{file.read_text().rstrip()}\n\n{budget}")
    line = file.read_text().splitlines().index("        raise SystemExit(4)") + 1
    assert main(["--algorithms", "halves.py:Halves", *SMALL]) == 1
    assert capsys.readouterr().err.endswith(f"{file}:{line}: SystemExit: 4\n")


def test_a_folder_whose_files_are_not_named_says_so_in_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tests.support.own_code import FILES

    new = [*OWN, "--algorithms", "halves.py:Halves", "--name", "x", *SMALL, "--iterations", "2"]
    assert main(new) == 0
    capsys.readouterr()
    named = {"halves.py": "algorithm.name", "planes.py": "tasks.name", "nets.py": "model"}
    for file, setting in named.items():
        forget()
        os.environ["TUI_META_CODE"] = ":".join(FILES.keys() - {file})
        for command in (["eval"], ["resume", "--no-tui"]):
            assert main([*command, "checkpoints/halves-x"]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert f"{setting}: must be built in or registered, got " in line
            assert line.endswith("set TUI_META_CODE to the Python file that registers it")
        assert main(["runs"]) == 0
        assert "halves-x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("losses.mean(), gr", "losses, gr", "outer_gradient must return a loss and a gradient of"),
        ("gradients.mean(0)", "1 / 0", "ZeroDivisionError: division by zero"),
        ("gradients.mean(0)", "(0 / theta - 1).log()", "no longer finite in iteration 1 (computed"),
    ],
)
def test_an_error_in_a_users_code_ends_its_run_and_no_other(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    problem: str,
) -> None:
    path = tmp_path / "halves.py"
    path.write_text(path.read_text().replace(old, new))
    both = [*OWN, "--algorithms", "halves.py:Halves", "fomaml", "--name", "x"]
    assert main([*both, *SMALL, "--iterations", "2"]) != 0
    captured = capsys.readouterr()
    (line,) = [one for one in (captured.out + captured.err).splitlines() if problem in one]
    assert f"{path}:" in line
    assert latest_checkpoint(Path("checkpoints/fomaml-x")).checkpoint.state.iteration == 2


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("nets.py", ".flatten(1).tanh()", "", "nets.py:14: RuntimeError: "),
        ("nets.py", "return self.last(", "return self.middle(", "must return (5, 1), got (5, 6)"),
        ("planes.py", "a * x.sum", "a * __import__('random').random() * x.sum", "drawn twice"),
        ("planes.py", "keepdims=True", "keepdims=False", "must return the shape (3, 5, 1)"),
    ],
)
def test_code_that_cannot_be_trained_is_refused_in_a_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    problem: str,
) -> None:
    path = tmp_path / file
    path.write_text(path.read_text().replace(old, new))
    assert main([*OWN, *SMALL, "--iterations", "2"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line
    assert f"{path}:" in line
    assert not Path("checkpoints").exists()


def test_no_folder_of_a_sweep_imports_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["--algorithms", "halves.py:Halves", "--iterations", "1", "--validation.tasks", "2"]
    assert main(["sweep", "rates", *OWN, *own]) == 0
    file = tmp_path / "rates" / "sweep.json"
    named = file.read_text()
    forget()
    os.environ["TUI_META_CODE"] = ""
    capsys.readouterr()
    for text in (named, named.replace('"planes"', f'"{tmp_path}/planes.py:Planes"')):
        file.write_text(text)
        for command in ("sweep", "report"):
            assert main([command, "rates"]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert "must be one of" in line
            assert line.endswith("set TUI_META_CODE to the Python file that registers it")
    assert not os.environ["TUI_META_CODE"]


def test_an_error_in_a_users_code_is_no_bug_of_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*OWN, "--algorithms", "fomaml", "--name", "x", *SMALL, "--iterations", "1"]) == 0
    capsys.readouterr()
    forget()
    path = tmp_path / "planes.py"
    later = "return 1 / 0 if len(a) > 3 else a * x.sum(-1, keepdims=True)"
    path.write_text(path.read_text().replace("return a * x.sum(-1, keepdims=True)", later))
    assert main(["--dry-run", *OWN]) == 0
    assert main(["eval", "checkpoints/fomaml-x", "--protocol", "source", "--tasks", "5"]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}:13: ZeroDivisionError: division by zero; details are in")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "broken.py: not a Python file that exists"),
        ("\nx = 1 / 0\n", "broken.py:2: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_cannot_be_imported_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    problem: str,
) -> None:
    if text is not None:
        (tmp_path / "broken.py").write_text(text)
    monkeypatch.setenv("TUI_META_CODE", str(tmp_path / "broken.py"))
    assert main(["runs"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path}/broken.py: ")
    assert problem in error
    assert len(error.splitlines()) == 1
