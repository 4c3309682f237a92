"""What the screens say, tested without a terminal."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.events import (
    CommandRejected,
    Evaluated,
    EventHeader,
    Failed,
    Pause,
    Paused,
    Resume,
    Save,
    Saved,
    SaveFailed,
    SetPace,
    Snapshot,
    Started,
    Step,
    WriteRecovered,
)
from core.session.api import Connection
from tests.support.dashboard.fake_session import FakeSession
from tui_meta.views import numbers
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.dialogs.quit_choice import default_quit_choice, exit_report
from tui_meta.views.event_history import KEPT_EVALUATIONS, EventHistory
from tui_meta.views.keys.footer import Situation, footer
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.watch import GROUPS
from tui_meta.views.messages import log as messages_module
from tui_meta.views.messages.log import Messages
from tui_meta.views.plot import Plot
from tui_meta.views.run_status import run_lines, titles
from tui_meta.views.text import Line, Span, cells, clip, fit, line, plain, spread, wrap
from tui_meta.views.watch import commands, layout
from tui_meta.views.watch.state import WatchState

NAMES = {"fomaml-1": "FOMAML", "reptile-1": "Reptile"}


def begun(**iterations: int) -> FakeSession:
    session = FakeSession(iterations or {"fomaml": 12_300, "reptile": 18_700})
    session.start()
    return session


def watched(session: FakeSession) -> WatchState:
    watching = WatchState(DashboardState(session.snapshots()))
    watching.dashboard.update(session.events(0), session.snapshots())
    return watching


def paused_or_resumed(watching: WatchState, focused_run: int | None) -> commands.RunCommands:
    dashboard = watching.dashboard
    runs, wanted = watching.scope(focused_run), dashboard.history.wanted
    return commands.pause_or_resume(runs, wanted, dashboard.titles)


def last_words(dashboard: DashboardState) -> list[str]:
    return exit_report(dashboard.snapshots, dashboard.history, dashboard.save_problems)


def one_evaluation(run: str, index: int, probe: str = "validation") -> Evaluated:
    session = begun(fomaml=1_000)
    template = next(one for one in session.events(0) if isinstance(one, Evaluated))
    return msgspec.structs.replace(
        template,
        run=run,
        index=index,
        iteration=index,
        probe=probe,
        phase=float(index),
        amplitude=3.0,
    )


# Numbers and text.


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_loss_takes_few_cells(value: float) -> None:
    assert len(numbers.loss(value)) <= 7 - (value >= 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0.0, "0.000"), (0.00312, "0.0031"), (0.0312, "0.0312"), (0.531, "0.531"),
        (4.125, "4.12"), (12.34, "12.3"), (123.4, "123"), (1.2e31, "1e31"), (math.inf, "inf"),
        (1e-7, "1.0e-7"), (0.99999, "1.00"), (99.99, "100"),
    ],
)  # fmt: skip
def test_losses_have_three_digits(value: float | None, text: str) -> None:
    assert numbers.loss(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (63.9, "1:03"), (3_723, "1:02:03"), (90 * 3_600, "3 days 18 h"), (math.inf, "-")],
)
def test_durations(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 200))
def test_a_bar_fills_its_cells_and_is_full_only_when_done(part: int, of: int, width: int) -> None:
    done, rest = numbers.bar(part, of, width)
    assert len(done + rest) == width
    if width and part < of:
        assert done != "━" * width


@given(st.lists(st.text(max_size=9), max_size=5), st.integers(0, 40), st.text(max_size=20))
def test_lines_are_cut_and_padded_to_any_width(parts: list[str], width: int, right: str) -> None:
    content = line(*parts)
    assert cells(fit(content, width)) == width
    assert cells(spread(content, line(right), width)) == width
    assert cells(line(clip("".join(parts), width))) <= width


def test_words_are_wrapped_whole() -> None:
    assert wrap("the loss is no longer finite", 12) == ["the loss is", "no longer", "finite"]


# The header.


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("width", [1, 20, 47, 48, 60, 80, 100, 118, 200])
def test_a_run_takes_its_lines_and_no_more(rows: int, width: int) -> None:
    session = begun()
    session.diverge("fomaml-1")
    for one in watched(session).dashboard.statuses:
        lines = run_lines(one, width, rows, 7)
        assert len(lines) <= rows
        assert all(cells(each) <= max(width, 48 * (width >= 48)) for each in lines)


def test_the_header_says_state_count_rate_and_times() -> None:
    (_, reptile) = watched(begun()).dashboard.statuses
    first, second = (plain(each) for each in run_lines(reptile, 118, 2, 7))
    for part in ("▀▀ Reptile", "training", "18,700 / 50,000", "37 %", "3,912 it/s", "━", "─"):
        assert part in first
    for part in ("elapsed 0:04", "left 0:08", "loss 0.531", "0.0041 at 5,000", "not saved"):
        assert part in second


def test_the_header_says_how_much_of_a_run_would_outlive_a_loss_of_power() -> None:
    session = begun()
    run = "reptile-1"

    def shown(width: int = 118) -> str:
        (_, reptile) = watched(session).dashboard.statuses
        return plain(run_lines(reptile, width, 2, 7)[1])

    assert "not saved yet" in shown()
    session.publish(Saved(run=run, iteration=12_000, time=0.0, path="a/000012000.safetensors"))
    assert "saved at 12,000" in shown()
    assert "saved" not in shown(100)
    assert "0.0041 at 5,000" in shown(100)


def test_a_resumed_run_is_saved_where_it_begins() -> None:
    record = EventHistory(["a"])
    record.add([Started(run="a", iteration=0, time=0.0, target=9, engine="fused", device="cpu")])
    assert record.saved_at == {}
    record.add([Saved(run="a", iteration=8, time=0.0, path="8.safetensors")])
    record.add([Started(run="a", iteration=4, time=0.0, target=9, engine="fused", device="cpu")])
    assert record.saved_at == {"a": 4}


def test_runs_of_one_algorithm_go_by_their_own_names() -> None:
    snapshot = begun().snapshots()["fomaml-1"]
    assert titles({"a": snapshot, "b": snapshot}) == {"a": "a", "b": "b"}


def test_a_wish_shows_until_the_run_answers() -> None:
    session = begun()
    watching = watched(session)
    order = commands.pause_or_resume(
        watching.scope(0), watching.dashboard.history.wanted, watching.dashboard.titles
    )
    watching.show_command(order)
    assert [one.word for one in watching.dashboard.statuses] == ["pausing…", "training"]
    seen = len(session.events(0))
    session.send(Pause(), "fomaml-1")
    watching.dashboard.update(session.events(seen), session.snapshots())
    assert [one.word for one in watching.dashboard.statuses] == ["paused", "training"]


def test_a_key_pressed_before_the_snapshot_that_follows_its_last_press_takes_that_back() -> None:
    session = begun()
    watching, before = watched(session), session.snapshots()
    watching.show_command(
        commands.pause_or_resume(
            watching.scope(None), watching.dashboard.history.wanted, watching.dashboard.titles
        )
    )
    seen = len(session.events(0))
    session.send(Pause(), "fomaml-1")
    watching.dashboard.update(session.events(seen), before)
    again = commands.pause_or_resume(
        watching.scope(None), watching.dashboard.history.wanted, watching.dashboard.titles
    )
    assert [type(command) for _, command in again.commands] == [Resume, Resume]


# Evaluations.


def test_waves_show_the_newest_task_that_all_training_runs_have_met() -> None:
    shown = watched(begun()).dashboard.history.newest()
    assert {one.index for one in shown.values()} == {12_000}
    assert shown["fomaml-1"].support_x == shown["reptile-1"].support_x


def test_a_run_that_ended_badly_holds_nobody_up() -> None:
    session = begun()
    session.diverge("fomaml-1")
    watching = watched(session)
    watching.dashboard.history.add([one_evaluation("reptile-1", 19_000)])
    shown = watching.dashboard.history.newest()
    assert (shown["fomaml-1"].index, shown["reptile-1"].index) == (12_000, 19_000)


def test_an_asked_evaluation_is_kept_while_periodic_ones_go_on() -> None:
    session = begun()
    watching = watched(session)
    watching.turn_to_evaluation("standard")
    session.evaluate("standard")
    watching.dashboard.update(session.events(0), session.snapshots())
    watching.dashboard.history.add([one_evaluation(run, 20_000) for run in NAMES])
    watching.arrange(120, 40)
    assert "standard" in watching.plots()["wave-0"][0].title
    assert watching.go_back()
    assert "random task · at 20,000" in watching.plots()["wave-0"][0].title


def wave_plot(*x: float) -> Plot:
    """The chart of an evaluation whose query set lies at ``x``, as any process may tell of it."""
    watching = watched(begun(fomaml=1_000))
    evaluated = msgspec.structs.replace(
        one_evaluation("fomaml-1", 2_000), query_x=x, before=(0.5,) * len(x), after=(1.0,) * len(x)
    )
    watching.dashboard.history.add([evaluated])
    watching.arrange(120, 40)
    plot = watching.plots()["wave-0"][0]
    assert "2,000" in plot.title
    return plot


def test_an_interval_of_one_point_can_be_looked_at() -> None:
    plot = wave_plot(2.0, 2.0)
    assert plot.x.lower < 2 < plot.x.upper


@given(st.lists(st.floats(), min_size=1, max_size=4))
def test_whatever_query_set_is_told_has_a_chart(x: list[float]) -> None:
    plot = wave_plot(*x)
    assert all(plot.x.lower <= value <= plot.x.upper for value in x if abs(value) <= 1e300)


def test_a_long_story_takes_bounded_room() -> None:
    session = begun(fomaml=0, reptile=0)
    record = EventHistory(session.snapshots())
    record.add(session.events(0))
    record.add(one_evaluation("fomaml-1", index) for index in range(3 * KEPT_EVALUATIONS))
    assert len(record.evaluations["fomaml-1"]) == KEPT_EVALUATIONS
    assert len(record._open) <= KEPT_EVALUATIONS


# The table.


@pytest.mark.parametrize("width", [0, 10, 30, 40, 58, 78, 120])
def test_the_table_fits_any_width(width: int) -> None:
    table = watched(begun()).table(width)
    lines = [*table.head, *(table.row(index) for index in range(table.count)), *table.foot]
    assert {cells(each) for each in lines} == {width}


def test_both_blocks_of_the_table_end_with_their_newest_row() -> None:
    table = watched(begun()).table(58)
    assert table.count == 18
    last = plain(table.row(table.count - 1)).split()
    assert (last[0], last[4]) == ("12,000", "18,000")
    assert plain(table.row(0)).split()[0] == "1,000"
    best = [
        plain(table.row(index)) for index in range(table.count) if "*" in plain(table.row(index))
    ]
    assert len(best) == 2
    best_line, now = (plain(each) for each in table.foot)
    assert best_line.split() == ["5,000", "best", "0.0041"] * 2
    assert now.split() == ["12,300", "0.531", "now", "18,700", "0.531", "now"]


def test_a_table_of_one_run() -> None:
    table = watched(begun(reptile=5_000)).table(58)
    assert "Reptile" in plain(table.head[0])
    assert table.count == 5


# Messages.


def said(messages: Messages, count: int = 2, width: int = 120) -> list[str]:
    return [plain(each) for each in messages.lines(count, width)]


def test_what_both_runs_say_becomes_one_line_in_their_order() -> None:
    session = begun()
    messages = Messages()
    messages.titles = NAMES
    for event in reversed(session.events(0)):
        messages.add_event(event)
    assert said(messages) == ["training (torch engine, cpu): FOMAML to 50,000 · Reptile to 50,000"]


def test_what_runs_say_in_turns_still_becomes_one_line() -> None:
    session = begun()
    messages = Messages()
    messages.titles = NAMES
    seen = len(session.events(0))
    for run in reversed(NAMES):
        session.send(Save(), run)
        session.finish(run)
    for event in session.events(seen):
        messages.add_event(event)
    assert said(messages)[-1].endswith(": FOMAML at 50,000 · Reptile at 50,000")


def test_messages_of_earlier_runs_stay_as_they_are() -> None:
    session = begun()
    watching = watched(session)
    seen = len(session.events(0))
    for run in NAMES:
        session.finish(run)
    session.restart()
    session.start()
    for run in session.snapshots():
        session.finish(run)
    watching.dashboard.update(session.events(seen), session.snapshots())
    ends = said(watching.messages)
    assert [one.count("FOMAML at 50,000 · Reptile at 50,000") for one in ends] == [0, 1]
    assert ends[-1].count("FOMAML") == 1
    assert set(watching.dashboard.titles) == set(session.snapshots())


def test_a_result_replaces_the_promise_and_a_refusal_too() -> None:
    session = begun()
    messages = Messages()
    messages.titles = NAMES
    refused = CommandRejected(
        run="fomaml-1", iteration=1, time=0.0, command="save", reason="it has failed"
    )
    messages.expect("save", "saving…")
    messages.add_event(refused)
    assert said(messages) == ["FOMAML cannot save: it has failed"]
    messages.expect("evaluate random", "evaluating…")
    seen = len(session.events(0))
    session.evaluate("random")
    for event in session.events(seen):
        messages.add_event(event)
    assert "evaluating…" not in said(messages)
    assert "FOMAML 4.02 → 0.0200 · Reptile 4.04 → 0.0400" in said(messages)[-1]


def test_periodic_events_say_nothing() -> None:
    messages = Messages()
    messages.add_event(one_evaluation("fomaml-1", 1_000))
    assert said(messages) == []


def test_a_long_message_takes_the_lines_that_there_are() -> None:
    messages = Messages()
    messages.show_message("short")
    messages.add_event(Failed(run="a", iteration=0, time=0.0, problem="many words " * 20))
    assert len(said(messages, 2, 60)) == 2
    assert said(messages, 2, 60)[-1].endswith("…")
    assert len(said(messages, 1, 60)) == 1


class Reader:
    """Says things, and presses keys after so many seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.messages = Messages(lambda: self.now)
        self.messages.titles = NAMES

    def press_after(self, seconds: float) -> None:
        self.now += seconds
        self.messages.mark_read()

    def saved(self, run: str) -> None:
        path = f"checkpoints/{run}-20261125-101500/000012000.safetensors"
        self.messages.add_event(Saved(run=run, iteration=12_000, time=0.0, path=path))


