"""Text from files, names and arguments is shown, never obeyed."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CheckpointError
from core.events import SaveFailed
from tests.support.dashboard.fake_session import FakeSession
from tui_meta.console import LONGEST_LINE, print_error
from tui_meta.views.dialogs.quit_choice import exit_report
from tui_meta.views.event_history import EventHistory
from tui_meta.views.messages.log import MessageLog
from tui_meta.views.messages.status_line import status_lines
from tui_meta.views.printable import printable, printable_json, shortened
from tui_meta.views.run_groups import titles
from tui_meta.views.text import Span, cells, clip, clip_middle, fit, line, spread, wrap

HOSTILE = "a\x1b]0;owned\x07\x9b2J\n\u202e中文\ud800"


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_has_no_control_characters(text: str) -> None:
    assert printable(text).isprintable()
    assert Span(text).text.isprintable()
    assert all(row.isprintable() for row in wrap(text, 10))


@given(st.text().filter(str.isprintable))
def test_text_without_control_characters_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == Span(text).text == text


@given(st.recursive(st.text() | st.integers(), lambda some: st.lists(some)))
def test_printable_json_has_the_same_value(value: object) -> None:
    encoded = printable_json(msgspec.json.encode(value).decode())
    assert encoded.isprintable()
    assert json.loads(encoded) == value


@given(st.text(max_size=50), st.integers(8, 20))
def test_a_shortened_text_keeps_its_ends(text: str, length: int) -> None:
    short = shortened(text, length)
    assert len(short) <= length
    assert short[:2] == text[:2]
    assert short[-2:] == text[-2:]


def test_an_error_about_a_long_name_still_has_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_error(str(CheckpointError("x" * 5_000, "no such file")))  # type: ignore[arg-type]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: xxx")
    assert line.endswith("no such file; choose another checkpoint")
    assert len(line) < LONGEST_LINE + 10


def test_two_runs_of_hostile_names_have_different_printable_titles() -> None:
    session = FakeSession({"fomaml": 100})
    (snapshot,) = session.snapshots().values()
    assert titles({HOSTILE: snapshot, "b": snapshot})[HOSTILE].isprintable()


def test_the_farewell_is_printable() -> None:
    (snapshot,) = FakeSession({"fomaml": 100}).snapshots().values()
    record = EventHistory([HOSTILE])
    record.saved[HOSTILE] = f"{HOSTILE}/000000003.safetensors"
    lines = exit_report({HOSTILE: snapshot}, record, {HOSTILE: HOSTILE})
    assert any("owned" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_messages_are_printable() -> None:
    messages = MessageLog()
    messages.add_event(SaveFailed(run=HOSTILE, iteration=1, time=0.0, problem=HOSTILE))
    lines = status_lines(messages, 3, 40)
    assert lines
    assert all(span.text.isprintable() for row in lines for span in row)


@given(st.lists(st.text(max_size=9), max_size=5), st.integers(0, 40), st.text(max_size=20))
def test_lines_are_cut_and_padded_to_any_width(parts: list[str], width: int, right: str) -> None:
    content = line(*parts)
    assert cells(fit(content, width)) == width
    assert cells(spread(content, line(right), width)) == width
    assert cells(line(clip("".join(parts), width))) <= width


def test_words_are_wrapped_whole() -> None:
    assert wrap("the loss is no longer finite", 12) == ["the loss is", "no longer", "finite"]


def test_a_word_longer_than_a_row_continues_in_the_next_one() -> None:
    assert wrap("to checkpoints/1.safetensors", 10) == ["to", "checkpoint", "s/1.safete", "nsors"]


@given(st.text(), st.integers(2, 20))
def test_wrapped_rows_fit(text: str, width: int) -> None:
    assert all(cells(line(row)) <= width for row in wrap(text, width))


@given(st.text(), st.integers(0, 20))
def test_what_is_cut_in_the_middle_fits(text: str, width: int) -> None:
    assert cells(line(clip_middle(text, width))) <= width


def test_a_name_that_is_cut_in_the_middle_keeps_its_ends() -> None:
    assert clip_middle("fomaml-20261128-233357", 16) == "fomaml-2…-233357"
