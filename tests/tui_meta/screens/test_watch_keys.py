"""What the keys promise beside training: lenses, a frozen view, the palette, copies, pictures."""

import base64
import csv
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import pytest
from textual._compositor import LayoutUpdate
from textual.pilot import Pilot

from core.commands import Pause, Step
from tests.support.dashboard import pages
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch import FOMAML, press, settle, shown
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.messages.screen import MessagesPage
from tui_meta.views.keys.keymap import BOUND_TOGETHER
from tui_meta.views.keys.watch import GROUPS

EVERY_KEY = [key for _, keys in GROUPS for key in keys]


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    return tmp_path / "tui-meta"


# Charts.


async def test_keys_change_how_the_chart_is_looked_at() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        assert "training loss · linear" in await press(pilot, "tab", "tab", "L")
        assert "training loss: linear scale" in shown(pilot.app)  # type: ignore[arg-type]
        assert "training loss · linear · last 10%" in await press(pilot, "W")
        assert "· newest · not smoothed" in await press(pilot, "W", "u")
        text = await press(pilot, "L", "W", "u")
        assert "training loss ━" in text
        assert "training loss · x: points · x logarithmic" in await press(pilot, "X", "X", "ctrl+x")
        assert "nothing to smooth" in await press(pilot, "left", "right", "shift+tab", "u")


async def test_a_lens_is_stored_for_the_next_client() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await press(pilot, "tab", "L")
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "validation · linear" in shown(pilot.app)  # type: ignore[arg-type]


async def test_a_title_without_room_is_shorter_and_not_cut() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await press(pilot, "e")
        assert "┏━ FOMAML  4.02 → 0.0200 ━" in text
        await pilot.resize_terminal(200, 24)
        await settle(pilot)
        assert "FOMAML  4.02 → 0.0200 · random task · at 12,300" in shown(pilot.app)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(80, 24), (82, 24)])
async def test_on_a_small_wave_the_cursor_reads_all_its_lines(size: tuple[int, int]) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, "e")
        text = await press(pilot, "x", *["left"] * 9)
        (head,) = [row for row in text.splitlines() if " · at " in row]
        assert "FOMAML · at 4." in head
        legend = text.splitlines()[text.splitlines().index(head) + 1]
        assert len(re.findall(r"-?\d\.\d+", legend[: size[0] // 2])) == 3


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (60, 15)])
async def test_x_reads_values_off_the_curve_wherever_the_chart_is(size: tuple[int, int]) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=size) as pilot:
        await settle(pilot)
        newest = await press(pilot, "x")
        assert "Reptile 0." in newest
        assert "Reptile 0." in await press(pilot, "left", "h")
        first = await press(pilot, "g")
        assert "FOMAML 0.2" in first
        assert "FOMAML -" in await press(pilot, "G")
        assert "FOMAML -" not in await press(pilot, "escape")


async def test_without_a_cursor_hjkl_move_like_the_arrows() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key, at in (("l", "validation"), ("j", "wave-1"), ("h", "wave-0"), ("k", "table")):
            await press(pilot, key)
            assert pilot.app.focused is not None
            assert pilot.app.focused.id == at


