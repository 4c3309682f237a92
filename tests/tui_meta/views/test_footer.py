"""The footer of the watch screen, and the help."""

import pytest

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch_state import snapshots_of, started_session
from tui_meta.views.keys.footer import Situation, footer
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.watch import GROUPS
from tui_meta.views.text import Line, Span, plain


def footer_text(session: FakeSession, width: int, focused: str = "") -> str:
    return plain(footer(Situation(snapshots_of(session), focused), width))


def test_the_footer_keeps_the_most_important_keys_at_any_width() -> None:
    session = started_session()
    assert all(len(footer_text(session, width)) <= width for width in range(201))
    for width in (40, 80, 120):
        for key in ("space pause", "? help", "q quit"):
            assert key in footer_text(session, width)
    assert "e 1 2 S evaluate" in footer_text(session, 80)
    assert "2 half range" in footer_text(session, 160)


def test_the_footer_names_the_focused_run_and_hides_keys_that_do_not_apply() -> None:
    session = started_session(reptile=50_000)
    assert "c continue" in footer_text(session, 120)
    assert "space" not in footer_text(session, 120)
    session.change("reptile-1", state="paused")
    assert "space resume Reptile  . step" in footer_text(session, 120, "Reptile")


@pytest.mark.parametrize("width", [1, 20, 60, 90])
def test_the_help_wraps_and_names_every_key_even_unknown_ones(width: int) -> None:
    every = [key for _, keys in GROUPS for key in keys]
    bound = {key.name: key.help for key in every} | {"%": "Something else"}
    lines: list[Line] = help_lines(bound, width, GROUPS, {})
    firsts = {plain((each[0],)).strip() for each in lines if each}
    assert {" ".join(key.all_shown) for key in every} | {"%"} <= firsts
    assert Span("More", "bold underline") in {each[0] for each in lines if each}
