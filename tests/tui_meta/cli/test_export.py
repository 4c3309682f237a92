"""export writes what a run has logged, and the tools of others read it."""

import struct
import sys
from pathlib import Path

import msgspec
import pytest

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.events import Finished
from core.models.settings import NetworkConfig
from tests.support.run_folders import (
    evaluated,
    make_run,
    progress,
    stamp,
    started,
    validated,
)
from tui_meta.cli.main import main

COLUMNS = [
    *("series", "iteration", "time", "loss", "update", "task", "amplitude", "phase"),
    *("low", "high", "median", "diverged", "tasks", "points", "gradients", "seconds"),
    *("run", "algorithm", "seed"),
]
EVENTS = [
    started(),
    progress(100, 0.1 + 0.2),
    evaluated(100, 3.0, 2.0, 1.5),
    evaluated(100, 4.0, 0.5, probe="standard"),
    progress(200, 1e-30),
    validated(200, 5.0, 0.25),
    Finished(**stamp(200)),
]
LOGGED = [
    ("training", 100, 0.1 + 0.2, None),
    ("random-task", 100, 3.0, 0),
    ("random-task", 100, 2.0, 1),
    ("random-task", 100, 1.5, 2),
    ("standard", 100, 4.0, 0),
    ("standard", 100, 0.5, 1),
    ("training", 200, 1e-30, None),
    ("validation", 200, 5.0, 0),
    ("validation", 200, 0.25, 1),
]


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path / "checkpoints" / "fomaml-mine", EVENTS)


def export(*tokens):
    return main(["export", "checkpoints/fomaml-mine", *tokens])


def refused(capsys, *tokens):
    assert export(*tokens) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


# The tools of others are imported where they are used: that takes long in each worker.


def frame_of(path):
    import pandas

    return pandas.read_csv(path) if path.endswith("csv") else pandas.read_parquet(path)


def table_of(path):
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path)


def rows_of(frame):
    frame = frame.astype(object).where(frame.notna(), None)
    return list(frame[["series", "iteration", "loss", "update"]].itertuples(index=False, name=None))


def test_pandas_reads_the_csv_without_arguments():
    assert export("--to", "csv") == 0
    frame = frame_of("fomaml-mine.csv")
    assert list(frame.columns) == COLUMNS
    assert rows_of(frame) == LOGGED
    assert frame["amplitude"].tolist()[1] == 2.0
    assert frame["task"].tolist()[1] == 100


def test_parquet_holds_the_same_with_types(tmp_path):
    assert export("--to", "parquet", "--out", "p.parquet") == 0
    table = table_of("p.parquet")
    assert table.column_names == COLUMNS
    rows = [tuple(row[name] for name in COLUMNS) for row in table.to_pylist()]
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == LOGGED
    assert {str(table.schema.field(name).type) for name in ("iteration", "update")} == {"int64"}


def test_a_validation_has_its_interval_its_median_and_what_it_took(run):
    assert export("--to", "csv") == 0
    frame = frame_of("fomaml-mine.csv")
    last = frame.iloc[-1]
    assert (last["low"], last["median"], last["high"]) == pytest.approx((0.225, 0.25, 0.275))
    assert last["diverged"] == 0
    # An iteration of FOMAML takes 3 tasks of 10 + 50 points, and 2 gradients of each.
    budget = last[["tasks", "points", "gradients", "seconds"]].tolist()
    assert budget == [600, 36_000, 1_200, 0.2]
    assert frame["points"].tolist()[0] == 18_000
    assert frame["seconds"].isna().tolist()[0]