async def test_g_and_G_scroll_the_table_to_its_ends() -> None:  # noqa: N802  (the keys' names)
    async with TuiMetaApp(FakeSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "newer below" in await press(pilot, "g")
        assert "newer below" not in await press(pilot, "G")


# Frozen and paused.


async def test_a_frozen_view_differs_from_paused_runs() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        header = (await press(pilot, "z")).splitlines()[:5]
        assert "view frozen" in header[0]
        assert "training" in header[1]
        assert not session.commands(Pause)
        header = (await press(pilot, "space")).splitlines()[:5]
        assert "view frozen" in header[0]
        assert "paused" in header[1]
        assert "view frozen" not in (await press(pilot, "z")).splitlines()[0]


async def test_escape_unfreezes() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await press(pilot, "z")
        assert "view frozen" not in (await press(pilot, "escape")).splitlines()[0]


@pytest.mark.parametrize(("key", "count"), [("full_stop", 1), ("T", 10), ("ctrl+t", 100)])
async def test_n_steps_one_ten_or_a_hundred(key: str, count: int) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        assert "steps paused runs" in await press(pilot, key)
        text = await press(pilot, "space", key)
        steps = [command for command, _ in session.sent if isinstance(command, Step)]
        assert steps == [Step(count), Step(count)]
        assert f"FOMAML to {12_300 + count:,}" in text


# Problems.


async def test_a_problem_stays_until_it_is_dismissed() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        session.diverge(FOMAML)
        await settle(pilot)
        text = await press(pilot, "s", "space", "1")
        assert "(esc) FOMAML diverged" in text
        assert "standard, 4.00" in text
        assert "(esc) FOMAML diverged" not in await press(pilot, "escape")
        assert "esc: live" in shown(pilot.app)  # type: ignore[arg-type]


async def test_a_problem_on_the_only_line_leaves_room_for_a_message() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(100, 19)) as pilot:
        await settle(pilot)
        session.diverge(FOMAML)
        await settle(pilot)
        (text,) = [row for row in (await press(pilot, "z")).splitlines() if "(esc)" in row]
        assert "FOMAML diverged" in text
        assert "view frozen" in text


async def test_escape_dismisses_a_problem_on_other_screens_too() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "m")
        assert isinstance(app.screen, MessagesPage)
        app.screen.show_error("something is wrong")
        await press(pilot, "escape")
        assert isinstance(app.screen, MessagesPage)
        await press(pilot, "escape")
        assert app.screen is app.watch_screen


# Copies and pictures.


