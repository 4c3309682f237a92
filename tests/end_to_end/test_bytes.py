"""Names that are not valid UTF-8, as a file system and a command line allow them."""

from pathlib import Path

from tests.support.terminals.dashboards import PROGRAM, ran
from tests.support.terminals.forked import Piped
from tests.support.terminals.terminal import PATIENCE

TINY = ["--no-tui", "--algorithms", "fomaml", "--network.hidden", "4", "--name", "x"]


def ended(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of the program."""
    process = Piped([*PROGRAM[1:], *arguments], folder)
    _, err = process.communicate(PATIENCE)
    return process.wait(), err.decode()


def test_a_configuration_file_of_such_a_name_is_used(tmp_path: Path) -> None:
    (tmp_path / "c\udcff.toml").write_text("iterations = 5")
    assert ended(tmp_path, *TINY, "--config", "c\udcff.toml") == (0, "")
    assert r"c\\udcff.toml" in (tmp_path / "checkpoints" / "fomaml-x" / "run.json").read_text()


def test_a_run_folder_of_such_a_name_is_refused(tmp_path: Path) -> None:
    ran(tmp_path, *TINY, "--iterations", "5")
    (tmp_path / "checkpoints").rename(tmp_path / "a\udcff")
    code, said = ended(tmp_path, "resume", "--no-tui", "a\udcff/fomaml-x", "--iterations", "7")
    (line,) = said.splitlines()
    assert code == 2
    assert r"a\udcff/fomaml-x: name is not valid UTF-8; rename it" in line


def test_a_working_folder_of_such_a_name_is_trained_in(tmp_path: Path) -> None:
    (tmp_path / "a\udcff").mkdir()
    assert ended(tmp_path / "a\udcff", *TINY, "--iterations", "5") == (0, "")
