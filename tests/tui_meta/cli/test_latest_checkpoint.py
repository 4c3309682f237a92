"""After a resume from an earlier checkpoint all commands agree on the newest one."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.analysis.answers import RunHistory
from core.analysis.history import HistoryReader
from core.storage.run_index import list_runs, read_run
from core.training.run_plan import plan_resumed
from tui_meta.cli.main import main
from tui_meta.views.runs.details import run_lines
from tui_meta.views.runs.report import recorded_config, report
from tui_meta.views.text import plain

TINY = ["--no-tui", "--eval-interval", "10", "--network.hidden", "4", "--engine", "torch"]
NEWEST, DISCARDED = 30, 40


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to iteration 20, continued to 40, then continued from 20 again, to 30."""
    out = tmp_path_factory.mktemp("runs")
    run = str(out / "fomaml-x")
    begin = [*TINY, "--iterations", "20", "--algorithms", "fomaml", "--out", str(out)]
    assert main([*begin, "--name", "x"]) == 0
    assert main(["resume", "--no-tui", run, "--iterations", str(DISCARDED)]) == 0
    earlier = f"{run}/000000020.safetensors"
    assert main(["resume", "--no-tui", earlier, "--iterations", str(NEWEST)]) == 0
    return Path(run)


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(trained, tmp_path / "run")
    assert (tmp_path / "run" / f"{DISCARDED:09d}.safetensors").exists()
    return tmp_path / "run"


def command(*tokens: str) -> Callable[[Path, pytest.CaptureFixture[str]], str]:
    def output(run: Path, capsys: pytest.CaptureFixture[str]) -> str:
        capsys.readouterr()
        main([token.replace("RUN", str(run)) for token in tokens])
        return capsys.readouterr().out

    return output


def evaluated(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    out = command("eval", "RUN", "--json", "--tasks", "2")(run, capsys)
    return int(msgspec.json.decode(out)["network"]["iteration"])


def compared(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    out = command("compare", "RUN", "RUN/000000020.safetensors", "--tasks", "2")(run, capsys)
    return max(int(found) for found in re.findall(r"(\d+) iterations", out))


def shown(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    out = command("show", "RUN")(run, capsys)
    kept = re.findall(r"(\d{9})\.safetensors +\w+ +[\d.]+ ", out)
    return int(kept[-1])


def listed(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    out = command("runs", "RUN", "--json")(run, capsys)
    return int(msgspec.json.decode(out)["iteration"])


def diffed(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    other = run.parent / "other"
    shutil.copytree(run, other)
    (other / f"{NEWEST:09d}.safetensors").unlink()
    out = command("diff", str(other), "RUN")(run, capsys)
    (row,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["iteration"]]
    return int(row[-1])


def exported(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    target = run.parent / "losses.csv"
    command("export", "RUN", "--to", "csv", "--out", str(target))(run, capsys)
    return max(int(row["iteration"]) for row in csv.DictReader(target.read_text().splitlines()))


def resumed(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    plan = plan_resumed(run)
    plan.folder.release()
    assert plan.resumed is not None
    return plan.resumed.state.iteration


def recalled(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    history = HistoryReader().read(run, lambda: False)
    assert isinstance(history, RunHistory)
    return history.checkpoints[-1].iteration


def on_the_runs_screen(run: Path, capsys: pytest.CaptureFixture[str]) -> int:
    (summary,) = list_runs(run)
    details = read_run(run)
    lines = run_lines(report(details, recorded_config(run, details.record), 0.0), 100)
    marked = [text for one in lines if ", discarded" in (text := plain(one))]
    assert any(f"{DISCARDED:09d}.safetensors" in text for text in marked)
    return summary.iteration or 0


@pytest.mark.parametrize(
    "newest",
    [
        evaluated,
        compared,
        shown,
        listed,
        diffed,
        exported,
        resumed,
        recalled,
        on_the_runs_screen,
    ],
)
def test_the_newest_checkpoint_is_of_the_current_branch(
    run: Path,
    capsys: pytest.CaptureFixture[str],
    newest: Callable[[Path, pytest.CaptureFixture[str]], int],
) -> None:
    assert newest(run, capsys) == NEWEST


def test_show_marks_discarded_checkpoints(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = command("show", "RUN")(run, capsys).splitlines()
    marked = [row for row in rows if ", discarded" in row]
    assert any(f"{DISCARDED:09d}.safetensors" in row for row in marked)
    assert not any(f"{NEWEST:09d}.safetensors" in row for row in marked)


def test_a_damaged_newest_checkpoint_is_skipped_by_all(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = run / f"{NEWEST:09d}.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    for found in (evaluated, compared, shown, resumed, recalled):
        assert found(run, capsys) == 25  # of the history
    main(["eval", str(run), "--tasks", "2"])
    assert f"skipping {newest}: " in capsys.readouterr().err
