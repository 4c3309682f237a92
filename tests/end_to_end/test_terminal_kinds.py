"""Terminals of other kinds: the program starts, is seen, and leaves each of them as it was."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.sessions import folder_for_processes, only_session
from tests.support.terminals.dashboards import PROGRAM, SLOW, past, ran
from tests.support.terminals.terminal import Terminal

LOOKS = (
    ("xterm-256color", "terminal"),
    ("xterm-256color", "dark"),
    ("tmux-256color", "dark"),
    ("screen-256color", "dark"),
    ("linux", "terminal"),
    ("linux", "dark"),
)
"""Kinds of terminals and themes. The theme "terminal" has the same 16 colours on all of them."""

TRUE_COLOR = re.compile(rb"\x1b\[[\d;:]*[345]8[;:]2[;:]")
OF_256 = re.compile(rb"\x1b\[[\d;:]*[345]8[;:]5[;:]")
RENDITION = re.compile(rb"\x1b\[([\d;]*)m")
COLORLESS = {0, 1, 2, 3, 4, 7, 22, 23, 24, 27, 39, 49}
"""Renditions other than colours: bold, dim, italic, underlined, reverse, and their resets."""


@pytest.fixture(autouse=True, scope="module")
def own_place() -> Iterator[Path]:
    with folder_for_processes() as folder, pytest.MonkeyPatch.context() as patch:
        for variable in ("COLORTERM", "NO_COLOR", "TMUX"):
            patch.delenv(variable, raising=False)
        ran(folder, *SLOW, "--detach")
        yield folder


Seen = Callable[..., bytes]


def look_around(dashboard: Terminal) -> None:
    """See the first screen and two others, and leave."""
    dashboard.wait_until(past(0), "training")
    dashboard.press("a")
    dashboard.wait_until(lambda text: re.search("[·.]  Lab.*steps", text, re.DOTALL), "the Lab")
    dashboard.press("f")
    dashboard.wait_until(lambda text: re.search("[·.]  Runs.*fomaml-x", text, re.DOTALL), "Runs")
    dashboard.press("dd")


@pytest.fixture
def seen(own_place: Path) -> Seen:
    """Looks around from a terminal with the given variables; gives what it was sent."""

    def see(*flags: str, **variables: str) -> bytes:
        command = [*PROGRAM, "attach", *flags]
        with closing(Terminal(command, cwd=own_place, variables=variables)) as dashboard:
            look_around(dashboard)
            assert dashboard.wait_for_end() == 0
        assert dashboard.left_behind() == []
        assert b"continues; reconnect with" in dashboard.raw
        return dashboard.raw

    return see


@pytest.mark.parametrize(("kind", "theme"), LOOKS)
def test_no_colour_is_sent_that_the_terminal_may_lack(seen: Seen, kind: str, theme: str) -> None:
    sent = seen("--theme", theme, TERM=kind)
    assert RENDITION.search(sent)
    assert not TRUE_COLOR.search(sent)
    if kind == "linux" or theme == "terminal":
        assert not OF_256.search(sent)
    if kind == "linux":
        assert sent[: sent.index(b"continues; reconnect with")].isascii()


def test_a_terminal_that_reports_true_colours_gets_them(seen: Seen) -> None:
    assert TRUE_COLOR.search(seen("--theme", "dark", COLORTERM="truecolor"))


def test_no_color_is_respected(seen: Seen) -> None:
    sent = seen("--theme", "dark", NO_COLOR="1")
    renditions = {int(one or 0) for row in RENDITION.findall(sent) for one in row.split(b";")}
    assert renditions <= COLORLESS


def test_a_dumb_terminal_gets_advice_instead(own_place: Path) -> None:
    with closing(Terminal([*PROGRAM], cwd=own_place, variables={"TERM": "dumb"})) as dashboard:
        assert dashboard.wait_for_end() == 2
    (line,) = dashboard.raw.decode().splitlines()
    assert line.startswith("error: the dashboard needs a terminal: TERM=dumb")
    assert "--no-tui" in line


@pytest.mark.skipif(not shutil.which("tmux"), reason="needs tmux")
def test_within_tmux(own_place: Path) -> None:
    tmux = ["tmux", "-f", "/dev/null", "-S", str(own_place / "tmux")]
    run = [*PROGRAM, "attach", only_session().id]
    try:
        subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "40"], check=True)
        with closing(Terminal([*tmux, "attach"], cwd=own_place)) as dashboard:
            dashboard.press(f" cd {own_place}; clear; {' '.join(run)}; echo left with $?\r")
            look_around(dashboard)
            screen = dashboard.wait_for("continues; reconnect with", "left with 0")
            assert "·  Runs" not in screen
            assert not TRUE_COLOR.search(dashboard.raw)
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