def test_several_runs_are_one_table_with_the_settings_that_differ(tmp_path):
    others = {
        "fomaml-fast": RunConfig(algorithm=Fomaml(inner_lr=0.5), iterations=1_000, seed=3),
        "reptile": RunConfig(algorithm=Reptile(), network=NetworkConfig(hidden=(8,))),
    }
    for name, config in others.items():
        make_run(tmp_path / "checkpoints" / name, EVENTS, config)
    paths = [f"checkpoints/{name}" for name in ("fomaml-mine", *others)]
    assert main(["export", *paths, "--to", "csv"]) == 0
    assert main(["export", *paths, "--to", "parquet"]) == 0
    for frame in (frame_of("runs.csv"), frame_of("runs.parquet")):
        settings = frame.groupby("run", sort=False).first()
        assert list(settings.index) == ["fomaml-mine", *others]
        assert settings["algorithm"].tolist() == ["fomaml", "fomaml", "reptile"]
        assert settings["seed"].tolist() == [0, 3, 0]
        assert settings["algorithm.inner_lr"].tolist() == [0.02, 0.5, 0.02]
        assert settings["algorithm.batch_size"].fillna(0).tolist() == [0, 0, 10]
        assert settings["network.hidden"].tolist() == ["64 64", "64 64", "8"]
        assert settings["iterations"].tolist() == [1_000, 1_000, 50_000]
        assert "network.activation" not in frame
        assert len(frame) == 3 * len(LOGGED)
    assert main(["export", *paths[:2], "--to", "csv", "--out", "two.csv"]) == 0
    frame = frame_of("two.csv")
    assert list(frame.columns) == [*COLUMNS, "fomaml.inner_lr"]


def test_several_runs_are_several_folders_for_tensorboard(tmp_path, capsys):
    make_run(tmp_path / "other" / "fomaml-mine", EVENTS)
    paths = ["checkpoints/fomaml-mine", "other/fomaml-mine", "other/fomaml-mine"]
    assert main(["export", *paths, "--to", "tensorboard"]) == 0
    assert sorted(path.name for path in Path("tensorboard").iterdir()) == [
        "fomaml-mine",
        "fomaml-mine-2",
    ]
    assert capsys.readouterr().out.count("rows") == 2


