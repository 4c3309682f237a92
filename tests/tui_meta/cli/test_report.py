"""``report`` turns a sweep into tables and a figure."""

import csv
import io
import sys
from pathlib import Path

import pandas
import pytest

from core.experiments.results import RunResult
from core.experiments.specification import specification_of
from core.experiments.sweep import ThreadExecutor, opened
from core.experiments.sweep_folder import Shard, SweepFolder
from tui_meta.cli.main import main

TABLE = {
    "algorithms": ["reptile"],
    "network": {"hidden": [4]},
    "iterations": 110,
    "validation": {"tasks": 3, "steps": [2]},
    "engine": "torch",
    "seeds": 2,
    "sweep": {"reptile.inner_lr": [0.01, 0.02], "network.hidden": [[3], [3, 2]]},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SweepFolder:
    folder = SweepFolder(tmp_path_factory.mktemp("sweeps") / "rates")
    folder.specify(TABLE)
    with opened(folder, Shard(), "none") as sweep:
        for _ in sweep.train(ThreadExecutor(2)):
            pass
    return folder


def reported(capsys: pytest.CaptureFixture[str], *tokens: str, code: int = 0) -> str:
    assert main(["report", *tokens]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_markdown_has_a_row_for_each_group(
    trained: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = reported(capsys, str(trained.path)).splitlines()
    assert lines[0].split("|")[1:6] == [
        *(" algorithm ", " network.hidden ", " reptile.inner_lr ", " seeds  "),
        " validation loss ",
    ]
    cells = [[cell.strip() for cell in line.split("|")[1:5]] for line in lines[2:6]]
    assert cells == [
        ["reptile", hidden, rate, "2 of 2"] for hidden in ("3", "3, 2") for rate in ("0.01", "0.02")
    ]
    assert lines[7] == "validation: mean loss after the last step, ± 95% interval over seeds."
    assert lines[8].endswith("3 comparisons, each at 98.33%.")


def test_latex_is_a_table_of_booktabs(
    trained: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    text = reported(capsys, str(trained.path), "--to", "latex")
    lines = text.splitlines()
    assert lines[:2] == ["\\begin{tabular}{llllll}", "\\toprule"]
    assert "network.hidden & reptile.inner\\_lr & seeds" in lines[2]
    assert lines[4].startswith("reptile & 3 & 0.01 & 2 of 2 & ")
    assert "$\\pm$" in lines[4]
    assert "\\bottomrule" in lines
    assert all(line.count("&") == 5 for line in lines if line.endswith("\\\\"))


def test_csv_has_a_row_for_each_run_with_the_numbers_of_its_result(
    trained: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(reported(capsys, str(trained.path), "--to", "csv"))))
    results: dict[str, RunResult] = {one.run: one for one in trained.results().values()}
    assert {row["run"] for row in rows} == set(results)
    for row in rows:
        result = results[row["run"]]
        assert result.last is not None
        assert float(row["validation"]) == result.last.mean[-1]
        assert float(row["training_loss"]) == result.training_loss
        assert int(row["points"]) == result.spent.points
        assert float(row["reptile.inner_lr"]) == result.varied["reptile.inner_lr"]


def test_means_and_intervals_are_those_of_the_table_of_runs(
    trained: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pandas.read_csv(io.StringIO(reported(capsys, str(trained.path), "--to", "csv")))
    by_group = table.groupby("group", sort=False)["validation"]
    margins = 12.706205 * by_group.sem()
    lines = reported(capsys, str(trained.path)).splitlines()[2:6]
    shown = [line.split("|")[5].strip().split(" ± ") for line in lines]
    for (mean, margin), expected, width in zip(shown, by_group.mean(), margins, strict=True):
        assert float(mean) == pytest.approx(expected, rel=0.01)
        assert float(margin) == pytest.approx(width, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdf", "png", "svg"])
def test_a_figure_has_a_curve_for_each_group(
    kind: str, trained: SweepFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curves.{kind}"
    assert reported(capsys, str(trained.path), "--figure", str(path)) == ""
    content = path.read_bytes()
    begins = {"pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<?xml"}
    assert content.startswith(begins[kind])
    reported(capsys, str(trained.path), "--figure", str(path))
    if kind != "svg":  # whose identifiers are random
        assert path.read_bytes() == content


def test_a_table_is_written_into_a_file(
    trained: SweepFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rates.tex"
    assert reported(capsys, str(trained.path), "--to", "latex", "--out", str(path)) == ""
    assert path.read_text() == reported(capsys, str(trained.path), "--to", "latex")


def test_an_output_may_be_a_folder_or_standard_output(
    trained: SweepFolder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = reported(capsys, str(trained.path))
    assert reported(capsys, str(trained.path), "--out=-") == printed
    name = trained.path.name
    for to, ending in (("markdown", "md"), ("csv", "csv"), ("latex", "tex")):
        assert reported(capsys, str(trained.path), "--to", to, "--out", "tables/") == ""
        assert (tmp_path / "tables" / f"{name}.{ending}").is_file()
    assert Path(f"tables/{name}.md").read_text() == printed
    assert reported(capsys, str(trained.path), "--out", "tables") == ""
    assert [one.name for one in tmp_path.iterdir()] == ["tables"]


def test_a_figure_is_one_line_where_nothing_can_be_written(
    trained: SweepFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "matplotlib.figure":
                raise OSError("Matplotlib requires access to a writable cache directory")

    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    error = reported(capsys, str(trained.path), "--figure", "a.pdf", code=2)
    assert error.startswith("error: --figure: matplotlib finds no folder that can be written; set")
    assert error.count("\n") == 1


def test_runs_with_names_of_their_own_have_a_column_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [
        {"name": name, "algorithm": "reptile", "reptile": {"inner_lr": rate}}
        for name, rate in (("slow", 0.001), ("fast_one", 0.1))
    ]
    folder = SweepFolder(tmp_path / "named")
    folder.specify({"runs": runs})
    assert len(specification_of({"runs": runs}).expand()) == 2
    lines = reported(capsys, str(folder.path)).splitlines()
    assert lines[0].startswith("| run      | algorithm | seeds  |")
    assert lines[2].startswith("| slow     | reptile   | 0 of 1 | -  ")


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (("nowhere",), "nowhere: not the folder of a sweep (no sweep.json)"),
        (("{rates}", "--figure", "a.foo"), "--figure a.foo: unknown format; use one of "),
        (("{rates}", "--out", "/dev/null/file"), "/dev/null: not a folder"),
        (("{rates}", "--out", "--to"), "--out needs a value; see tui-meta report --help"),
        (("{rates}", "--figure", "--to"), "--figure needs a value; see tui-meta report --help"),
        (("{rates}", "--figure=-"), "--figure -: a figure needs a file; choose another --figure"),
    ],
)
def test_what_cannot_be_reported_is_one_line(
    tokens: tuple[str, ...],
    message: str,
    trained: SweepFolder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [token.format(rates=trained.path) for token in tokens]
    error = reported(capsys, *words, code=2)
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_figure_without_matplotlib_names_the_extra(
    trained: SweepFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    error = reported(capsys, str(trained.path), "--figure", "a.pdf", code=2)
    assert error == "error: --figure needs matplotlib; pip install 'tui-meta[figures]'\n"


def test_a_sweep_that_holds_no_valid_settings_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.json"
    file.write_text('{"settings": {"sweep": {"a.b": [1]}}}')
    error = reported(capsys, str(tmp_path), code=2)
    assert error.startswith(f"error: {file}: damaged (unknown setting 'a.b' in sweep)")
    assert main(["sweep", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: unknown setting 'a.b' in [sweep] of {file};")