def test_what_came_of_a_key_stays_until_one_is_pressed_that_may_mean_it_was_read() -> None:
    reader = Reader()
    reader.messages.expect("save", "saving…")
    reader.saved("fomaml-1")
    (saved,) = said(reader.messages, 1)
    for seconds, shown in (
        (messages_module.READ_SECONDS / 2, 2),
        (messages_module.READ_SECONDS, 1),
    ):
        reader.press_after(seconds)
        reader.messages.show_message("a line of no weight")
        line = said(reader.messages, 1)[0]
        assert line.split(" · ") == [saved, "a line of no weight"][-shown:]


def test_the_newest_result_stands_until_it_is_read() -> None:
    reader = Reader()
    reader.messages.expect("save", "saving…", answers=2)
    reader.saved("fomaml-1")
    reader.now += messages_module.READ_SECONDS
    reader.saved("reptile-1")
    assert "reptile-1" in said(reader.messages, 1, 80)[0]
    assert ["fomaml-1" in one for one in said(reader.messages, 2, 80)] == [True, False]
    reader.press_after(0.5)
    reader.messages.add_event(Paused(run="fomaml-1", iteration=5, time=0.0))
    assert "reptile-1" in said(reader.messages, 2, 80)[0]


def test_what_a_key_has_just_done_is_seen_beside_a_result_that_was_not_read() -> None:
    reader = Reader()
    reader.messages.expect("save", "saving…")
    reader.saved("fomaml-1")
    reader.press_after(0.1)
    reader.messages.expect("pause", "pausing FOMAML and Reptile…")
    (line,) = said(reader.messages, 1, 80)
    assert line.startswith("saved checkpoints/fomaml-1")
    assert line.endswith(" · pausing FOMAML and Reptile…")
    assert len(line) <= 80


