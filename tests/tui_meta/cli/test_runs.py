"""``runs`` lists a folder as a table, as tab-separated lines or as JSON."""

import json
import subprocess
import sys
from functools import partial
from unittest.mock import patch

import pytest

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.events import Finished
from core.models.settings import NetworkConfig
from core.storage import run_index as catalogue
from tests.support.run_folders import NASTY, make_run, progress, stamp, started, validated
from tui_meta.cli.main import main
from tui_meta.output import Output

LOADED = """
import sys
from tui_meta.cli.main import main
code = main(sys.argv[1:])
print(code, *sys.modules, file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("tui_meta.cli.commands.runs.time.time", lambda: 1_000.0 + 3_725)
    events = [started(), validated(500, 3.0, 0.0123), progress(1_000), Finished(**stamp(1_000))]
    make_run(tmp_path / "checkpoints" / "fomaml-20261123-101500", events)
    make_run(tmp_path / "checkpoints" / "fomaml-b", [started(), progress(100)])
    return tmp_path / "checkpoints"


def listed(capsys, *tokens):
    assert main(["runs", *tokens]) == 0
    return capsys.readouterr().out


def on_a_terminal(capsys, monkeypatch, *tokens):
    """In a terminal of 80 columns without colours."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    return listed(capsys, *tokens)


def test_a_program_gets_a_line_for_each_run_with_tabs_between(folder, capsys):
    assert listed(capsys, "--sort", "name") == (
        "fomaml-20261123-101500\tfomaml\tfinished\t1000\t1000\t0.0123\t500\t3725\t\t"
        "0.01107\t0.013530000000000002\n"
        "fomaml-b\tfomaml\tinterrupted\t100\t1000\t\t\t3725\t\t\t\n"
    )


def test_json_is_one_object_a_line(folder, capsys):
    first, second = map(json.loads, listed(capsys, "--json", "--sort", "best").splitlines())
    assert first["name"] == "fomaml-20261123-101500"
    assert first["state"] == "finished"
    assert first["best"] == {
        "iteration": 500,
        "mean": 0.0123,
        "low": pytest.approx(0.01107),
        "high": pytest.approx(0.01353),
    }
    assert (second["state"], second["best"], second["last_event"]) == ("interrupted", None, 1_000.0)
    assert first["config"] == RunConfig(algorithm=Fomaml(), iterations=1_000).to_dict(complete=True)


def test_a_terminal_gets_a_table_in_80_columns(folder, capsys, monkeypatch):
    out = on_a_terminal(capsys, monkeypatch)
    assert max(map(len, out.splitlines())) <= 80
    row = next(line for line in out.splitlines() if "101500" in line)
    assert row.split() == [
        *("fomaml-20261123-101500", "finished", "1,000", "/", "1,000"),
        *("0.0123", "±", "0.0012", "1", "h"),
    ]


@pytest.mark.parametrize("length", [24, 45, 120])
def test_a_name_is_never_broken(folder, capsys, monkeypatch, length):
    name = "reptile-" + "x" * (length - 8)
    make_run(folder / name, [started(), validated(500, 3.0, 0.0123), Finished(**stamp(1_000))])
    out = on_a_terminal(capsys, monkeypatch)
    assert f" {name} " in out
    assert "fomaml-20261123-101500 " in out
    assert ("0.0123 ± 0.0012" in out) == (length < 45)


def test_who_trains_a_run_is_in_the_table(folder, capsys, monkeypatch):
    with patch.object(catalogue, "owner_words", return_value="process 7 on vm"):
        out = on_a_terminal(capsys, monkeypatch, "checkpoints/fomaml-b")
    folded = " ".join(out.split())
    assert "training by" in folded
    assert "process 7" in folded


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        *(("age", "c"), ("name", "a"), ("state", "b"), ("iteration", "d")),
        *(("validation", "e"), ("best", "e")),
    ],
)
def test_what_comes_first_is_chosen(tmp_path, capsys, sort, first):
    make_run(tmp_path / "a", [progress(100)])
    make_run(tmp_path / "b", [Finished(**stamp(100))])
    make_run(tmp_path / "c", [Finished(**stamp(100, time=2_000.0))])
    make_run(tmp_path / "d", [progress(200)])
    make_run(tmp_path / "e", [validated(100, 0.5)])
    assert listed(capsys, str(tmp_path), "--sort", sort)[0] == first


