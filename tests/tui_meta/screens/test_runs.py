"""The Runs screen: runs are listed, sorted, filtered, opened and compared."""

from __future__ import annotations

import types
from functools import partial
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.events import AnyEvent, Finished
from core.session.local import LocalSession
from core.storage.live_index import FollowedRun
from core.storage.run_index import RunDetails, RunSummary, summarize, updated_summary
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, press, settle, shown
from tests.support.dashboard.watch import workers_done
from tests.support.run_folders import (
    NASTY,
    evaluated,
    make_checkpoint,
    make_run,
    progress,
    stamp,
    started,
    validated,
)
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.runs.screen import RunsPage
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.views.runs.curves import MOST_CURVES
from tui_meta.widgets.chart import Chart

pytestmark = pytest.mark.usefixtures("no_timers")

NOW = 5_000.0
LISTED = ("fomaml-a", "reptile-b")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """A session in a folder with three runs, one of them damaged and one with a hostile name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(
        "tui_meta.screens.runs.screen.time", types.SimpleNamespace(time=lambda: NOW)
    )
    folder = Path("checkpoints")
    events = [started(), *(progress(n, 3 - n / 500) for n in range(100, 1_100, 100))]
    best = [evaluated(500, 4.0, 0.02), validated(500, 4.0, 0.02), evaluated(1_000, 4.0, 0.05)]
    done = make_run(folder / "fomaml-a", [*events, *best, Finished(**stamp(1_000, 2_000.0))])
    make_checkpoint(done, 1_000, {"kind": "final"})
    reptile = RunConfig(algorithm=Reptile(inner_lr=0.5), iterations=2_000)
    slow = [started(target=2_000), progress(100, 0.9), validated(200, 4.0, 0.3)]
    make_run(folder / "reptile-b", slow, config=reptile)
    (make_run(folder / "zz-damaged") / "run.json").write_text("{")
    return FakeSession(folder=folder)


def names(text: str) -> list[str]:
    """The runs of the list, from top to bottom."""
    known = ("fomaml-a", "reptile-b", "zz-damaged")
    rows = [line[2:20] for line in text.splitlines()[3:]]
    return [name for row in rows for name in known if row.startswith(name)]


def copied(folder: Path) -> str:
    """The newest copy that was kept."""
    files = (folder.absolute().parent / "state").rglob("*.tsv")
    return max(files, key=lambda path: path.stat().st_mtime_ns).read_text()


def under_cursor(text: str) -> str:
    (row,) = [line for line in text.splitlines() if line.startswith("▸")]
    return row[2:].split()[0]


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_all_runs_of_the_folder_are_listed(
    session: FakeSession, size: tuple[int, int]
) -> None:
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        text = await press(pilot, "f")
        assert "checkpoints: 3 runs" in text
        assert names(text) == ["fomaml-a", "reptile-b", "zz-damaged"]
        for part in ("finished", "interrupted", "damaged", "1,000 / 1,000", "200 / 2,000"):
            assert part in text
        if size[0] >= 80:
            assert "0.0200" in text
            assert "50 min" in text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("down", "up", "first", "last"),
    [("down", "up", "home", "end"), ("j", "k", "g", "G"), ("pagedown", "pageup", "g", "end")],
)
async def test_the_cursor_moves(
    session: FakeSession, size: tuple[int, int], down: str, up: str, first: str, last: str
) -> None:
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        assert under_cursor(await press(pilot, "f")) == "fomaml-a"
        if not down.startswith("page"):
            assert under_cursor(await press(pilot, down)) == "reptile-b"
            assert under_cursor(await press(pilot, up)) == "fomaml-a"
        assert under_cursor(await press(pilot, last)) == "zz-damaged"
        assert under_cursor(await press(pilot, up, up, up)) == "fomaml-a"
        assert under_cursor(await press(pilot, down, first)) == "fomaml-a"


async def test_s_sorts_and_the_cursor_stays_on_its_run(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        assert "by age" in await press(pilot, "f", "down")
        expected = {
            "name": ["fomaml-a", "reptile-b"],
            "state": ["fomaml-a", "reptile-b"],
            "iteration": ["fomaml-a", "reptile-b"],
            "validation": ["fomaml-a", "reptile-b"],
            "age": ["fomaml-a", "reptile-b"],
        }
        for order, runs in expected.items():
            text = await press(pilot, "O")
            assert f"by {order}" in text
            assert names(text)[:2] == runs
            assert under_cursor(text) == "reptile-b"
        assert "by validation" in await press(pilot, "ctrl+o")


@pytest.mark.parametrize("size", SIZES)
async def test_a_filter_is_typed_kept_and_left(session: FakeSession, size: tuple[int, int]) -> None:
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        text = await press(pilot, "f", "slash", *"rept q")
        assert "filter /rept q" in text
        assert "enter keep the filter  esc all runs" in text.splitlines()[-1]
        assert "q quit" not in text
        assert "no run with “rept q”" in text
        assert "fomaml-a" not in text
        text = await press(pilot, "backspace", "backspace")
        assert names(text) == ["reptile-b"]
        assert "1 with “rept”" in await press(pilot, "enter")
        assert "filter /" not in await press(pilot, "down")
        assert "esc all runs" in await settle(pilot)
        assert len(names(await press(pilot, "escape"))) == 3
        assert len(names(await press(pilot, "slash", "x", "escape"))) == 3
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, WatchScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_enter_opens_a_run_and_escape_comes_back(
    session: FakeSession, size: tuple[int, int]
) -> None:
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        text = await press(pilot, "f", "j", "enter")
        for part in ("reptile-b, Reptile: ", "checkpoints/reptile-b", "reptile.inner_lr", "0.5"):
            assert part in text
        assert "validation" in text
        text = await press(pilot, "G")
        assert "command line" in text
        assert "state  " in await press(pilot, "g")
        assert under_cursor(await press(pilot, "escape")) == "reptile-b"


async def test_a_damaged_run_shows_what_is_wrong(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "f", "G", "enter")
        assert "run.json" in text.splitlines()[-2]
        assert "damaged" in text


@pytest.mark.parametrize("size", SIZES)
async def test_marked_runs_are_compared_on_one_chart(
    session: FakeSession, size: tuple[int, int]
) -> None:
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        text = await press(pilot, "f", "M", "M")
        assert "2 marked" in text
        assert text.count("●") == 2
        text = await press(pilot, "C")
        assert "─ validation: loss on 64 tasks, 10 points, 32 steps ─" in text
        for sample, name in (("⠒⠒", "fomaml-a"), ("╍╍", "reptile-b")):
            assert f"{sample} {name}" in text
        assert "─ training loss ─" in await press(pilot, "o")
        assert "2 marked" in await press(pilot, "escape")
        assert "1 marked" in await press(pilot, "g", "M")


async def test_without_marks_the_curves_are_those_of_the_run_under_the_cursor(
    session: FakeSession,
) -> None:
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "f", "j", "C")
        assert "⠒⠒ reptile-b" in text
        assert "fomaml-a" not in text


async def test_no_more_runs_are_marked_than_can_be_compared(session: FakeSession) -> None:
    for index in range(MOST_CURVES):
        make_run(session.folder / f"run-{index}", [started(), progress(100)])
    note = f"at most {MOST_CURVES} curves"
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        await settle(pilot)
        await pilot.press(*["M"] * (MOST_CURVES + 1))
        text = await settle(pilot)
        assert note in text
        assert f"{MOST_CURVES} marked" in text
        # The note is not taken to another screen.
        assert note not in await press(pilot, "w")
        assert note in await press(pilot, "f", "M")
        assert note not in await press(pilot, "escape")


async def test_r_resumes_a_run_in_a_session_of_its_own_after_a_question(
    session: FakeSession,
) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "f", "j", "c")
        assert "reptile-b continues from its latest checkpoint" in text
        await press(pilot, "c", "escape")
        assert not session.calls[1:]
        text = await press(pilot, "c", "r")
        assert session.calls[1:] == ["resume checkpoints/reptile-b"]
        assert "reptile-b resumed in session 7; view: tui-meta attach 7" in text
        await press(pilot, "y")
    assert copied(session.folder) == "tui-meta attach 7\n"


async def test_a_finished_run_shows_a_command_that_can_be_copied(session: FakeSession) -> None:
    command = "tui-meta resume checkpoints/fomaml-a --iterations 2000"
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        assert f"finished; to continue: {command}" in await press(pilot, "f", "c")
        await press(pilot, "y")
        assert copied(session.folder) == f"{command}\n"
        await press(pilot, "j", "y")
        assert copied(session.folder).startswith("path\tname\tstate\t")


async def test_a_failed_resume_shows_a_line_that_stays(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        session, "resume_in_new_session", partial(LocalSession.resume_in_new_session, session)
    )
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        said = "reptile-b cannot be resumed: no other session"
        assert said in await press(pilot, "f", "j", "c", "r")
        assert said in await press(pilot, "O", "j")
        assert said not in await press(pilot, "escape")


def append(run: Path, *events: AnyEvent) -> None:
    with (run / "events.jsonl").open("ab") as log:
        log.writelines(msgspec.json.encode(event) + b"\n" for event in events)


async def look(pilot: Pilot[None]) -> str:
    """Let the screen look at the folders, as it does every second."""
    page = pilot.app.screen
    assert isinstance(page, RunsPage)
    page.look()
    return await settle(pilot)


async def test_runs_are_followed_while_they_are_shown(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "f", "down")
        assert "0.300 ± 0.030" in text
        append(session.folder / "reptile-b", progress(300), validated(400, 4.0, 0.25))
        assert "0.250 ± 0.025" not in await settle(pilot)
        make_run(session.folder / "fomaml-new", [started(), progress(100)])
        text = await look(pilot)
        assert text.count("400 / 2,000") == 2  # in the list, and beside it
        assert text.count("0.250 ± 0.025") == 2
        assert "fomaml-new" in text
        assert under_cursor(text) == "reptile-b"
        make_run(session.folder / "fomaml-newer", [started(), progress(100)])
        assert "fomaml-newer" in await press(pilot, "w", "f")


async def test_an_open_run_is_followed(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        assert "200 / 2,000" in await press(pilot, "f", "down", "enter")
        append(session.folder / "reptile-b", progress(700))
        assert "700 / 2,000" in await look(pilot)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", ["f", "f enter", "f enter escape", "f M M C", "f M M C escape"])
async def test_what_a_key_opens_is_complete_before_the_next_tick(
    session: FakeSession, keys: str, size: tuple[int, int]
) -> None:
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await settle(pilot)
        *before, last = keys.split()
        await press(pilot, *before)
        await pilot.press(last)
        await workers_done(pilot)
        for _ in range(3):
            await pilot.pause()
        at_once = shown(pilot)
        assert await settle(pilot) == at_once


async def test_compared_runs_are_followed(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        assert "0.300 ± 0.030" in await press(pilot, "f", "M", "M", "C")
        append(session.folder / "reptile-b", validated(900, 4.0, 0.1))
        assert "0.100 ± 0.010" in await look(pilot)
        (chart,) = [one for one in pilot.app.screen.query(Chart) if one.region.area]
        assert chart.plot is not None
        ends = {one.label: one.x[-1] for one in chart.plot.series if one.label in LISTED}
        assert ends == {"fomaml-a": 500, "reptile-b": 900}


async def test_the_chart_keys_of_watch_change_the_comparison(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await press(pilot, "f", "M", "M", "C")
        for key, words in {
            "L": "validation: linear scale",
            "X": "validation: x axis in tasks",
            "ctrl+x": "validation: logarithmic x axis",
            "W": "validation: the last 10%",
            "u": "every validation is shown",
        }.items():
            assert words in await press(pilot, key)
        assert "tasks · linear · last 10% · x: tasks · x logarithmic ─" in await press(pilot, "x")
        text = await press(pilot, "x", "escape", "C", *"WW", "ctrl+x", *"XXXXx")
        assert "at 500" in text
        assert "at 200" in await press(pilot, "h")
        assert "at 500" in await press(pilot, "G")
        assert "at 500" not in await press(pilot, "x")


async def test_chart_keys_without_a_chart_say_what_shows_one(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        assert "no chart is shown; C: compare" in await press(pilot, "f", "L")


async def test_a_folder_that_cannot_be_read_is_a_line(session: FakeSession) -> None:
    session.folder = Path("nowhere")
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await press(pilot, "f")
        assert "cannot be read (No such file or directory)" in text
        assert "no runs in nowhere" in text


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_are_spelled_out(session: FakeSession, size: tuple[int, int]) -> None:
    path = make_run(session.folder / f"a{NASTY}", [started(), progress(100), progress(200)])
    make_checkpoint(path, 200)
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        seen = [await press(pilot, "f", "O", "g")]
        seen += [await press(pilot, *keys) for keys in (["c"], ["C"], ["escape"])]
        seen.append(await press(pilot, "enter"))
        for text in seen:
            assert not {"\x1b", "\x07", "\t", "\u202e"} & set(text)
        assert r"a\x1b[31" in seen[0]
        assert r"a\x1b" in seen[2]
        assert r"a\x1b[31mred" in seen[4]


async def test_the_run_under_the_cursor_is_shown_next_to_the_list(session: FakeSession) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "f")
        assert "─ fomaml-a ─" in text
        assert "0.0200 ± 0.0020 at 500" in " ".join(text.split())
        text = await press(pilot, "down")
        assert "─ reptile-b ─" in text
        assert "inner 0.5" in text


async def test_the_age_of_the_last_event_is_that_of_the_list(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        assert "last event    50 min ago" in await press(pilot, "f")
        monkeypatch.setattr("tui_meta.screens.runs.screen.time.time", lambda: NOW + 60.0)
        assert "last event    51 min ago" in await look(pilot)


@pytest.mark.parametrize("keys", [(), ("enter",), ("C",)], ids=["list", "run", "curves"])
async def test_what_has_not_changed_is_not_read_again(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    reads: list[str] = []
    read_all = FollowedRun.read

    def read(run: FollowedRun, summary: RunSummary) -> RunDetails:
        reads.append(summary.name)
        return read_all(run, summary)

    def summarize_(path: Path) -> RunSummary | None:
        reads.append(path.name)
        return summarize(path)

    def updated(before: RunSummary, offset: int) -> RunSummary | None:
        reads.append(f"{before.name}, new lines")
        return updated_summary(before, offset)

    monkeypatch.setattr(FollowedRun, "read", read)
    monkeypatch.setattr("core.storage.live_index.summarize", summarize_)
    monkeypatch.setattr("core.storage.live_index.updated_summary", updated)
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await press(pilot, "f", *keys)
        assert reads
        reads.clear()
        await press(pilot, "O", "ctrl+o", "O")
        await look(pilot)
        assert reads == []
        append(session.folder / "reptile-b", progress(300))
        await look(pilot)
    assert reads == ["reptile-b, new lines"]