def test_a_problem_of_another_run_is_seen_though_its_like_was_dismissed() -> None:
    reader = Reader()
    for run in NAMES:
        reader.messages.add_event(Failed(run=run, iteration=0, time=0.0, problem="disk full"))
        assert NAMES[run] in said(reader.messages, 1)[0]
        assert reader.messages.dismiss()
        assert said(reader.messages, 1) == []


def test_what_nobody_here_asked_for_keeps_no_line() -> None:
    reader = Reader()
    reader.saved("fomaml-1")
    reader.messages.show_message("newer")
    assert said(reader.messages, 1) == ["newer"]


@given(st.integers(20, 200), st.integers(1, 4), st.lists(st.sampled_from("srptwkd"), max_size=12))
def test_whatever_is_said_the_newest_message_is_seen_or_counted(
    width: int, rows: int, what: list[str]
) -> None:
    reader = Reader()
    messages = reader.messages
    for number, one in enumerate(what):
        match one:
            case "s":
                messages.expect("save", f"saving {number}…")
            case "r":
                reader.saved("fomaml-1")
            case "p":
                messages.show_error(f"problem {number}")
            case "t":
                messages.show_result(f"result {number} " * 5)
            case "w":
                messages.show_message(f"word {number}")
            case "k":
                reader.press_after(messages_module.READ_SECONDS / 2)
            case "d":
                messages.dismiss()
    lines = said(messages, rows, width)
    assert len(lines) <= rows
    assert all(cell_len(line) <= width for line in lines)
    if messages.all and not messages.all[-1].dismissed:
        newest = messages.all[-1].text
        assert newest[:8] in " ".join(lines) or " (m)" in lines[0]