def wide_output(columns):
    """Standard output of this width; a terminal without colours has 80 columns otherwise."""
    output = Output()
    output.size = (columns, 24)
    return output


def test_settings_that_differ_are_columns_as_long_as_there_is_room(tmp_path, capsys, monkeypatch):
    for seed in (3, 4):
        algorithm = Fomaml(inner_lr=0.1 * seed, adam_betas=(0.5, 0.9))
        config = RunConfig(algorithm=algorithm, seed=seed, network=NetworkConfig(hidden=(8, seed)))
        make_run(tmp_path / f"run-with-a-longer-name-{seed}", [validated(7, 0.5)], config)
    for columns, shown in {140: ["inner_lr", "hidden", "seed"], 95: ["inner_lr"]}.items():
        monkeypatch.setattr("tui_meta.cli.commands.runs.Output", partial(wide_output, columns))
        heading, _, row, *_ = on_a_terminal(capsys, monkeypatch, str(tmp_path)).splitlines()[1:]
        assert heading.split() == ["name", *shown, "state", "iteration", "validation", "age"]
        assert row.split()[1 : len(shown) + 1] == ["0.3", "8-3", "3"][: len(shown)]


def test_a_damaged_run_is_one_line_and_the_others_are_listed(folder, capsys, monkeypatch):
    (make_run(folder / "bad") / "run.json").write_text("{")
    *sound, damaged = listed(capsys).splitlines()
    assert len(sound) == 2
    assert damaged.startswith("bad\t\tdamaged\t\t\t\t\t\t")
    assert "run.json: damaged" in damaged
    out = on_a_terminal(capsys, monkeypatch)
    (line,) = [line for line in out.splitlines() if line.startswith("damaged: ")]
    assert "bad/run.json: damaged" in line


def test_text_from_files_is_shown_escaped(tmp_path, capsys, monkeypatch):
    make_run(tmp_path / NASTY, [started()])
    (make_run(tmp_path / f"{NASTY}2") / "run.json").unlink()
    for out in (
        listed(capsys, str(tmp_path)),
        listed(capsys, str(tmp_path), "--json"),
        on_a_terminal(capsys, monkeypatch, str(tmp_path)),
    ):
        assert all(char == "\n" or char.isprintable() for char in out.replace("\t", ""))
        # How the name is folded depends on the age beside it: the bracket may be in the line above.
        assert "".join(out.split()).count("bold]mark") >= 2


def test_names_that_are_no_text_are_listed(tmp_path, capsys):
    make_run(tmp_path / "a\udc80b", [started()])
    assert listed(capsys, str(tmp_path)).startswith("a\\udc80b\t")
    assert json.loads(listed(capsys, str(tmp_path), "--json"))["name"] == "a\udc80b"


def test_an_empty_folder_is_reported_on_a_terminal_only(tmp_path, capsys, monkeypatch):
    assert listed(capsys, str(tmp_path)) == ""
    assert "no runs in this folder" in on_a_terminal(capsys, monkeypatch, str(tmp_path))


def test_a_folder_that_does_not_exist_is_one_line(tmp_path, capsys):
    assert main(["runs", str(tmp_path / "none")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "No such file" in line


@pytest.mark.parametrize("command", ["runs", "show"])
def test_no_engine_is_loaded(folder, command):
    path = folder / "fomaml-b" if command == "show" else folder
    tokens = [sys.executable, "-c", LOADED, command, str(path)]
    done = subprocess.run(tokens, capture_output=True, text=True, check=True)
    code, *modules = done.stderr.split()
    assert code == "0"
    assert "core.storage.run_index" in modules
    assert {"torch", "numba"}.isdisjoint(modules)


def test_a_folder_that_no_file_system_can_name_is_refused_in_a_line(capsys):
    assert main(["runs", "a\0b"]) == 2
    assert "null" in capsys.readouterr().err
