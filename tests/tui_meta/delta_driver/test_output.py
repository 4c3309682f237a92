"""Whatever is written, a terminal that gets less of it shows the same."""

from itertools import pairwise

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.soak import soak
from tests.support.terminals.model import TerminalModel
from tui_meta.delta_driver.output import Output

WIDTH, HEIGHT = 12, 5
EXAMPLES = settings(max_examples=soak(100, 20_000), deadline=None)

colors = st.one_of(
    st.integers(30, 37).map(str),
    st.integers(90, 97).map(str),
    st.integers(40, 47).map(str),
    st.integers(100, 107).map(str),
    st.integers(0, 255).map("38;5;{}".format),
    st.integers(0, 255).map("48;5;{}".format),
    st.tuples(*[st.integers(0, 2)] * 3).map(lambda rgb: "38;2;{};{};{}".format(*rgb)),
    st.tuples(*[st.integers(0, 2)] * 3).map(lambda rgb: "48;2;{};{};{}".format(*rgb)),
)
PLAIN_ATTRIBUTES = ["1", "3", "4", "5", "7", "9", "22", "23", "24", "25", "27", "29", "39", "49"]
ATTRIBUTES = [*PLAIN_ATTRIBUTES, "2", "8", "21", "28", "53", "55", "4:3", "4:0", "58;5;9", "59"]
NARROW, WIDE = "ab  é│─⠒▀·→…☺", "日한⌚字"
JOINED = ["e\u0301", "👩\u200d👧", "⚠\ufe0f", "🇩🇪", "👍🏽", "ก็", "1\ufe0f\u20e3"]
HARMLESS = ["\x07", "\x1b]52;c;aGk=\x07", "\x1b]0;title\x1b\\", "\x1b[?1000h", "\x1b[>25u"]
HARMLESS += ["\x1b[<u", "\x1b[?2026$p", "\x1b[?7l", "\x1b[?7h", "\x1b[?25l", "\x1b[?25h"]
ODD = ["\x1b[2J", "\x1b[K", "\x1b[1K", "\x1b[3C", "\x1b[2A", "\x1b7", "\x1b8", "\x1b[5n", "\b"]
ODD += ["\x1b[?1049h", "\x1b[?1049l", "\x1b[?1234h", "\x1bM", "\x1b[11m", "\x1b[6n", "\t"]
LASTING = ["\x1b[4h", "\x1b[4l", "\x1b[2;4r", "\x1b[r", "\x1b(B"]

places = st.tuples(st.integers(1, HEIGHT), st.integers(1, WIDTH)).map(
    lambda place: "\x1b[{};{}H".format(*place)
)
outside = st.sampled_from(["\x1b[H", "\x1b[;5H", "\x1b[3H", "\x1b[99;99H"])


def styles(attributes: list[str]) -> st.SearchStrategy[str]:
    several = st.lists(st.sampled_from(attributes) | colors, min_size=1, max_size=3)
    return st.just("\x1b[0m") | several.map(lambda some: f"\x1b[{';'.join(some)}m")


def texts(characters: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(characters), min_size=1, max_size=WIDTH + 3).map("".join)


def frame(characters: list[str], attributes: list[str]) -> st.SearchStrategy[list[str]]:
    """What Textual writes: places, each with styled pieces of text, and the cursor's place."""
    text = st.lists(st.sampled_from(characters), min_size=1, max_size=6).map("".join)
    piece = st.tuples(styles(attributes), text).map(lambda both: f"{both[0]}{both[1]}\x1b[0m")
    span = st.tuples(places, st.lists(text | piece, max_size=3).map("".join)).map("".join)
    return st.tuples(st.lists(span, min_size=1, max_size=4), places).map(lambda f: [*f[0], f[1]])


links = st.sampled_from(["\x1b]8;;\x1b\\", "\x1b]8;id=1;http://a\x1b\\", "\x1b]8;;http://b\x07"])
pieces = st.one_of(
    texts([*NARROW, *WIDE, *JOINED]),
    styles(ATTRIBUTES),
    places,
    outside,
    links,
    st.sampled_from(["\n", "\r", *HARMLESS, *ODD]),
    frame([*NARROW, *WIDE], ATTRIBUTES).map("".join),
    frame([*NARROW], ATTRIBUTES).map(lambda f: "\x1b[?2026h" + "".join(f) + "\x1b[?2026l"),
)