# Orders.


def scoped(session: FakeSession) -> list[Snapshot]:
    return list(session.snapshots().values())


def test_space_pauses_whoever_trains_before_it_resumes_anybody() -> None:
    session = begun()
    session.change("fomaml-1", state="paused")
    order = commands.pause_or_resume(scoped(session), {}, NAMES)
    assert order.commands == (("reptile-1", Pause()),)
    order = commands.pause_or_resume(scoped(session), {"reptile-1": "paused"}, NAMES)
    assert order.commands == (("fomaml-1", Resume()), ("reptile-1", Resume()))


def test_a_step_is_for_paused_runs() -> None:
    session = begun()
    order = commands.step(scoped(session), {}, NAMES)
    assert not order.commands
    assert "FOMAML is training, Reptile is training; pause first (space)" in order.message
    session.change("fomaml-1", state="paused")
    assert commands.step(scoped(session), {}, NAMES).commands == (("fomaml-1", Step(1)),)


@pytest.mark.parametrize(
    ("now", "steps", "then"),
    [
        (None, -1, 3_000),
        (3_000, 1, None),
        (500, -1, 100),
        (500, 1, 1_000),
        (0.5, 1, 3),
        (10, -1, 3),
    ],
)
def test_paces(now: float | None, steps: int, then: float | None) -> None:
    session = begun()
    order = commands.change_pace(scoped(session), {"fomaml-1": now}, steps, NAMES)
    assert order.commands == (("fomaml-1", SetPace(then)), ("reptile-1", SetPace(then)))


