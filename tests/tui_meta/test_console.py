"""Output outside the dashboard: which characters and control sequences it uses."""

import io
import locale
import sys

import pytest

from tui_meta.console import needs_ascii
from tui_meta.output import Output


@pytest.fixture(autouse=True)
def only_c_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every locale but C, POSIX and those of UTF-8 be missing, as in a small container."""
    current = "C"

    def set_locale(_: int, name: str | None = None) -> str:
        nonlocal current
        if name is not None:
            if name not in ("C", "POSIX", "C.UTF-8", "de_DE.UTF-8", "de_DE"):
                raise locale.Error("unsupported locale setting")
            current = name
        return current

    codesets = {"de_DE": "ISO-8859-1", "C": "ANSI_X3.4-1968", "POSIX": "ANSI_X3.4-1968"}
    monkeypatch.setattr(locale, "setlocale", set_locale)
    monkeypatch.setattr(locale, "nl_langinfo", lambda _: codesets.get(current, "UTF-8"))


@pytest.mark.parametrize(
    ("variables", "answer"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "de_DE"}, True),
        ({"LANG": "fr_FR.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "C.UTF-8"}, True),
        ({"LANG": "POSIX"}, True),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, True),
        ({"LANG": "C.UTF-8", "TERM": "linux-16color"}, True),
        # The next three have the LC_CTYPE that Python sets for itself.
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "fr_FR.UTF-8"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "de_DE.UTF-8", "LANG": "C"}, False),
        ({"LANG": "x.\x00"}, True),
    ],
)
def test_the_locale_and_the_console_decide_on_ascii(
    variables: dict[str, str], answer: bool
) -> None:
    assert needs_ascii(variables) is answer
    assert locale.setlocale(locale.LC_CTYPE) == "C"


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_a_pipe_gets_no_bars_whatever_the_environment_asks_for(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not Output().is_interactive


def test_a_terminal_without_utf8_gets_ascii_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert Output().options.ascii_only
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("TERM", raising=False)
    assert not Output().options.ascii_only
