"""``reproduce`` trains what a folder lacks, and prints published losses beside ours."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from core.experiments import stored_run
from core.experiments.sweep_folder import SweepFolder
from core.reproduction.plan import Reproduction
from tests.support.sweeps import result, write_results
from tui_meta.cli.main import main

SMALL = ("reptile2018", "--iterations", "2", "--tasks", "5")
FOLDER = Path("reproduction-2")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def reproduced(capsys: pytest.CaptureFixture[str], *tokens: str, code: int = 0) -> tuple[str, str]:
    assert main(["reproduce", *tokens]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_runs_are_trained_and_their_losses_are_those_of_eval(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, err = reproduced(capsys, *SMALL, "--seeds", "2", "--json")
    assert err.splitlines()[0] == (
        "2 of 2 runs to train, 2 at once; watch them with: tui-meta sweep reproduction-2 --watch"
    )
    assert {line.split(" ")[1] for line in err.splitlines()[1:]} == {
        f"reptile2018.reptile-s{seed}:" for seed in (0, 1)
    }
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["published"]["step"] for row in rows] == [0, 1, 8, 32]
    budget = rows[0]["budget"]
    assert (budget["finished"], budget["iterations"], budget["published_iterations"]) == (
        *(2, 2),
        30_000,
    )
    networks = [str(FOLDER / one.network) for one in SweepFolder(FOLDER).results().values()]
    flags = ["--protocol", "reptile2018", "--steps", "1,8,32", "--tasks", "5", "--json"]
    assert main(["eval", *networks, *flags]) == 0
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    for row, *losses in zip(rows, *(line["losses"] for line in lines), strict=True):
        assert row["ours"]["loss"] == pytest.approx(sum(one["mean"] for one in losses) / 2)


def test_a_network_adapts_at_the_rate_that_it_was_trained_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, _ = reproduced(capsys, "optml2023", *SMALL[1:], "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    (found,) = (
        row["ours"]["loss"]
        for row in rows
        if (row["published"]["method"], row["published"]["step"]) == ("recipe", 5)
    )
    runs = SweepFolder(FOLDER).results().values()
    (network,) = (str(FOLDER / one.network) for one in runs if "recipe" in one.run)
    flags = ["--protocol", "optml2023", "--steps", "5", "--tasks", "5", "--json"]
    assert main(["eval", network, *flags, "--inner-lr", "0.005"]) == 0
    (*_, loss) = json.loads(capsys.readouterr().out)["losses"]
    assert found == pytest.approx(loss["mean"])


@pytest.mark.parametrize("lost", ["file", "name"])
def test_a_run_whose_network_is_not_there_is_trained_again(
    lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = reproduced(capsys, *SMALL)
    (file,) = (FOLDER / "results").glob("*.jsonl")
    (one,) = SweepFolder(FOLDER).results().values()
    if lost == "name":
        file.write_text(file.read_text().replace(one.network, ""))
    (FOLDER / one.network).unlink()
    _, err = reproduced(capsys, *SMALL, "--report", code=2)
    assert err == f"error: {FOLDER}: the network of {one.run} is not there; train it again\n"
    again, err = reproduced(capsys, *SMALL)
    assert err.startswith("1 of 1 runs to train")
    assert again.splitlines()[:5] == out.splitlines()[:5]


def test_a_run_that_a_sweep_has_finished_in_a_folder_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, _ = reproduced(capsys, *SMALL)
    for file in (FOLDER / "results").glob("*.jsonl"):
        file.unlink()
    assert main(["sweep", str(FOLDER), "--store", "all"]) == 0
    capsys.readouterr()
    again, _ = reproduced(capsys, *SMALL, "--report")
    assert again.splitlines()[:5] == out.splitlines()[:5]


def test_a_second_time_nothing_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = reproduced(capsys, *SMALL)
    assert reproduced(capsys, *SMALL) == (out, "")


def test_a_report_trains_nothing_and_counts_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "not the folder of a sweep" in reproduced(capsys, *SMALL, "--report", code=2)[1]
    reproduced(capsys, *SMALL)
    out, err = reproduced(capsys, "recipe", *SMALL, "--seeds", "2", "--report", code=1)
    assert err == ""
    assert "reptile   1 of 2" in out
    assert "maml     0 of 2" in out


def test_a_trial_says_that_it_is_not_the_published_budget(
    capsys: pytest.CaptureFixture[str],
) -> None:
    warning = "NOT the published budget: 2 instead of 30,000 iterations; no verdict"
    for form in ("text", "markdown", "latex"):
        assert warning in reproduced(capsys, *SMALL, "--to", form)[0]


def test_an_interrupted_reproduction_continues(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train = stored_run.train_in_memory

    def interrupt(run: Any, cancelled: Any, pacing: Any) -> Any:
        if run.config.seed == 1:
            signal.raise_signal(signal.SIGINT)
        return train(run, cancelled, pacing)

    monkeypatch.setattr(stored_run, "train_in_memory", interrupt)
    more = ("--seeds", "9", "--workers", "1")
    out, err = reproduced(capsys, *SMALL, *more, code=130)
    assert (out, err.splitlines()[-1]) == ("", "interrupted; the same command continues")
    monkeypatch.setattr(stored_run, "train_in_memory", train)
    done = len(SweepFolder(FOLDER).results())
    assert 1 <= done < 9
    _, err = reproduced(capsys, *SMALL, *more)
    assert err.startswith(f"{9 - done} of 9 runs to train")


def test_a_run_that_diverged_ends_the_command_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs = Reproduction(("reptile2018",), (0, 1), 2).runs(SweepFolder(FOLDER))
    write_results(FOLDER, [result(run, None, "diverged") for run in runs])
    out, _ = reproduced(capsys, *SMALL, "--seeds", "2", code=1)
    assert "0 of 2, 2 diverged" in out


def test_a_page_is_written_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    printed, _ = reproduced(capsys, *SMALL, "--to", "markdown")
    out, err = reproduced(capsys, *SMALL, "--to", "markdown", "--out", "page.md")
    assert (out, err) == ("", "wrote page.md\n")
    assert Path("page.md").read_text() == printed
    assert printed.startswith("### reptile2018, version 1: Nichol, Achiam and Schulman 2018")


def test_a_paper_has_tables_of_booktabs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = reproduced(capsys, *SMALL, "--to", "latex")[0].splitlines()
    assert lines[0].startswith("% reptile2018, version 1: ")
    assert lines.count("\\toprule") == lines.count("\\bottomrule") == 2
    assert "method & K & steps & published & ours & $\\pm$ tasks & $\\pm$ seeds" in lines[4]
    assert all(line.startswith("% ") for line in lines[lines.index("") + 1 :])


def test_a_dry_run_prints_the_runs_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = reproduced(capsys, "finn2017-code", "reptile2018", "--seeds", "3", "--dry-run")
    assert "finn2017-code.maml" in out
    assert "6 runs in 2 groups" in out
    assert not Path("reproduction").exists()


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (("fin2017",), 'Did you mean "finn2017"?'),
        (("--seeds", "0"), "--seeds: must be a whole number from 1 to 10,000, got 0"),
        (("--seeds", "3,1e3"), "--seeds: must be a whole number, got '1e3'"),
        (("--iterations", "0"), "--iterations: must be a whole number from 1"),
        (("--tasks", "1"), "--tasks: must be a whole number from 2 to 100,000, got 1"),
        (("--workers", "0"), "--workers: must be a whole number from 1 to 10,000, got 0"),
        (("--out", "x.md"), "--out needs --to markdown or latex"),
        (("--to", "word"), "to"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tokens: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = reproduced(capsys, *tokens, code=2)
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