def test_what_cannot_be_done_is_said_with_the_reason() -> None:
    session = begun(reptile=50_000)
    assert (
        "Reptile is finished at 50,000"
        in commands.pause_or_resume(scoped(session), {}, NAMES).message
    )
    session.change("reptile-1", state="failed")
    assert commands.save(scoped(session), NAMES).message == "nothing to save: Reptile is failed"
    assert commands.extend(scoped(session), NAMES).message.endswith("Reptile is failed")


# The arrangement.


@given(st.integers(1, 300), st.integers(1, 100), st.integers(1, 4), st.data(), st.booleans())
def test_any_size_shows_the_panel_that_must_be_seen(
    width: int, height: int, runs: int, data: st.DataObject, enlarged: bool
) -> None:
    panel = data.draw(st.sampled_from(layout.all_panels(runs)))
    chart = panel if panel in layout.CHARTS else layout.TRAINING
    made = layout.arrange(width, height, runs, panel, chart, enlarged=enlarged)
    if width < layout.LEAST_WIDTH or height < layout.LEAST_HEIGHT:
        assert not made.panels
        return
    assert panel in made.panels
    assert len(set(made.panels)) == len(made.panels)
    assert all(made.columns % len(row) == 0 for row in made.rows)
    rest = made.title + runs * made.run_rows + made.message_rows + 1
    assert height - rest >= 3 * len(made.rows)


