"""``sweep`` trains what a folder lacks, prints results as they come, and a table at the end."""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.experiments import stored_run
from core.experiments.sweep_folder import SweepFolder
from tests.support.runs import until
from tests.support.sweeps import make_sweep
from tui_meta.cli import background_stdio
from tui_meta.cli.main import main

SMALL = (
    *("--algorithms", "reptile", "--network.hidden", "4", "--iterations", "20"),
    *("--validation.tasks", "3", "--validation.steps", "2", "--engine", "torch"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return Path("rates")


def swept(capsys: pytest.CaptureFixture[str], *tokens: str, code: int = 0) -> str:
    assert main(["sweep", *tokens]) == code
    captured = capsys.readouterr()
    return captured.err if code == 2 else captured.out


def test_results_are_lines_and_a_table_of_groups(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = swept(capsys, "rates", *SMALL, "--seeds", "2", "--sweep", "reptile.inner-lr=0.01,0.02")
    lines = output.splitlines()
    assert lines[0].startswith("4 of 4 runs to train, ")
    assert {line.split(" ")[1].rstrip(":") for line in lines[1:5]} == {
        f"reptile-inner_lr-{rate}-s{seed}" for rate in (0.01, 0.02) for seed in (0, 1)
    }
    assert all("finished, validation loss" in line for line in lines[1:5])
    assert (
        len([line for line in lines if line.startswith(" reptile inner_lr=") and "2/2" in line])
        == 2
    )
    assert "validation: mean loss after the last step, ± 95% interval over seeds" in lines
    assert lines[-1] == "tables and figures: tui-meta report rates"


def test_the_table_is_that_of_an_independent_computation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = swept(capsys, "rates", *SMALL, "--seeds", "3", "--json").splitlines()
    means = [json.loads(line)["last"]["mean"][-1] for line in lines]
    mean = sum(means) / 3
    margin = 4.302653 * (sum((one - mean) ** 2 for one in means) / 2 / 3) ** 0.5
    table = swept(capsys, "rates")
    assert f"{mean:.2f} ± {margin:.2g}" in table


def test_a_sweep_goes_on_without_its_settings_and_is_extended_by_some(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swept(capsys, "rates", *SMALL)
    assert swept(capsys, "rates").startswith("0 of 1 runs to train")
    assert swept(capsys, "rates", "--seeds", "3").startswith("2 of 3 runs to train")
    assert swept(capsys, "rates").startswith("0 of 3 runs to train")


def test_a_dry_run_prints_the_runs_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = swept(capsys, "rates", *SMALL, "--seeds", "7", "--dry-run")
    assert "reptile      7   0 to 6" in output
    assert not folder.exists()
    assert "4 runs in 1 group" in swept(
        capsys, "rates", *SMALL, "--seeds", "7", "--shard", "1/2", "--dry-run"
    )


def test_shards_train_their_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swept(capsys, "rates", *SMALL, "--seeds", "3", "--shard", "2/2")
    assert [one.run for one in SweepFolder(folder).results().values()] == ["reptile-s1"]


def test_a_run_that_diverges_ends_the_sweep_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = swept(capsys, "rates", *SMALL, "--sweep", "reptile.inner-lr=0.01,1e30", code=1)
    assert "diverged, the loss is no longer finite" in output
    assert "1 diverged" in output


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_results_and_says_how_to_continue(
    number: int,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = stored_run.train_in_memory

    def interrupt(run: Any, cancelled: Any, pacing: Any) -> Any:
        if run.config.seed == 1:
            signal.raise_signal(number)
        return train(run, cancelled, pacing)

    monkeypatch.setattr(stored_run, "train_in_memory", interrupt)
    more = ("--seeds", "50", "--workers", "1")
    output = swept(capsys, "rates", *SMALL, *more, code=128 + number)
    assert output.splitlines()[-1] == "interrupted; continue with: tui-meta sweep rates"
    monkeypatch.setattr(stored_run, "train_in_memory", train)
    done = len(SweepFolder(folder).results())
    assert 1 <= done < 50
    assert swept(capsys, "rates").startswith(f"{50 - done} of 50 runs to train")


def test_a_second_interrupt_quits_at_once_however_long_an_iteration_takes(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    has_quit = threading.Event()

    def train(run: Any, cancelled: Callable[[], bool], pacing: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        until(cancelled)
        while not has_quit.is_set():  # and no chunk ends
            os.kill(os.getpid(), signal.SIGINT)
            has_quit.wait(0.01)

    monkeypatch.setattr(stored_run, "train_in_memory", train)
    monkeypatch.setattr(os, "_exit", lambda code: has_quit.set())
    assert main(["sweep", "rates", *SMALL, "--workers", "1"]) == 130
    assert "stopping; Ctrl-C again quits at once" in capfd.readouterr().err
    assert has_quit.is_set()


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard output and error are full pipes, which are not read."""
    monkeypatch.setattr(background_stdio, "PATIENCE_SECONDS", 0.01)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(2**16))
    os.set_blocking(writing, True)
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as out:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", out)
            yield
        draining = threading.Thread(target=reader.read)
        draining.start()
        out.close()
        draining.join()


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("mode", ["text", "json", "reproduce"])
def test_a_reader_that_reads_nothing_holds_up_neither_training_nor_a_signal(
    mode: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = stored_run.train_in_memory

    def interrupt(run: Any, *more: Any) -> Any:
        if run.config.seed == 9:
            signal.raise_signal(signal.SIGTERM)
        return train(run, *more)

    monkeypatch.setattr(stored_run, "train_in_memory", interrupt)
    if mode == "reproduce":
        tokens = ["reproduce", "reptile2018", "--iterations", "20", "--folder", "rates"]
    else:
        tokens = ["sweep", "rates", *SMALL, *(["--json"] if mode == "json" else [])]
    assert main([*tokens, "--seeds", "20", "--workers", "1"]) == 128 + signal.SIGTERM
    assert len(SweepFolder(folder).results()) >= 9


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (("--shard", "3/2"), "--shard: must be I/N, from 1/N to N/N, got '3/2'"),
        (("--workers", "0"), "--workers: must be a whole number from 1 to 10,000, got 0"),
        (("--seeds", "0"), "--seeds: must be a whole number from 1 to 10,000, got 0"),
        (("--seeds", "9000", "--sweep", "iterations=1,2"), "runs: must be a whole number"),
        (("--iterations", "21"), "rates: 1 of its runs are not in this sweep, such as reptile-s0"),
        (("--store", "some"), "store"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tokens: tuple[str, ...],
    message: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    swept(capsys, "rates", *SMALL)
    error = swept(capsys, "rates", *tokens, code=2)
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_command_is_run_at_the_end_and_at_the_first_problem_of_a_kind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = "reptile.inner-lr=0.01,1e30"
    write = 'echo "$TUI_META_EVENT: $TUI_META_MESSAGE" >> messages'
    swept(capsys, "rates", *SMALL, "--seeds", "2", "--sweep", rates, "--notify", write, code=1)
    until(lambda: Path("messages").exists() and Path("messages").read_text().count("\n") == 2)
    first, last = Path("messages").read_text().splitlines()
    assert first.startswith("diverged: reptile-inner_lr-")
    assert last == "finished: the sweep rates has ended: 2 finished, 2 diverged"


def test_dask_that_is_missing_is_named_with_what_brings_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    error = swept(capsys, "rates", *SMALL, "--scheduler", "tcp://there:8786", code=2)
    assert error.startswith("error: tcp://there:8786: distributed is not installed (")
    assert error.endswith("; pip install 'tui-meta[dask]'\n")
    assert not folder.exists()


def test_a_cluster_has_workers_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = ["rates", *SMALL, "--scheduler", "tcp://there:8786", "--workers", "2"]
    assert "--workers cannot be combined with --scheduler" in swept(capsys, *tokens, code=2)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (("rates", "--watch"), "a terminal"),
        (("none", "--watch"), "none: not the folder of a sweep (no sweep.json)"),
        (("rates", "--watch", "--seeds", "3"), "--watch trains nothing"),
        (("rates", "--watch", "--json"), "--watch trains nothing"),
        (("rates", "--watch", "--shard", "1/2"), "--watch trains nothing"),
    ],
)
def test_what_cannot_be_watched_is_one_line(
    tokens: tuple[str, ...], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sweep(folder, {"algorithms": ["reptile"]})
    error = swept(capsys, *tokens, code=2)
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not Path("none").exists()


def test_watching_shows_the_folder_beside_no_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sweep(folder, {"algorithms": ["reptile"]})
    shown: list[tuple[Any, Any]] = []

    def show(session: Any, preferred: Any, *, sweep: Path) -> int:
        shown.append((session.snapshots(), sweep))
        return 0

    monkeypatch.setattr("tui_meta.app.dashboard.run_dashboard", show)
    monkeypatch.setattr("tui_meta.cli.commands.sweep.require_terminal", lambda: None)
    swept(capsys, "rates", "--watch")
    assert shown == [({}, folder)]
