"""Every key of every screen, pressed in a real terminal while runs train, has a visible effect.

The keys are read from the tables that the bindings are made from. A key without a case fails the
first test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from textual.binding import Binding

from tests.support.sessions import folder_for_processes
from tests.support.terminals.dashboards import PROGRAM, listed, ran, until
from tests.support.terminals.keyboard import Case, looked, press, reads, resize, shows, try_out
from tests.support.terminals.modal_cases import MODALS, Modal
from tests.support.terminals.page_cases import MESSAGES_SIZE, NEWEST_SEEN, PAGE_CASES
from tests.support.terminals.terminal import Terminal
from tests.support.terminals.watch_cases import WATCH_CASES
from tui_meta.app.pages import PAGES
from tui_meta.views.keys.table import APP_KEYS, PAGE_KEYS, SCREEN_KEYS, Key
from tui_meta.views.keys.watch import EVALUATION_KEYS, RUN_KEYS, VIEW_KEYS

SMALL = ("--network.hidden", "8", "--autosave-seconds", "0", "--name", "x", "--eval-interval", "10")
SCREENS = {"watch": "w"} | {
    name: key.names for name in PAGES for key in SCREEN_KEYS if key.action == f"visit('{name}')"
}
"""The key that opens each screen."""


def title_pattern(screen: str) -> str:
    """Return a pattern that only this screen shows."""
    if screen in PAGES:
        return rf"\Atui-meta  ·  {PAGES[screen].NAME} "
    return r"\Atui-meta.*session \d"


def cases_everywhere(screen: str) -> dict[str, Case]:
    """Return the cases of the keys that work on every screen, for this one."""
    back = SCREENS[screen]
    there = title_pattern(screen)
    visits = {
        f"visit {other}": Case(shows(title_pattern(other)), there=there, after=back)
        for other in SCREENS
        if other != screen
    }
    # On its own screen the key has no visible effect.
    other = "watch" if screen == "messages" else "messages"
    own = {f"visit {screen}": Case(shows(there), first=SCREENS[other], there=title_pattern(other))}
    return {
        **visits,
        **own,
        "help": Case(shows("esc: back"), there=there, after="escape"),
        "info": Case(shows("used so far"), there=there, after="escape"),
        "palette": Case(shows("type to search"), there=there, after="escape"),
        "copy": Case(reads(r"copied; also saved to (\S+)"), there=there),
        "picture": Case(reads(r"screenshot saved.*: (\S+)"), there=there),
        "redraw": Case(shows(there), wiped=True),
        "quit": Case(shows("save and stop"), there=there, after="escape"),
    }


def page_cases(page: str) -> dict[str, Case]:
    """Return the cases of the keys of a page."""
    leaves = Case(shows(title_pattern("watch")), there=title_pattern(page), after=SCREENS[page])
    return {"back": leaves, **PAGE_CASES[page]}


def by_action(keys: Iterable[Key]) -> dict[str, list[str]]:
    """Return the names of each key of a table by its action, without brackets."""
    return {" ".join(re.findall(r"[^(),' ]+", key.action)): key.names.split(",") for key in keys}


def bound_by(modal: Modal) -> dict[str, list[str]]:
    """Return the keys of each action of a dialog, which are not in a table."""
    bound: dict[str, list[str]] = {}
    for binding in modal.widget.BINDINGS:
        assert isinstance(binding, Binding)
        name = binding.action.replace("(", " ").rstrip(")")
        bound.setdefault(name, []).extend(binding.key.split(","))
    return bound


def test_every_key_has_a_case() -> None:
    watch = by_action(RUN_KEYS + EVALUATION_KEYS + VIEW_KEYS)
    assert set(WATCH_CASES) == set(watch)
    assert set(PAGE_CASES) == set(PAGES)
    for page, shown in PAGES.items():
        assert set(page_cases(page)) == set(by_action((*shown.KEYS, *PAGE_KEYS))), page
        others = {"detach", "suspend"}  # in tests/end_to_end/test_attach and test_terminal_restored
        assert set(cases_everywhere(page)) == set(by_action(SCREEN_KEYS + APP_KEYS)) - others
    for name, modal in MODALS.items():
        assert set(modal.cases) == set(bound_by(modal)), name


@pytest.fixture(autouse=True, scope="module")
def own_place() -> Iterator[Path]:
    """A folder for sessions, runs and copies, with a name that is short enough for a line."""
    with folder_for_processes() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield folder


def runs_have_begun() -> bool:
    """Return True if all runs of the session are past their first iteration."""
    (one,) = listed()
    return all(run["iteration"] for run in one["runs"])


@pytest.fixture(scope="module")
def session(own_place: Path) -> str:
    """Two runs that train slowly, with checkpoints: three of the first, two of the second."""
    output = ran(own_place, *SMALL, "--pace", "30", "--iterations", "100000000", "--detach")
    id = output.split(";")[0].split()[-1]
    until(runs_have_begun, "both runs train")
    for options in ((), (), ("--run", "fomaml-x")):
        ran(own_place, "send", id, "save", *options)
    return id


@contextmanager
def attached(session: str, folder: Path) -> Iterator[Terminal]:
    """Yield a dashboard of the session, which shows that both runs train."""
    with closing(Terminal([*PROGRAM, "attach", session], cwd=folder, synchronized=True)) as opened:
        opened.wait_until(lambda text: text.count("training ") >= 2, "both runs train")
        yield opened


@pytest.fixture
def dashboard(session: str, own_place: Path) -> Iterator[Terminal]:
    with attached(session, own_place) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_dashboard(session: str, own_place: Path) -> Iterator[Terminal]:
    """A dashboard for the keys that work alike on every screen: each test opens its own screen."""
    with attached(session, own_place) as opened:
        yield opened
        leave(opened)


def leave(dashboard: Terminal) -> None:
    """Detach by key."""
    press(dashboard, "d d")
    assert dashboard.wait_for_end() == 0
    assert dashboard.left_behind() == []
    assert b"continues; reconnect with" in dashboard.raw


def try_all(
    dashboard: Terminal, keys: Mapping[str, list[str]], cases: Mapping[str, Case], where: str
) -> None:
    """Press every key, in the order of the cases."""
    for action, case in cases.items():
        for name in keys[action]:
            try_out(dashboard, name, case, where)


def open_screen(dashboard: Terminal, screen: str) -> None:
    press(dashboard, SCREENS[screen])
    dashboard.wait_until(lambda _: shows(title_pattern(screen))("", looked(dashboard)), screen)


def test_every_key_of_the_watch_screen() -> None:
    with folder_for_processes() as folder:
        tokens = (*SMALL, "--pace", "100", "--iterations", "3000")
        with closing(Terminal([*PROGRAM, *tokens], cwd=folder, synchronized=True)) as dashboard:
            dashboard.wait_until(lambda text: text.count("training ") >= 2, "both runs train")
            try_all(
                dashboard, by_action(RUN_KEYS + EVALUATION_KEYS + VIEW_KEYS), WATCH_CASES, "watch"
            )
            press(dashboard, "q")
            assert dashboard.wait_for_end() == 0
            assert dashboard.left_behind() == []


@pytest.mark.parametrize("page", PAGES)
def test_every_key_of_a_page(dashboard: Terminal, page: str) -> None:
    if page == "messages":
        press(dashboard, "e " * 20)
        resize(dashboard, MESSAGES_SIZE)
        open_screen(dashboard, page)
        dashboard.wait_until(
            lambda text: re.search(NEWEST_SEEN, text) is not None, "the newest message"
        )
    else:
        open_screen(dashboard, page)
    try_all(dashboard, by_action((*PAGES[page].KEYS, *PAGE_KEYS)), page_cases(page), page)
    leave(dashboard)


def try_keys_everywhere(dashboard: Terminal, screen: str) -> None:
    """Press every key that works on all screens, on this one."""
    copied = dashboard.raw.count(b"\x1b]52;")
    open_screen(dashboard, screen)
    try_all(dashboard, by_action(SCREEN_KEYS + APP_KEYS), cases_everywhere(screen), screen)
    assert dashboard.raw.count(b"\x1b]52;") > copied


@pytest.mark.parametrize("screen", [screen for screen in SCREENS if screen != "messages"])
def test_every_key_that_works_everywhere(shared_dashboard: Terminal, screen: str) -> None:
    try_keys_everywhere(shared_dashboard, screen)


def test_every_key_that_works_everywhere_on_the_messages_screen(dashboard: Terminal) -> None:
    # In a dashboard of its own: this screen shows what the keys did on others.
    try_keys_everywhere(dashboard, "messages")
    leave(dashboard)


@pytest.mark.parametrize("name", MODALS)
def test_every_key_of_a_dialog(shared_dashboard: Terminal, name: str) -> None:
    modal, dashboard = MODALS[name], shared_dashboard
    open_screen(dashboard, modal.page)
    press(dashboard, modal.key)
    dashboard.wait_for(modal.sign)
    try_all(dashboard, bound_by(modal), modal.cases, name)
    if modal.sign in dashboard.text:
        press(dashboard, "escape")
        dashboard.wait_until(lambda text: modal.sign not in text, f"{name} closed")
