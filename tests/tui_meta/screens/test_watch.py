"""The dashboard: every key takes effect at once and visibly, at any size."""

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from textual._compositor import Compositor, CompositorUpdate
from textual.app import App
from textual.screen import Screen

from core.commands import Evaluate, Extend, Pause, Resume, Save, SetPace, Step
from core.session.api import Session
from tests.support.dashboard.fake_session import FakeSession, FakeTrainer, state
from tests.support.dashboard.pages import SIZES
from tests.support.dashboard.watch import FOMAML, REPTILE, press, settle, shown, workers_done
from tests.support.dashboard.watch_state import one_evaluation
from tests.support.remotes import served
from tests.support.sessions import folder_for_sockets
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.dialogs.ask import Ask
from tui_meta.screens.dialogs.help import Help
from tui_meta.views.keys.watch import GROUPS
from tui_meta.views.rates import LOCAL

MakeApp = Callable[[FakeSession], TuiMetaApp]
"""Makes a dashboard of a session."""


@pytest.fixture(params=["here", "served"])
def make_app(request: pytest.FixtureRequest) -> Iterator[MakeApp]:
    """A dashboard of a session in this process, and one of the same session across a socket."""
    if request.param == "here":
        yield TuiMetaApp
        return
    with ExitStack() as stack:

        def served_app(session: FakeSession) -> TuiMetaApp:
            stack.enter_context(folder_for_sockets())
            return TuiMetaApp(stack.enter_context(served(session)).client(owner=True))

        yield served_app


at_every_size = pytest.mark.parametrize(
    ("make_app", "size"),
    [*(("here", size) for size in SIZES), ("served", (120, 40))],
    indirect=["make_app"],
)
"""Across a socket at one size: what is sent does not depend on it."""


def test_the_fake_is_a_session() -> None:
    session: Session = FakeSession()
    assert session.snapshots()


async def test_training_starts_only_after_the_first_frame() -> None:
    session = FakeSession()
    app = TuiMetaApp(session)
    assert not session.calls
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert session.calls == ["start"]