def test_every_panel_is_seen_at_once_where_there_is_room() -> None:
    def panels(width: int, height: int) -> int:
        made = layout.arrange(width, height, 2, "table", "training", enlarged=False)
        return len(made.panels)

    assert (panels(200, 60), panels(120, 40), panels(80, 24), panels(50, 12)) == (6, 4, 2, 1)


def test_neighbours_and_order() -> None:
    boxes = {"a": (0, 0, 10, 5), "b": (10, 0, 10, 5), "c": (0, 5, 20, 5)}
    assert layout.neighbour(boxes, "a", "right") == "b"
    assert layout.neighbour(boxes, "b", "down") == "c"
    assert layout.neighbour(boxes, "a", "left") is None
    assert layout.neighbour(boxes, "gone", "left") == "a"
    assert layout.neighbour({}, "gone", "left") is None
    assert layout.following("abc", "c", 1) == "a"
    assert layout.following("abc", "?", -1) == "c"


# Charts.


def test_axes_stay_put_while_values_stay_within() -> None:
    watching = watched(begun())
    watching.arrange(200, 60)
    first = {panel: (plot.x, plot.y) for panel, (plot, _) in watching.plots().items()}
    watching.dashboard.history.add([one_evaluation(run, 13_000) for run in NAMES])
    second = {panel: (plot.x, plot.y) for panel, (plot, _) in watching.plots().items()}
    assert first == second


def test_a_run_that_exploded_does_not_flatten_the_others() -> None:
    session = begun()
    curve = session.snapshots()["fomaml-1"].curve
    losses = tuple(10.0**n for n in range(len(curve.losses)))
    session.change("fomaml-1", curve=msgspec.structs.replace(curve, losses=losses))
    session.diverge("fomaml-1")
    watching = watched(session)
    watching.arrange(120, 40)
    assert watching.plots()["training"][0].y.upper <= 2


def test_plots_of_runs_that_have_nothing_yet_say_so() -> None:
    watching = WatchState(DashboardState(FakeSession().snapshots()))
    watching.arrange(200, 60)
    assert {plot.empty for plot, _ in watching.plots().values()} == {
        "no iteration yet",
        "no evaluation yet",
    }


# Keys.


def footer_text(session: FakeSession, width: int, focused: str = "") -> str:
    return plain(footer(Situation(scoped(session), focused), width))


def test_the_footer_keeps_what_matters_most() -> None:
    session = begun()
    assert all(len(footer_text(session, width)) <= width for width in range(201))
    for width in (40, 80, 120):
        for key in ("space pause", "? help", "q quit"):
            assert key in footer_text(session, width)
    assert "e 1 2 3 evaluate" in footer_text(session, 80)
    assert "2 half range" in footer_text(session, 160)


def test_the_footer_names_the_run_in_focus_and_hides_what_does_not_apply() -> None:
    session = begun(reptile=50_000)
    assert "c continue" in footer_text(session, 120)
    assert "space" not in footer_text(session, 120)
    session.change("reptile-1", state="paused")
    assert "space resume Reptile  n step" in footer_text(session, 120, "Reptile")


@pytest.mark.parametrize("width", [1, 20, 60, 90])
def test_the_help_wraps_and_names_every_key_even_unknown_ones(width: int) -> None:
    every = [key for _, keys in GROUPS for key in keys]
    bound = {key.name: key.help for key in every} | {"%": "Something else"}
    lines: list[Line] = help_lines(bound, width)
    firsts = {plain((each[0],)).strip() for each in lines if each}
    assert {" ".join(key.all_shown) for key in every} | {"%"} <= firsts
    assert Span("More", "bold underline") in {each[0] for each in lines if each}


# The end.


def test_leaving_asks_only_if_something_would_be_lost() -> None:
    session, here = begun(reptile=50_000), Connection()
    assert default_quit_choice(session.snapshots(), here) == "save"
    session.change("reptile-1", unsaved=True)
    assert default_quit_choice(session.snapshots(), here) is None
    assert default_quit_choice(begun().snapshots(), here) is None


