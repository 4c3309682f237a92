"""Before anything is imported it is known whether the dashboard will open."""

import io
import sys

import pytest

from tui_meta.terminal import opens_dashboard, terminal_problems


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def use_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, Terminal())


@pytest.mark.parametrize(
    ("tokens", "opens"),
    [
        *((one, True) for one in ("", "--seed 3", "train --seed 3", "resume run")),
        *((one, False) for one in ("runs", "attach 1", "sweep folder", "eval run")),
        *((one, False) for one in ("--no-tui", "train --json", "--check", "-h")),
    ],
)
def test_training_opens_the_dashboard(
    tokens: str, *, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_terminal(monkeypatch)
    assert opens_dashboard(tokens.split()) == opens


def test_without_a_terminal_it_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    use_terminal(monkeypatch)
    assert not terminal_problems()
    monkeypatch.setattr(sys, "stdin", None)
    assert terminal_problems() == ["standard input is not a terminal"]
    assert not opens_dashboard([])
    monkeypatch.setenv("TERM", "dumb")
    assert terminal_problems()[0] == "TERM=dumb"
