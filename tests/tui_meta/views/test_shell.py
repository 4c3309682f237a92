"""What is suggested can be pasted: a shell hands exactly these words to the program."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_meta.views.shell import resume_hint, shell_command

NAMES = [
    "a b", "it's", "$HOME", "a;b", "-x", "--force", "~", "~/x", "x*", 'a"b', "a\\b", "a\nb",
    "\x1b[1m", "a\udcff", "x\n'y\\", "é",
]  # fmt: skip


def words_of(command: str) -> list[str]:
    script = f"printf '%s\\0' {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def test_a_shell_reads_the_same_words() -> None:
    command = shell_command("tui-meta", *NAMES)
    assert command.isprintable()
    assert words_of(command) == ["tui-meta", *NAMES]


def test_a_path_is_neither_a_flag_nor_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        (word,) = words_of(shell_command(tmp_path / name))
        assert word.removeprefix("./") == str(Path(name))
        assert not word.startswith(("-", "~"))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_is_printable_and_quoted(word: str) -> None:
    assert shell_command(word).isprintable()


def test_the_advice_after_a_run_quotes_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [tmp_path / "-a" / "fomaml-x", tmp_path / "b c" / "fomaml-x"]
    assert resume_hint(folders) == "resume with: tui-meta resume ./-a/fomaml-x 'b c/fomaml-x'"
    assert resume_hint(folders[:1], "evaluate") == "evaluate with: tui-meta eval ./-a/fomaml-x"