@pytest.mark.parametrize(
    "connection",
    [
        Connection(id="1", read_only=True),
        Connection(id="1", lost="the training process has exited"),
        Connection(id="1", ended=True),
    ],
    ids=["read-only", "lost", "ended"],
)
def test_what_cannot_be_ended_from_here_is_left_without_a_question(connection: Connection) -> None:
    assert default_quit_choice(begun().snapshots(), connection) == "detach"


def test_finished_runs_that_others_watch_are_left_alone() -> None:
    session = begun(fomaml=50_000, reptile=50_000)
    assert default_quit_choice(session.snapshots(), Connection(id="1", subscribers=2)) == "detach"
    assert default_quit_choice(session.snapshots(), Connection(id="1")) == "save"


def test_the_last_words_say_what_became_of_each_run_and_how_to_go_on() -> None:
    session = begun()
    session.stop(save=True)
    watching = watched(session)
    assert exit_report(watching.dashboard.snapshots, watching.dashboard.history, {}) == [
        "FOMAML stopped at 12,300 / 50,000, saved checkpoints/fomaml-1/000012300.safetensors",
        "Reptile stopped at 18,700 / 50,000, saved checkpoints/reptile-1/000018700.safetensors",
        "resume with: tui-meta resume checkpoints/fomaml-1 checkpoints/reptile-1",
    ]


def test_the_last_words_say_what_is_not_saved_and_why() -> None:
    session = begun(fomaml=12_300)
    session.publish(SaveFailed(problem="disk full", run="fomaml-1", iteration=12_300, time=0.0))
    watching = watched(session)
    assert exit_report(
        watching.dashboard.snapshots, watching.dashboard.history, watching.dashboard.save_problems
    ) == [
        "FOMAML training at 12,300 / 50,000, not saved",
        "FOMAML could not be saved: disk full",
    ]


def test_what_could_not_be_saved_stays_on_the_screen_until_it_is() -> None:
    session = begun()
    stamp = EventHeader(run="fomaml-1", iteration=12_300, time=0.0)
    session.publish(SaveFailed(problem="disk full", **stamp))
    watching = watched(session)
    watching.arrange(120, 40)
    for said in ("one", "two", "three"):
        watching.messages.show_message(said)
    shown = [plain(one) for one in watching.message_lines(120)]
    assert shown == ["FOMAML could not be saved: disk full", "three"]
    watching.arrange(80, 18)
    (only,) = watching.message_lines(80)
    assert plain(only) == "FOMAML could not be saved: disk full"
    watching.dashboard.update([WriteRecovered(path="fomaml-1", **stamp)], session.snapshots())
    assert "disk full" not in plain(watching.message_lines(80)[0])


def test_a_save_that_failed_of_runs_that_were_replaced_is_said_again_at_the_end() -> None:
    session = begun()
    watching = watched(session)
    seen = len(session.events(0))
    session.publish(SaveFailed(problem="disk full", run="fomaml-1", iteration=12_300, time=0.0))
    session.restart()
    session.start()
    watching.dashboard.update(session.events(seen), session.snapshots())
    watching.arrange(120, 40)
    assert any("disk full" in one for one in said(watching.messages, 9, 120))
    for _ in range(9):
        watching.messages.show_message("something else")
        watching.messages.expect("key", "and more")
    assert not any("disk full" in plain(one) for one in watching.message_lines(120))
    last = exit_report(
        watching.dashboard.snapshots, watching.dashboard.history, watching.dashboard.save_problems
    )
    assert last.count("fomaml-1 could not be saved: disk full") == 1


def test_a_problem_with_saving_is_not_shown_twice() -> None:
    session = begun()
    session.publish(SaveFailed(problem="disk full", run="fomaml-1", iteration=12_300, time=0.0))
    watching = watched(session)
    watching.arrange(120, 40)
    shown = [plain(one) for one in watching.message_lines(120)]
    assert shown.count("FOMAML could not be saved: disk full") == 1


def test_an_evaluation_without_an_update_is_drawn_on_an_axis_that_has_a_length() -> None:
    alone = msgspec.structs.replace(one_evaluation("fomaml-1", 1_000), losses=(0.25,))
    watching = WatchState(DashboardState(begun().snapshots(), [alone]))
    watching.arrange(200, 60)
    plot, _ = watching.plots()[layout.UPDATES]
    assert (plot.x.lower, plot.x.upper) == (0, 1)
