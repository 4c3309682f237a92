"""The time machine screen: the checkpoints of a run, each adapting to the same task."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from msgspec.structs import replace
from textual.containers import Container, Horizontal
from textual.widget import Widget

from core.analysis.answers import Adapted, AnyAnswer, RunHistory
from core.analysis.questions import Adapt
from core.evaluation.few_shot_tasks import PROBES
from core.events import Snapshot
from core.session.api import Session
from tui_meta.screens.task_page import TaskPage
from tui_meta.views import checkpoint_travel as time_machine
from tui_meta.views.checkpoint_travel import UNKNOWN, TimeMachine
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.pages import TIME_MACHINE_KEYS
from tui_meta.views.keys.table import Key
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.charts import LabCharts
from tui_meta.views.lab.state import LabState
from tui_meta.views.lab.text import Shape, preset_line, task_line, wave_line
from tui_meta.views.numbers import whole
from tui_meta.views.run_settings import family_of
from tui_meta.views.text import Line, cells, fit, line
from tui_meta.views.time_machine import text as time_text
from tui_meta.views.time_machine.answer_cache import AnswerCache
from tui_meta.views.time_machine.charts import HistoryChart, ThroughTimeChart
from tui_meta.views.watch.layout import too_small
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

RECALL_TICKS = 10
"""Ticks of a page between two reads of the folder of a training run: five seconds."""

STRIP = 4
"""Checkpoints side by side: as many as there are distinguishable curves."""

THROUGH_TIME = 10
"""Checkpoints in the chart of loss over time."""

_LIST_WIDTH = 110

_NAMES_CELLS = 34
"""Cells that the names of the runs have at least."""


class TimeMachinePage(TaskPage):
    """Shows one checkpoint of one run, and asks its theta to adapt to the task."""

    NAME = "Time machine"
    KEYS = TIME_MACHINE_KEYS

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._lab = lab.begin(family_of(next(iter(dashboard.snapshots.values()))))
        self._pictures = LabCharts()
        self._visits = AnswerCache()
        self._ticks = 0
        self._begin()

    def _begin(self) -> None:
        """Start with the current runs."""
        self._chosen = 0
        self._machines: dict[str, TimeMachine] = {}
        self._histories: dict[str, HistoryChart] = {}
        self._through_time: dict[str, ThroughTimeChart] = {}
        self._recalled_at: dict[str, int] = {}
        self._unread: set[str] = set()
        """Runs whose history could not be read."""
        self._take_runs()

    def _take_runs(self) -> None:
        """Take the current runs; what is known of some of them stays."""
        dashboard = self.dashboard
        self._runs = list(dashboard.snapshots)
        # Others may replace them before the page is painted again.
        self._titles = dashboard.titles
        self._families = {run: family_of(one) for run, one in dashboard.snapshots.items()}
        for run in self._runs:
            self._histories.setdefault(run, HistoryChart())
            self._through_time.setdefault(run, ThroughTimeChart())

    @property
    def footer_keys(self) -> Sequence[Key]:
        keys = super().footer_keys
        if self._machine is None or self._machine.evaluation is None:
            return keys
        return [
            replace(key, label="checkpoints") if key.action == "other_path" else key for key in keys
        ]

    # Composing.

    def body(self) -> Iterable[Widget]:
        yield Lines(id="head")
        yield Lines(id="timeline")
        with Container(id="machine"):
            with Horizontal(id="above"):
                yield Lines(id="list")
                yield Chart(id="wave")
            with Horizontal(id="strip"):
                yield from (Chart(id=f"strip-{index}") for index in range(STRIP))
            with Horizontal(id="below"):
                yield Chart(id="history")
                yield Chart(id="updates")
                yield Chart(id="through-time")

    def arrange_for(self, shape: Shape) -> None:
        small, listed = shape == "small", self.size.width >= _LIST_WIDTH
        self.query_one("#head").styles.height = 1 if shape == "tiny" else 3
        self.query_one("#machine").display = shape != "tiny"
        self.query_one("#timeline").display = shape == "usual" and not listed
        self.query_one("#above").display = not (small and self.on_other_chart)
        self.query_one("#list").display = listed and not small
        self.query_one("#strip").display = shape == "wide"
        self.query_one("#below").display = not small or self.on_other_chart
        self.query_one("#updates").display = listed and not small
        self.query_one("#through-time").display = shape == "wide"
        self.set_class(not listed, "-narrow")

    # Showing.

    @property
    def _run(self) -> str:
        return self._runs[self._chosen]

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        run = self.dashboard.snapshots.get(self._run)
        return [run] if run else super().runs_in_focus

    @property
    def _machine(self) -> TimeMachine | None:
        return self._machines.get(self._run)

    @property
    def _question(self) -> Adapt | None:
        if self._machine is None:
            return None
        return time_machine.question(self._machine, self._lab.task, self._lab.updates)

    def _questions(self, most: int) -> dict[int, Adapt]:
        """Return the questions to at most ``most`` checkpoints through time, by index."""
        machine, at = self._machine or UNKNOWN, self._lab
        places = time_machine.strip(machine, most)
        return {one: time_machine.question_to(machine, one, at.task, at.updates) for one in places}

    @property
    def _answer(self) -> Adapted | None:
        return self._visits.answer(self._question) if self._question else None

    def paint(self) -> None:
        """Ask what is due, and show the answers that are known."""
        if self._runs != list(self.dashboard.snapshots):
            if self.dashboard.snapshots.keys() >= set(self._runs):
                self._take_runs()
            else:
                self._begin()
            self.recall()
        self._ticks += 1
        iteration = self.dashboard.snapshots[self._run].iteration
        if self._ticks % RECALL_TICKS == 0 and self._recalled_at.get(self._run) != iteration:
            self.recall()
        self._ask()
        self.show()

    def show(self) -> None:
        answer = self._answer
        self._show_lines(answer)
        if self.shape == "tiny":
            return
        machine = self._machine or UNKNOWN
        at = machine.iteration
        title = "no checkpoint" if at is None else f"θ of {whole(at)}"
        self.query_one("#wave", Chart).show(self._pictures.each(self._lab, {title: answer})[0])
        self.query_one("#history", Chart).show(self._histories[self._run].plot(machine))
        if self.shape == "wide":
            self._show_through_time(machine)
        else:
            updates = self._pictures.losses(self._lab, {title: answer})
            self.query_one("#updates", Chart).show(updates)

    def _show_through_time(self, machine: TimeMachine) -> None:
        """Show how several checkpoints adapt to the task."""
        asked, visits, saved = self._questions(STRIP), self._visits, machine.past.checkpoints
        titles = {
            one: f"{'▸' if one == machine.place else ''}θ of {whole(saved[one].iteration)}"
            for one in asked
        }
        answers = {titles[place]: visits.answer(one) for place, one in asked.items()}
        plots = [
            replace(plot, title=f"{plot.title} · {time_text.reached(self._lab, answer)}")
            for plot, answer in zip(
                self._pictures.each(self._lab, answers), answers.values(), strict=True
            )
        ]
        for index in range(STRIP):
            chart = self.query_one(f"#strip-{index}", Chart)
            chart.display = index < len(plots)
            if index < len(plots):
                chart.show(plots[index])
        self.query_one("#updates", Chart).show(self._pictures.losses(self._lab, answers))
        through = {
            saved[place].iteration: visits.answer(one)
            for place, one in self._questions(THROUGH_TIME).items()
        }
        plot = self._through_time[self._run].plot(self._lab, through, machine.iteration)
        self.query_one("#through-time", Chart).show(plot)

    def _show_lines(self, answer: Adapted | None) -> None:
        head, listed, timeline = (
            self.query_one(f"#{name}", Lines) for name in ("head", "list", "timeline")
        )
        head.show(self._head(answer, head.size.width))
        known = self._machine
        size = listed.size
        first = next(iter(self._families[self._run].parameters), "")
        listed.show(time_text.rows(known, size.height, size.width, first) if known else ())
        timeline.show([time_text.timeline(known, timeline.size.width)] if known else ())

    def _head(self, answer: Adapted | None, width: int) -> list[Line]:
        if self.shape == "tiny":
            return [fit(too_small(*self.size), width)]
        unknown = line("no history" if self._run in self._unread else "reading…")
        titles = [self._titles[run] for run in self._runs]
        least = cells(time_text.runs_line(titles, self._chosen, _NAMES_CELLS))
        room = width - least - 2
        place = time_text.place_line(self._machine, room) if self._machine else unknown
        runs = time_text.runs_line(titles, self._chosen, max(least, width - cells(place) - 2))
        where = fit(line(*runs, "  ", *place), width)
        loss = time_text.loss_line(self._lab, answer)
        if self.shape == "small":
            return [where, fit(loss, width), fit(task_line(self._lab), width)]
        task = line(*loss, "  ", *wave_line(self._lab))
        return [where, fit(preset_line(self._lab), width), fit(task, width)]

    # Asking.

    def recall(self) -> None:
        run = self._run

        def fail(problem: str) -> None:
            self._unread.add(run)
            self.show_error(problem)
            self._show_change()

        if self.recall_run(run, self._take_history, fail):
            self._recalled_at[run] = self.dashboard.snapshots[run].iteration

    def _take_history(self, run: str, history: RunHistory) -> None:
        if run not in self._runs:
            return
        before = self._machines.get(run)
        self._go_to(
            run,
            time_machine.refreshed(before, history) if before else time_machine.at_newest(history),
        )

    def _ask(self) -> None:
        """Ask the chosen theta first, and in a wide layout the others, one after the other."""
        wanted = [self._question] if self._question else []
        if self.shape == "wide":
            wanted += [*self._questions(STRIP).values(), *self._questions(THROUGH_TIME).values()]
        question = next((one for one in wanted if not self._visits.knows(one)), None)
        if question is not None and self._visits.due(question):
            take = partial(self._take_answer, question)
            self.ask("visit", question, take, failed=partial(self._take_problem, question))

    def _take_answer(self, question: Adapt, answer: AnyAnswer) -> None:
        assert isinstance(answer, Adapted)
        self._visits.store(question, answer)
        if self.in_front:
            self._ask()
            self.show()

    def _take_problem(self, question: Adapt, problem: str) -> None:
        """Ask for the history again: the checkpoint is gone, and there may be others."""
        # A problem with the chosen one stays until read; one with another is of little interest.
        (self.show_result if question == self._question else self.show_message)(problem)
        self._visits.store(question, None)
        self.recall()

    def _show_change(self) -> None:
        """Show a change: at once, or when its theta has answered, or with the next tick."""
        if not self.in_front:
            return
        self._ask()
        answer = self._answer
        self._show_lines(answer)
        if answer or (self._machine and self._question is None):
            # Drawing takes longer than everything else, so the lines come first.
            self.call_after_refresh(self.show)

    def edit(self, changed: Callable[[LabState], LabState]) -> None:
        self._lab = changed(self._lab)
        self._show_change()

    # Keys.

    def _go_to(self, run: str, machine: TimeMachine) -> None:
        """Go to another checkpoint or evaluation; an evaluation brings its task."""
        before, self._machines[run] = self._machines.get(run), machine
        there = before.chosen_evaluation if before else None
        if machine.chosen_evaluation != there:
            task = time_machine.evaluated_task(machine, self._families[run])
            if task:
                self._lab = lab.open_task(self._lab, task, PROBES["validation"].steps)
        self._show_change()

    def action_travel(self, by: int) -> None:
        if self._machine:
            self._go_to(self._run, time_machine.moved(self._machine, by))

    def action_go(self, what: str, number: int) -> None:
        """Go to the clicked checkpoint or evaluation."""
        if self._machine:
            there = dataclasses.replace(self._machine, place=number, evaluation=None)
            if what == "evaluation":
                there = time_machine.at_evaluation(self._machine, number)
            self._go_to(self._run, there)

    def action_other_path(self) -> None:
        if self._machine is None or not self._machine.past.evaluations:
            self.show_message("no evaluation yet")
            return
        self._go_to(self._run, time_machine.other_path(self._machine))
        self._paint_frame()

    def action_change_run(self, by: int) -> None:
        """Go to another run; after the last comes the first."""
        self.action_choose((self._chosen + by) % len(self._runs))

    def action_choose(self, index: int) -> None:
        """Go to the clicked run."""
        self._chosen = index
        self._show_change()
        # What is known is shown first.
        self.call_after_refresh(self.recall)