def streams(pieces: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Pieces, of which some come again: what is shown already is what must not be taken for new."""
    few = st.lists(pieces, min_size=1, max_size=6)
    again = few.flatmap(lambda pool: st.lists(st.sampled_from(pool), max_size=12))
    return st.lists(pieces, max_size=12) | again


@st.composite
def cut(draw: st.DrawFn, streams: st.SearchStrategy[list[str]]) -> list[tuple[str, str]]:
    """Writes, cut anywhere; after each, whether the terminal takes what there is, or forgets."""
    stream = "".join(draw(streams))
    cuts = sorted({0, len(stream), *draw(st.lists(st.integers(0, len(stream)), max_size=12))})
    then = st.sampled_from(["take", "take", "wait", "forget"])
    return [(stream[a:b], draw(then)) for a, b in pairwise(cuts)]


def sent(writes: list[tuple[str, str]]) -> str:
    output, out = Output(WIDTH, HEIGHT), ""
    for data, then in writes:
        output.write(data)
        if then == "take":
            out += output.take()
        elif then == "forget":
            output.forget()
    output.updating = False
    return out + output.take() + output._rest


def assert_equal_screens(original: TerminalModel, reduced: TerminalModel) -> None:
    for y, (wanted, shown) in enumerate(zip(original.cells, reduced.cells, strict=True)):
        for x, (one, other) in enumerate(zip(wanted, shown, strict=True)):
            halves = one.look is None or other.look is None
            assert one.text == other.text, (y, x)
            assert halves or one.visible == other.visible, (y, x)


def shown_by(data: str) -> TerminalModel:
    return TerminalModel(WIDTH, HEIGHT).feed(data)


@EXAMPLES
@given(cut(streams(pieces)))
def test_the_terminal_shows_the_same_as_without_the_driver(writes: list[tuple[str, str]]) -> None:
    original, reduced = shown_by("".join(data for data, _ in writes)), shown_by(sent(writes))
    assert_equal_screens(original, reduced)
    assert reduced.cursor_shown == original.cursor_shown
    assert reduced.passed == original.passed
    if original.x < WIDTH:
        assert (reduced.y, reduced.x) == (original.y, original.x)


@EXAMPLES
@given(cut(streams(pieces | st.sampled_from(LASTING))))
def test_sequences_with_lasting_effect_are_respected(writes: list[tuple[str, str]]) -> None:
    original, reduced = shown_by("".join(data for data, _ in writes)), shown_by(sent(writes))
    assert_equal_screens(original, reduced)


@EXAMPLES
@given(cut(st.lists(frame([*"ab  é│⠒▀·"], PLAIN_ATTRIBUTES).map("".join), max_size=8)))
def test_pyte_shows_the_same(writes: list[tuple[str, str]]) -> None:
    screens = []
    for data in ("".join(data for data, _ in writes), sent(writes)):
        screen = pyte.Screen(WIDTH, HEIGHT)
        pyte.Stream(screen).feed("\x1b[?7l" + data)
        screens.append(screen)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            one, other = (visible(screen.buffer[y][x]) for screen in screens)
            assert one == other, (y, x)


def visible(char: pyte.screens.Char) -> pyte.screens.Char:
    if char.data == " " and not (char.underscore or char.strikethrough or char.reverse):
        return pyte.screens.Char(" ", bg=char.bg)
    return char


@EXAMPLES
@given(st.lists(frame([*NARROW, *WIDE, *JOINED], ATTRIBUTES).map("".join), max_size=6))
def test_an_equal_frame_sends_nothing(frames: list[str]) -> None:
    output = Output(WIDTH, HEIGHT)
    for one in frames:
        # Terminals differ in text across the margin, so it is passed on.
        output.write("\x1b[?2026h\x1b[0m\x1b[H" + one + "\x1b[?2026l")
    output.take()
    output.write("\x1b[?2026h\x1b[0m\x1b[H\x1b[?2026l")
    output.take()
    output.write("\x1b[?2026h\x1b[0m\x1b[H\x1b[?2026l")
    assert output.take() == ""


@EXAMPLES
@given(frame([*NARROW, *WIDE], ATTRIBUTES), st.integers(1, 4), st.integers(1, 20))
def test_after_a_resize_the_next_frame_is_sent_whole(
    frame: list[str], height: int, width: int
) -> None:
    output = Output(WIDTH, HEIGHT)
    output.write("".join(frame))
    output.take()
    output.resize(width, height)
    whole = "\x1b[0m" + "".join(f"\x1b[{y + 1}H{'x' * width}" for y in range(height)) + "\x1b[H"
    output.write(whole)
    out = output.take()
    terminal = TerminalModel(width, height).feed(out)
    assert [[cell.text for cell in row] for row in terminal.cells] == [["x"] * width] * height


def shown(output: Output, data: str) -> str:
    output.write(data)
    return output.take()


@pytest.fixture
def output() -> Output:
    output = Output(80, 24)
    shown(output, "\x1b[0m\x1b[2;3Hhello world\x1b[1;1H")
    return output


@pytest.mark.parametrize(
    ("written", "sends"),
    [
        ("\x1b[2;3Hhello world\x1b[1;1H", ""),
        ("\x1b[2;3Hhello words\x1b[1;1H", "\x1b[2;12Hds\x1b[H"),
        ("\x1b[2;3Hjello forld\x1b[1;1H", "\x1b[2;3Hj\x1b[5Cf\x1b[H"),
        ("\x1b[2;3Hjelmo world\x1b[1;1H", "\x1b[2;3Hjelm\x1b[H"),
        ("\x1b[2;3H\x1b[31mhello\x1b[0m world\x1b[1;1H", "\x1b[2;3H\x1b[31mhello\x1b[H"),
        ("\x1b[2;3Hhello\x1b[32m \x1b[0mworld\x1b[1;1H", ""),
        ("\x1b[2;3Hhello\x1b[7m \x1b[0mworld\x1b[1;1H", "\x1b[2;8H\x1b[7m \x1b[H"),
        ("\x1b[2;3H\x1b[?2026h\x1b[1;1H\x1b[?2026l", ""),
        ("\x07", "\x07"),
    ],
    ids=[
        "same",
        "end",
        "two places",
        "over what is between",
        "style",
        "blank",
        "reverse",
        "marks",
        "bell",
    ],
)
def test_only_differences_are_sent(output: Output, written: str, sends: str) -> None:
    assert shown(output, written) == sends


def test_marks_are_sent_only_around_differences(output: Output) -> None:
    out = shown(output, "\x1b[?2026h\x1b[2;3HH\x1b[1;1H\x1b[?2026l")
    assert out == "\x1b[?2026h\x1b[2;3HH\x1b[H\x1b[?2026l"


def test_an_incomplete_frame_is_not_sent(output: Output) -> None:
    output.write("\x1b[?2026h\x1b[2;3HH")
    assert output.take() == ""
    output.write("\x1b[1;1H\x1b[?2026l")
    assert "H" in output.take()


def test_only_the_newest_of_several_frames_is_sent(output: Output) -> None:
    for count in range(1000):
        output.write(f"\x1b[2;3H{count:05}\x07\x1b[1;1H")
    out = output.take()
    assert out == "\x07" * 1000 + "\x1b[2;3H00999\x1b[H"


def test_forget_sends_the_whole_screen_again(output: Output) -> None:
    output.forget()
    assert "hello world" in output.take()


@pytest.mark.parametrize("sequence", ["\x1b[2J", "\x1b[99;9H", "\x1b[?1234h", "\x1b[?1049h"])
def test_the_frame_after_an_unknown_sequence_is_sent_whole(output: Output, sequence: str) -> None:
    assert sequence in shown(output, sequence)
    out = shown(output, "\x1b[0m\x1b[2;3Hhello world\x1b[1;1H")
    assert "hello world" in out


def test_a_cut_wide_character_is_repaired_on_every_terminal(output: Output) -> None:
    shown(output, "\x1b[5;5H日\x1b[1;1H")
    out = shown(output, "\x1b[5;6Hx\x1b[1;1H")
    assert out == "\x1b[5;5H x\x1b[H"


@pytest.mark.parametrize("character", ["日", "👩\u200d👧", "⚠\ufe0f", "☺"])
def test_the_cursor_is_positioned_again_where_terminals_differ(
    output: Output, character: str
) -> None:
    out = shown(output, f"\x1b[5;5H{character}\x1b[5;7Hx\x1b[1;1H")
    assert f"{character}\x1b[5;7Hx" in out


def test_changed_combined_characters_send_the_rest_of_their_row(output: Output) -> None:
    shown(output, "\x1b[5;5H⚠\ufe0f tail\x1b[1;1H")
    assert "tail" in shown(output, "\x1b[5;5Hab\x1b[1;1H")


def test_one_digit_in_every_row_costs_few_bytes() -> None:
    output = Output(120, 40)
    rows = [
        f"\x1b[{y};1H\x1b[38;2;1;2;3;48;2;9;9;9m│{'value 1.000 ' * 9:<118}│\x1b[0m\n"
        for y in range(1, 40)
    ]
    whole = shown(output, "\x1b[0m" + "".join(rows) + "\x1b[1;1H")
    changed = [row.replace("1.000 ", "1.001 ", 1) for row in rows]
    small = shown(output, "".join(changed) + "\x1b[1;1H")
    assert len(whole.encode()) < 39 * (120 + 4 + 24)
    assert len(small.encode()) < 39 * 9