def written_by(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the terminal from now on."""
    sent: list[str] = []
    driver = pilot.app._driver
    assert driver is not None
    monkeypatch.setattr(driver, "write", sent.append)
    return sent


async def test_y_copies_the_focused_chart_and_writes_a_file(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "right")
        sent = written_by(pilot, monkeypatch)
        text = await press(pilot, "y")
    (path,) = (state_folder / "copies").iterdir()
    assert "copied; also saved to" in text
    assert path.name.endswith("-validation.tsv")
    (copied,) = [one for one in sent if one.startswith("\x1b]52;c;")]
    assert base64.b64decode(copied[7:-1]).decode() == path.read_text()
    head, *rows = csv.reader(path.read_text().splitlines(), delimiter="\t")
    assert head == ["series", "iteration", "loss"]
    bands = [f"{run} 95 % {edge}" for run in ("FOMAML", "Reptile") for edge in ("low", "high")]
    assert {row[0] for row in rows} == {"untrained", "FOMAML", "Reptile", *bands}
    assert max(float(row[2]) for row in rows) == pytest.approx(1.2 * 0.246, abs=0.01)


async def test_through_tmux_the_copy_is_wrapped_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        sent = written_by(pilot, monkeypatch)
        await press(pilot, "y")
    (copied,) = [one for one in sent if "]52;" in one]
    plain, wrapped = copied.split("\x1bPtmux;")
    assert wrapped == f"\x1b{plain}\x1b\\"


async def test_y_on_the_table_and_on_a_run_copies_numbers(state_folder: Path) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "y", "shift+tab", "y")
    texts = {path.name.split("-", 2)[2]: path.read_text() for path in state_folder.rglob("*.tsv")}
    assert len(texts["losses.tsv"].splitlines()) == 1 + 12 + 18
    assert (
        "reptile-1\treptile\ttraining\t18700\t50000\t0.531\t0.1203424954\t15000"
        in texts["runs.tsv"]
    )


async def test_p_saves_a_picture_of_the_screen_and_of_each_chart_with_its_values(
    state_folder: Path,
) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "p")
        messages = pilot.app.dashboard.messages.all  # type: ignore[attr-defined]
    kinds = ("svg", "csv")
    charts = ["watch-validation", "watch-wave-0", "watch-wave-1"]
    assert f"-screen.svg; as SVG and CSV: {', '.join(charts)}" in messages[-1].text
    saved = {path.name.split("-", 2)[2]: path for path in (state_folder / "pictures").iterdir()}
    assert set(saved) == {"screen.svg"} | {f"{one}.{kind}" for one in charts for kind in kinds}
    screen, chart = (
        "".join(ElementTree.parse(saved[name]).getroot().itertext()).replace("\xa0", " ")
        for name in ("screen.svg", "watch-validation.svg")
    )
    assert "12,300 / 50,000" in screen
    for part in ("FOMAML", "Reptile", "untrained", "iteration", "loss on 64 tasks"):
        assert part in chart


async def test_the_result_of_one_key_is_not_replaced_by_that_of_another() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(300, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "p", "y")
        assert "screenshot saved" in text
        assert "copied; also saved to" in text


async def test_two_pictures_of_one_second_are_two(state_folder: Path) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await press(pilot, "p", "p", "p")
    assert len(list(state_folder.rglob("*-screen.svg"))) == 3


@pytest.mark.parametrize(
    ("key", "said"), [("p", "the screenshot could not"), ("y", "the copy could not")]
)
async def test_a_failed_write_is_reported_and_stays(key: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "tui-meta").write_text("a file where the folder should be")
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        assert said in await press(pilot, key)
        assert said in await press(pilot, "space")


async def test_names_with_control_characters_reach_neither_terminal_nor_table(
    state_folder: Path,
) -> None:
    session = FakeSession()
    name = "a\x1b]0;x\x07\tb"
    hostile = msgspec.structs.replace(session.snapshots()[FOMAML], run=name)
    session.snapshots = lambda: {name: hostile}  # type: ignore[method-assign]
    session.start = lambda: None  # type: ignore[method-assign]
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await press(pilot, "up", "y")
    (path,) = state_folder.rglob("*.tsv")
    assert all(row.replace("\t", "").isprintable() for row in path.read_text().splitlines())
    assert path.read_text().splitlines()[1].split("\t")[0] == "a ]0;x  b"


# The terminal.


@pytest.mark.usefixtures("every_frame")
async def test_ctrl_l_redraws_everything_and_resets_the_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        forgotten: list[str] = []
        forget = lambda: forgotten.append("")  # noqa: E731
        monkeypatch.setattr(app._driver, "forget", forget, raising=False)
        drawn: list[object] = []
        display = app._display
        monkeypatch.setattr(
            app, "_display", lambda screen, what: (drawn.append(what), display(screen, what))
        )
        await press(pilot, "ctrl+l")
        assert forgotten == [""]
        assert any(isinstance(one, LayoutUpdate) for one in drawn)


@pytest.mark.parametrize(
    ("keys", "head"),
    [
        (("m",), "time\tmessage"),
        (("v",), "run\titeration\tlengths"),
        (("b", "e"), "source\titeration\ttasks\tmean"),
        (("a",), "series\tx\ty"),
    ],
)
async def test_a_page_copies_what_it_shows(
    keys: tuple[str, ...], head: str, state_folder: Path
) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(120, 40)) as pilot:
        await pages.settle(pilot)
        await pages.press(pilot, *keys, "y")
    (copied,) = state_folder.rglob("*.tsv")
    first, *rest = copied.read_text().splitlines()
    assert first.startswith(head)
    assert rest


# What is written about keys.


def test_the_page_on_screens_names_every_key_with_its_action() -> None:
    text = (Path(__file__).parents[3] / "docs" / "screens.md").read_text()
    for screen, keys in BOUND_TOGETHER.items():
        own = [key for key in keys if screen == "watch" or key.name.startswith(screen)]
        for key in own:
            assert f"| `{' '.join(key.all_shown)}` | {key.label} | {key.help} |" in text


async def test_letters_below_a_chart_are_named() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "tab", "e")
        assert " e evaluated · chart 1 of 3, tab: next " in text
        assert " e evaluated, s saved · chart 1 of 3, tab: next " in await press(pilot, "s")
