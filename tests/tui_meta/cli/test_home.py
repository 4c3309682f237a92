"""``~`` is the user's home wherever a path is named, and never a folder of that name."""

from pathlib import Path

import pytest

from core.errors import LabError
from core.storage.run_index import describe_run
from tests.support.run_folders import make_run
from tui_meta.cli.commands import train as command
from tui_meta.cli.home import expanded, user_path
from tui_meta.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("--out=~/runs", "--out={home}/runs"),
        ("--config=~/c.toml", "--config={home}/c.toml"),
        ("~/runs", "{home}/runs"),
        ("~", "{home}"),
        ("--out=a=~/runs", "--out=a=~/runs"),
        ("~no-such-user/x", "~no-such-user/x"),
        ("./~/runs", "./~/runs"),
        ("--seed", "--seed"),
    ],
)
def test_the_home_is_put_in(home: Path, word: str, wanted: str) -> None:
    assert expanded(word) == wanted.format(home=home)


@pytest.mark.parametrize("folder", ["relative", ""])
def test_without_a_home_the_path_is_refused(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.setenv("HOME", folder)
    with pytest.raises(LabError, match=r"^~/runs: there is no home folder; set HOME"):
        user_path("~/runs")


@pytest.mark.parametrize(
    "words", [["--config=~/c.toml"], ["--out=~/runs"], ["--out", "~/runs"]], ids=str
)
def test_runs_are_created_in_the_home(
    home: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    (home / "c.toml").write_text('out = "~/runs"\n')
    requested = []
    monkeypatch.setattr(command, "show", lambda runs, *_: requested.append(runs.out) or 0)
    assert main(["--no-tui", *words]) == 0
    assert requested == [str(home / "runs")]


def test_a_run_in_the_folder_above_is_shown_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "fomaml-x", [])
    (run / "notes").mkdir()
    monkeypatch.chdir(run / "notes")
    assert describe_run(Path(".."))[0].name == "fomaml-x"