@pytest.mark.usefixtures("every_frame")
@pytest.mark.parametrize("size", SIZES)
async def test_the_first_frame_is_arranged_for_the_size(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[str] = []
    display = App._display

    def noting(app: App[None], screen: Screen[None], update: CompositorUpdate | None) -> None:
        if update:
            frames.append(shown(app))
        display(app, screen, update)

    monkeypatch.setattr(App, "_display", noting)
    async with TuiMetaApp(FakeSession()).run_test(size=size) as pilot:
        await settle(pilot)
    for part in ("FOMAML", "Reptile", "loading", "one random task each", "? help"):
        assert part in frames[0]


@at_every_size
async def test_what_matters_is_on_the_screen_at_every_size(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    async with make_app(FakeSession()).run_test(size=size) as pilot:
        await settle(pilot)
        text = shown(pilot.app)
        for part in ("FOMAML", "Reptile", "12,300 / 50,000", "18,700 / 50,000", " 24%", " 37%"):
            assert part in text
        assert ("3,912 it/s" if size[0] >= 100 else "0:09 left") in text
        for part in (
            "validation: loss on 64 tasks, 10 points, 32 steps",
            "one random task each",
            "? help",
            "q quit",
            "space pause",
        ):
            assert part in text


async def test_space_pauses_all_runs_and_resumes_them(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "space")
        assert session.commands(Pause) == [FOMAML, REPTILE]
        assert "paused: FOMAML at 12,300 · Reptile at 18,700" in text
        assert "space resume" in text
        text = await press(pilot, "space")
        assert session.commands(Resume) == [FOMAML, REPTILE]
        assert "training: FOMAML from 12,300" in text


async def test_with_the_focus_on_a_run_keys_act_on_it_alone(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        assert "space pause Reptile" in await press(pilot, "shift+tab")
        await press(pilot, "space", "s", "less_than_sign")
        assert session.commands(Pause) == session.commands(Save) == [REPTILE]
        assert session.commands(SetPace) == [REPTILE]
        assert state(session, FOMAML) == "training"
        await press(pilot, "e")
        assert session.commands(Evaluate) == [None]


async def test_a_command_is_answered_before_the_run_obeys(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(FakeTrainer, "send", lambda run, command: True)
        text = await press(pilot, "space")
        assert "pausing FOMAML and Reptile…" in text
        assert text.count("pausing…") == 2
        assert "evaluating: standard…" in await press(pilot, "1")
        assert "saving FOMAML and Reptile…" in await press(pilot, "s")


async def test_n_steps_paused_runs_only(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        assert ". steps paused runs" in await press(pilot, "full_stop")
        assert not session.commands(Step)
        text = await press(pilot, "space", "full_stop")
        assert session.commands(Step) == [FOMAML, REPTILE]
        assert "one iteration: FOMAML to 12,301 · Reptile to 18,701" in text


async def test_s_saves_and_shows_where(make_app: MakeApp) -> None:
    async with make_app(FakeSession()).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "s")
        assert "saved checkpoints/fomaml-1/000012300.safetensors" in text
        assert "saved checkpoints/reptile-1/000018700.safetensors" in text
        assert "saving" not in text


@pytest.mark.parametrize(
    ("key", "probe", "said"),
    [
        ("e", "random", "random task,"),
        ("1", "standard", "standard, 4.00·sin(x + 1.00): FOMAML 4.02 → "),
        ("2", "half-range", "half range, 4.00·sin(x + 1.00): FOMAML 4.02 → "),
    ],
)
@at_every_size
async def test_an_evaluation_is_requested_shown_and_kept(
    make_app: MakeApp, key: str, probe: str, said: str, size: tuple[int, int]
) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=size) as pilot:
        text = await press(pilot, key)
        assert session.sent == [(Evaluate(probe, 0), None)]  # type: ignore[arg-type]
        assert said in text
        assert text.count("4.04 → 0.") == 2  # of the panel's title and of the message
        assert size[0] == 80 or text.count(f"· {said.partition(',')[0]} ") >= 2
        assert "esc back" in text
        assert "esc back" not in await press(pilot, "escape")


@at_every_size
async def test_3_shows_the_loss_per_step_of_both_runs(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    async with make_app(FakeSession()).run_test(size=size) as pilot:
        text = await press(pilot, "S")
        assert "─ loss per step" in text or "━ loss per step" in text
        assert re.search(r"(?<!per) step\b", text)
        text = await press(pilot, "escape")
        assert "32 steps ─" in text or "32 steps ━" in text


async def test_pace_goes_down_step_by_step_and_up_again(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        assert "full speed is the fastest" in await press(pilot, "greater_than_sign")
        assert "pace of FOMAML and Reptile: 3,000 it/s" in await press(pilot, "less_than_sign")
        text = await press(pilot, *["less_than_sign"] * 8)
        assert "1 it/s is the slowest" in text
        paces = [command.pace for command, run in session.sent if run == FOMAML]  # type: ignore[attr-defined]
        assert paces == [3_000, 1_000, 300, 100, 30, 10, 3, 1]
        await press(pilot, *["greater_than_sign"] * 8)
        assert session.snapshots()[REPTILE].pace is None


async def test_c_continues_finished_runs(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        assert "c continues finished runs" in await press(pilot, "c")
        assert not session.sent
        session.finish(FOMAML)
        await settle(pilot)
        text = await press(pilot, "c")
        assert session.commands(Extend) == [FOMAML]
        assert "continuing: FOMAML to 100,000 iterations" in text


async def test_a_finished_session_offers_to_continue(make_app: MakeApp) -> None:
    session = FakeSession({"reptile": 50_000})
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = shown(pilot.app)
        assert "c continue" in text
        assert "space" not in text
        assert "nothing to pause" in await press(pilot, "space")


async def test_r_starts_new_runs_after_a_confirmation(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "r", "escape")
        assert "restart" not in session.calls
        assert "next seed" in await press(pilot, "r")
        await pilot.press("enter")
        await workers_done(pilot)
        await settle(pilot)
        assert session.calls == ["start", "restart", "start"]
        text = shown(pilot.app)
        assert "loading PyTorch…" in text
        await press(pilot, "s")
        assert session.commands(Save) == ["fomaml-2", "reptile-2"]
        assert "new runs with the next seed" in await press(pilot, "m")


async def test_q_asks_while_something_would_be_lost(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key in ("q", "ctrl+c"):
            text = await press(pilot, key, "q", "q", "ctrl+c")
            assert "save and stop" in text
            assert session.calls == ["start"]
            assert "quit?" not in await press(pilot, "escape")


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (["s"], "stop save=True"),
        (["enter"], "stop save=True"),
        (["x"], "stop save=False"),
        (["down", "enter"], "stop save=False"),
        (["down", "down", "enter"], None),
        (["up", "enter"], None),
    ],
)
async def test_each_answer_of_the_quit_question(keys: list[str], end: str | None) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("q", *keys)
        await workers_done(pilot)
        await pilot.pause()
        assert session.calls[1:] == ([end] if end else [])


async def test_q_leaves_at_once_when_nothing_would_be_lost(make_app: MakeApp) -> None:
    session = FakeSession({"reptile": 50_000})
    async with make_app(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("q")
        await workers_done(pilot)
        assert session.calls == ["start", "stop save=True"]


async def test_moving_the_focus_does_not_repaint_the_whole_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monkeypatch.delattr(Compositor, "render_full_update")
        await press(pilot, "tab", "shift+tab")


@pytest.mark.parametrize("size", SIZES)
async def test_tab_visits_every_panel_and_comes_back(size: tuple[int, int]) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        visited = []
        for _ in range(9):
            await press(pilot, "tab")
            assert app.focused is not None
            assert app.focused.region.area > 0
            visited.append(app.watch_screen.focused_name)
        assert visited == [
            *("validation", "training", "updates", "wave-0", "wave-1", "facts"),
            *("run-0", "run-1", "table"),
        ]


async def test_arrows_move_to_the_neighbour() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key, at in (
            ("right", "validation"),
            ("down", "wave-1"),
            ("left", "wave-0"),
            ("up", "table"),
            ("up", "run-1"),
            ("up", "run-0"),
            ("down", "run-1"),
        ):
            await press(pilot, key)
            assert app.watch_screen.focused_name == at


async def test_enter_enlarges_and_escape_goes_back_and_never_out() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "right", "enter")
        assert "one random task each" not in text
        assert app.query_one("#validation").size.width > 110
        assert "one random task each" in await press(pilot, "escape")
        assert "q: quit" in await press(pilot, "escape", "escape")
        assert app.is_running


async def test_the_table_scrolls_by_keys_and_by_wheel(make_app: MakeApp) -> None:
    async with make_app(FakeSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "newer below" in await press(pilot, "home")
        assert " 1,000 " in shown(pilot.app)
        assert " 18,000 " in await press(pilot, "end")
        await pilot._post_mouse_events([_wheel_up()], "#table")
        await settle(pilot)
        assert " 18,000 " not in shown(pilot.app)


async def test_the_mouse_focuses_panels_and_presses_footer_keys(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.click("#wave-1")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "wave-1"
        await pilot.click("#runs", offset=(9, 3))
        await settle(pilot)
        assert "█╍╍ Reptile" in shown(pilot.app)
        await pilot.click("#title")
        await pilot.press("tab", "tab")
        await pilot.click("#keys", offset=(2, 0))
        await settle(pilot)
        assert session.commands(Pause) == [FOMAML, REPTILE]


async def test_tabs_answer_to_the_mouse() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.click("#title", offset=(77, 0))
        await settle(pilot)
        assert "support" in shown(pilot.app)


async def test_a_diverged_run_shows_the_reason_and_advice(make_app: MakeApp) -> None:
    session = FakeSession()
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        session.diverge(FOMAML)
        await settle(pilot)
        header = "\n".join(shown(pilot.app).splitlines()[:5])
        assert "diverged" in header
        assert "lower fomaml.outer_lr" in header
        assert state(session, REPTILE) == "training"


async def test_evaluations_before_a_resume_are_in_the_table(make_app: MakeApp) -> None:
    before = FakeSession({"reptile": 4_000})
    before.start()
    session = FakeSession({"reptile": 4_000}, earlier=before.events(0))
    session.start = lambda: None  # type: ignore[method-assign]
    async with make_app(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert " 4,000 " in shown(pilot.app)


async def test_every_bound_key_is_in_the_help() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 110)) as pilot:
        await settle(pilot)
        bound = {
            active.binding.id: active.tooltip for active in app.screen.active_bindings.values()
        }
        text = await press(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        for key in (key for _, keys in GROUPS for key in keys):
            assert bound.pop(key.name) == key.help
            assert f"┃ {' '.join(key.all_shown)} " in text
        assert not bound
        await press(pilot, "escape")
        assert not isinstance(app.screen, Help)


async def test_the_help_of_another_screen_has_its_keys_from_the_first_on() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "m", "question_mark", "pagedown")
        await press(pilot, "escape", "b")
        text = await press(pilot, "question_mark")
        assert "What you see here" in text.splitlines()[1]
        assert "battery" in text.splitlines()[2]
        assert text == await press(pilot, "escape", "question_mark")


async def test_every_key_of_the_table_is_bound() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test() as pilot:
        await settle(pilot)
        bound = set(app.screen.active_bindings)
    for _, keys in GROUPS:
        for key in keys:
            assert set(key.names.split(",")) <= {name.replace(",", "comma") for name in bound}


@pytest.mark.parametrize("screen", ["watch", "help", "quit"])
async def test_any_resize_survives(screen: str) -> None:
    keys = {"watch": (), "help": ("question_mark",), "quit": ("q",)}[screen]
    choose = random.Random(0)
    sizes = [(1, 1), (20, 5), (300, 100), (2, 40), (200, 2), (59, 15), (39, 30), (80, 24)]
    sizes += [(choose.randint(1, 220), choose.randint(1, 70)) for _ in range(4)]
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press(*keys)
        for size in sizes:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            shown(app)
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert "FOMAML" in shown(app)


async def test_a_tiny_terminal_gets_a_polite_line() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(20, 5)) as pilot:
        await settle(pilot)
        text = shown(pilot.app)
        assert "please enlarge 40x10" in text
        assert "FOMAML  24%" in text
        assert "Reptile  37%" in text


async def test_below_the_least_size_the_needed_and_present_sizes_are_shown() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(39, 12)) as pilot:
        await settle(pilot)
        assert "please enlarge 40x10; this has 39x12" in shown(pilot.app)


async def test_sixty_by_fifteen_keeps_the_table_and_one_chart() -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(60, 15)) as pilot:
        await settle(pilot)
        rows = shown(pilot.app).splitlines()
        assert any("one random task each" in row for row in rows)
        assert any("best 0." in row for row in rows)
        assert any("validation: loss on" in row for row in rows)
        assert any("⠒" in row or "▀" in row for row in rows[10:14])
        for row, percent in zip((1, 2), ("24%", "37%"), strict=True):
            assert percent in rows[row]
            assert " left" in rows[row]


async def test_any_keys_in_any_order_do_no_harm(make_app: MakeApp) -> None:
    names = [name for _, keys in GROUPS[:-1] for key in keys for name in key.names.split(",")]
    choose = random.Random(1)
    session = FakeSession()
    app = make_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(40):
            await pilot.press(choose.choice(names))
            if isinstance(app.screen, Ask | Help):
                await pilot.press("escape")
        await settle(pilot)
        assert app.is_running
        assert "FOMAML" in shown(app)


async def test_nothing_is_painted_when_nothing_changes(make_app: MakeApp) -> None:
    app = make_app(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "space")
        painted: list[object] = []
        refresh = app.screen._compositor.render_update
        app.screen._compositor.render_update = (  # type: ignore[method-assign]
            lambda *args, **options: (painted.append(args), refresh(*args, **options))[1]
        )
        for _ in range(30):
            app.watch_screen.tick()
            await pilot.pause()
        assert not painted


def test_the_first_frame_comes_before_torch(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.session.local import LocalSession
from core.training.run_plan import plan_new
from tui_meta.app.application import TuiMetaApp

config = RunConfig(algorithm=ALGORITHMS["reptile"]())
session = LocalSession([plan_new(config, Path(sys.argv[1]), None)])
start = session.start
def noted():
    app.torch_before = "torch" in sys.modules
    app.frame = "Reptile" in "".join(s.text for s in app.screen._compositor.render_strips(app.size))
    app.exit()
session.start = noted
app = TuiMetaApp(session)
app.run(headless=True, size=(80, 24))
assert app.frame, "no first frame"
assert not app.torch_before, "torch was imported before the first frame"
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _wheel_up() -> type:
    from textual.events import MouseScrollUp

    return MouseScrollUp


async def test_a_tick_paints_one_panel_and_in_time_all_are_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        painted: list[list[str]] = []
        monkeypatch.setattr(
            app.watch_screen, "_paint_panels", lambda panels: painted.append(list(panels))
        )
        for _ in range(LOCAL.wave_ticks + LOCAL.panel_ticks):
            app.watch_screen.tick()
        assert all(len(panels) == 1 for panels in painted)
        assert {panel for (panel,) in painted} == set(app.watch_screen.state.arrangement.panels)


@pytest.mark.parametrize("key", ["question_mark", "colon", "q"])
async def test_below_a_question_it_is_repainted_once_a_second_all_at_once(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        watch = app.watch_screen
        watch.tick()  # paints what was due before
        ticks, painted = [0], list[tuple[int, str]]()
        monkeypatch.setattr(watch, "paint_messages", lambda: painted.append((ticks[0], "numbers")))
        monkeypatch.setattr(
            watch, "_paint_panels", lambda some: painted.extend((ticks[0], one) for one in some)
        )
        for _ in range(2 * LOCAL.wave_ticks):
            ticks[0] += 1
            watch.tick()
        seconds = 2 * LOCAL.wave_ticks // LOCAL.panel_ticks
        assert len({tick for tick, _ in painted}) == seconds
        assert {what for _, what in painted} == {"numbers", *watch.state.arrangement.panels}


async def test_a_wave_of_a_newer_task_lets_the_others_be_painted_again() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        watch = app.watch_screen
        watch._stale = []
        watch._paint_panels(["wave-1"])
        assert watch._stale == []
        watch.dashboard.history.add(one_evaluation(run, 20_000) for run in (FOMAML, REPTILE))
        watch._paint_panels(["wave-1"])
        assert watch._stale == ["wave-0"]


async def test_waves_that_are_due_are_painted_with_what_comes_due_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        watch, painted = app.watch_screen, list[str]()
        monkeypatch.setattr(watch, "_paint_panels", painted.extend)
        watch._ticks = LOCAL.panel_ticks - 1
        watch.expire_panels(waves=True)
        watch.tick()
        assert set(painted) == set(watch.state.arrangement.panels)