def test_nothing_is_written_if_one_of_several_files_exists(tmp_path, capsys):
    assert export("--to", "tensorboard") == 0
    make_run(tmp_path / "other", EVENTS)
    assert main(["export", "other", "checkpoints/fomaml-mine", "--to", "tensorboard"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert not Path("tensorboard/other").exists()


def records(path):
    """The events in a file of TensorBoard: length, its checksum, content, its checksum."""
    content = path.read_bytes()
    from tensorboardX.proto.event_pb2 import Event

    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_tensorboard_gets_a_folder_for_each_run(tmp_path, capsys):
    assert export("--to", "tensorboard") == 0
    assert "tensorboard --logdir tensorboard" in capsys.readouterr().out
    (file,) = (tmp_path / "tensorboard" / "fomaml-mine").iterdir()
    assert "tfevents" in file.name
    scalars = [
        (value.tag, event.step, event.wall_time, pytest.approx(value.simple_value))
        for event in records(file)
        for value in event.summary.value
    ]
    assert scalars == [
        ("training/loss", 100, 1_000.0, 0.3),
        ("random-task/before", 100, 1_000.0, 3.0),
        ("random-task/after", 100, 1_000.0, 1.5),
        ("standard/before", 100, 1_000.0, 4.0),
        ("standard/after", 100, 1_000.0, 0.5),
        ("training/loss", 200, 1_000.0, 1e-30),
        ("validation/before", 200, 1_000.0, 5.0),
        ("validation/after", 200, 1_000.0, 0.25),
    ]


def test_a_second_tensorboard_export_says_what_an_open_one_needs(capsys):
    assert export("--to", "tensorboard") == 0
    assert "start TensorBoard again" not in capsys.readouterr().out
    assert export("--to", "tensorboard", "--force") == 0
    assert "start TensorBoard again if it is open" in capsys.readouterr().out


@pytest.mark.parametrize("to", ["csv", "parquet", "tensorboard"])
def test_a_run_that_has_logged_nothing_gives_an_empty_table(run, to):
    (run / "events.jsonl").unlink()
    assert export("--to", to) == 0
    if to == "csv":
        assert len(frame_of("fomaml-mine.csv")) == 0
    if to == "parquet":
        assert len(table_of("fomaml-mine.parquet")) == 0


def test_a_folder_is_given_a_file_with_the_runs_name(tmp_path):
    (tmp_path / "tables").mkdir()
    assert export("--to", "csv", "--out", "tables") == 0
    assert (tmp_path / "tables" / "fomaml-mine.csv").is_file()


@pytest.mark.parametrize("to", ["csv", "parquet", "tensorboard"])
def test_a_file_that_exists_is_replaced_only_if_forced(tmp_path, capsys, to):
    assert export("--to", to, "--out", "out") == 0
    capsys.readouterr()
    line = refused(capsys, "--to", to, "--out", "out")
    assert "exists already; choose another --out, or add --force" in line
    assert export("--to", to, "--out", "out", "--force") == 0


def test_a_link_is_not_written_through(tmp_path, run, capsys):
    (tmp_path / "link.csv").symlink_to(run / "run.json")
    before = (run / "run.json").read_bytes()
    line = refused(capsys, "--to", "csv", "--out", "link.csv", "--force")
    assert "not a regular file" in line
    assert (run / "run.json").read_bytes() == before


def test_a_file_that_cannot_be_written_is_one_line(capsys):
    line = refused(capsys, "--to", "csv", "--out", "/proc/none/file.csv")
    assert "/proc/none/file.csv: cannot be written (No such file or directory)" in line


def test_without_a_temporary_folder_only_tensorboard_is_refused(capsys, monkeypatch):
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    line = refused(capsys, "--to", "tensorboard")
    assert "tensorboard: no temporary file can be written (No usable" in line
    assert line.endswith("; set TMPDIR to a folder of your own")
    assert export("--to", "csv") == 0


def test_nothing_is_left_of_a_file_that_could_not_be_written_whole(tmp_path, capsys, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.storage.io.os.fsync", full)
    assert "No space left" in refused(capsys, "--to", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


@pytest.mark.parametrize(
    ("to", "library"), [("parquet", "pyarrow"), ("tensorboard", "tensorboardX")]
)
def test_a_library_that_is_missing_is_named_with_what_brings_it(capsys, monkeypatch, to, library):
    monkeypatch.setitem(sys.modules, library, None)
    line = refused(capsys, "--to", to)
    assert line == f"error: {to}: {library} is not installed; install tui-meta[{to}]"


def test_a_format_that_does_not_exist_is_one_line(capsys):
    assert "csv" in refused(capsys, "--to", "excel")


def test_a_folder_that_is_no_run_is_one_line(tmp_path, capsys):
    assert main(["export", str(tmp_path), "--to", "csv"]) == 2
    assert "choose a folder created by tui-meta" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["csv", "parquet", "tensorboard"])
def test_numbers_that_no_format_holds_are_left_out(run, to, capfd):
    huge = [
        progress(10**30),
        evaluated(10**400, 1.0),
        evaluated(5, float("nan"), float("inf")),
        msgspec.structs.replace(evaluated(6, 1.0), index=10**30),
        progress(2**62),
        validated(7, 1.0, None),
    ]
    with (run / "events.jsonl").open("ab") as log:
        log.writelines(msgspec.json.encode(event) + b"\n" for event in huge)
    assert export("--to", to) == 0
    assert capfd.readouterr().err == ""


def test_an_output_that_ends_in_a_slash_is_a_folder():
    assert export("--to", "csv", "--out", "results/") == 0
    assert export("--to", "parquet", "--out=other/results/") == 0
    assert Path("results/fomaml-mine.csv").is_file()
    assert Path("other/results/fomaml-mine.parquet").is_file()


def test_a_minus_sign_is_standard_output(capsysbinary):
    assert export("--to", "csv", "--out=-") == 0
    printed = capsysbinary.readouterr()
    assert export("--to", "csv") == 0
    assert printed.out == Path("fomaml-mine.csv").read_bytes()
    assert printed.err == b""
    assert not Path("-").exists()


def test_tensorboard_is_not_written_to_standard_output(capsys):
    assert "TensorBoard needs a folder" in refused(capsys, "--to", "tensorboard", "--out", "-")


def test_a_run_that_is_a_folder_above_keeps_its_name(run, monkeypatch):
    (run / "notes").mkdir()
    monkeypatch.chdir(run / "notes")
    assert main(["export", "..", "--to", "csv"]) == 0
    assert Path("fomaml-mine.csv").is_file()


def test_a_home_in_the_output_is_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert export("--to", "csv", "--out=~/a.csv") == 0
    assert (tmp_path / "home" / "a.csv").is_file()


def test_a_flag_is_not_taken_for_the_output(capsys):
    assert "--out needs a value" in refused(capsys, "--to", "csv", "--out", "--force")
