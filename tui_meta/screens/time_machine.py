"""The time machine: a run's checkpoints, one after the other, each adapting to the same task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import ClassVar, cast

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.bench.answers import Adapted, AnyAnswer, Recalled
from core.bench.questions import Adapt, Live, PresetName, Recall
from tui_meta.screens.page import Page, page_bindings
from tui_meta.screens.watch import WatchScreen
from tui_meta.views import lab, time_machine
from tui_meta.views.keys import Key
from tui_meta.views.lab import Lab
from tui_meta.views.lab_charts import LabCharts
from tui_meta.views.lab_text import Shape, preset_line, shape, task_line, wave_line
from tui_meta.views.layout import too_small
from tui_meta.views.numbers import whole
from tui_meta.views.page_keys import TIME_MACHINE_KEYS
from tui_meta.views.text import Line, Span, fit, line
from tui_meta.views.time_machine import UNKNOWN, HistoryChart, TimeMachine
from tui_meta.views.visits import Visits
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

RECALL_TICKS = 20
"""Ticks of a page between two looks into the folder of a run that trains: five seconds."""

_FRAMED_HEIGHT = 28
_BESIDE_WIDTH = 110


class TimeMachinePage(Page):
    """Stands at one checkpoint of one run, and asks what its theta makes of the task."""

    NAME = "Time machine"
    KEYS = TIME_MACHINE_KEYS

    BINDINGS: ClassVar[list[BindingType]] = page_bindings(KEYS)

    def __init__(self, watch_screen: WatchScreen) -> None:
        super().__init__(watch_screen)
        self._lab = lab.begin(next(iter(watch_screen.watching.snapshots.values())).waves)
        self._pictures = LabCharts()
        self._visits = Visits()
        self._on_history = False
        self._ticks = 0
        self._begin()

    def _begin(self) -> None:
        """With the present runs."""
        self._runs = list(self.watch_screen.watching.snapshots)
        self._chosen = 0
        self._machines: dict[str, TimeMachine] = {}
        self._histories = {run: HistoryChart() for run in self._runs}
        self._recalled_at: dict[str, int] = {}

    @property
    def footer_keys(self) -> Sequence[Key]:
        """Without the key that changes charts, where all have room."""
        return [key for key in self.KEYS if self._shape == "small" or key.names != "o"]

    # Composing.

    def body(self) -> Iterable[Widget]:
        yield Lines(id="head")
        with Horizontal(id="machine"):
            yield Lines(id="list")
            with Vertical():
                yield Chart(id="wave")
                with Horizontal(id="below"):
                    yield Chart(id="history")
                    yield Chart(id="updates")

    def on_mount(self) -> None:
        """Every size has its arrangement."""
        self._arrange()

    def on_resize(self) -> None:
        """Another size, another arrangement."""
        self._arrange()

    def on_screen_resume(self) -> None:
        """Checkpoints may have come while another screen was in front."""
        self._recall()

    def _arrange(self) -> None:
        made = self._shape
        small = made == "small"
        self.query_one("#head").styles.height = 1 if made == "tiny" else 3
        self.query_one("#machine").display = made != "tiny"
        self.query_one("#list").display = not small
        self.query_one("#wave").display = not (small and self._on_history)
        self.query_one("#below").display = not small or self._on_history
        self.query_one("#updates").display = self.size.width >= _BESIDE_WIDTH
        self.set_class(self.size.height >= _FRAMED_HEIGHT, "-framed")

    # Showing.

    @property
    def _shape(self) -> Shape:
        return shape(self.size.width, self.size.height)

    @property
    def _run(self) -> str:
        return self._runs[self._chosen]

    @property
    def _machine(self) -> TimeMachine | None:
        return self._machines.get(self._run)

    @property
    def _question(self) -> Adapt | None:
        if self._machine is None:
            return None
        return time_machine.question(self._machine, self._lab.task, self._lab.updates)

    @property
    def _answer(self) -> Adapted | None:
        return self._visits.answer(self._question) if self._question else None

    def paint(self) -> None:
        """Ask what is due, and show what is known."""
        if self._runs != list(self.watch_screen.watching.snapshots):
            self._begin()
            self._recall()
        self._ticks += 1
        iteration = self.watch_screen.watching.snapshots[self._run].iteration
        if self._ticks % RECALL_TICKS == 0 and self._recalled_at.get(self._run) != iteration:
            self._recall()
        self._ask()
        self._show()

    def _show(self) -> None:
        answer = self._answer
        self._show_lines(answer)
        if self._shape == "tiny":
            return
        machine = self._machine or UNKNOWN
        at = machine.iteration
        title = "no checkpoint" if at is None else f"θ of {whole(at)}"
        answers = {title: answer}
        self.query_one("#wave", Chart).show(self._pictures.each(self._lab, answers)[0])
        self.query_one("#history", Chart).show(self._histories[self._run].plot(machine))
        self.query_one("#updates", Chart).show(self._pictures.losses(self._lab, answers))

    def _show_lines(self, answer: Adapted | None) -> None:
        head, listed = self.query_one("#head", Lines), self.query_one("#list", Lines)
        head.show(self._head(answer, head.size.width))
        width, height = listed.size
        top = fit(line(Span(time_machine.HEAD, "dim")), width)
        known = self._machine
        listed.show([top, *(time_machine.rows(known, max(1, height - 1), width) if known else ())])

    def _head(self, answer: Adapted | None, width: int) -> list[Line]:
        if self._shape == "tiny":
            return [fit(too_small(*self.size), width)]
        titles = [self.watch_screen.watching.titles[run] for run in self._runs]
        runs = time_machine.runs_line(titles, self._chosen)
        place = time_machine.place_line(self._machine) if self._machine else line("looking…")
        loss = time_machine.loss_line(self._lab, answer)
        return [
            fit(line(*runs, "  ", *place), width),
            fit((task_line if self._shape == "small" else preset_line)(self._lab), width),
            fit(line(*loss, "  ", *wave_line(self._lab)), width),
        ]

    # Asking.

    def _recall(self) -> None:
        """Learn which checkpoints the chosen run has."""
        run = self._run
        one = self.watch_screen.watching.snapshots.get(run)
        if one is None or one.state == "loading":
            return
        self._recalled_at[run] = one.iteration
        self.ask("recall", Recall(of=Live(run)), partial(self._remember, run))

    def _remember(self, run: str, past: AnyAnswer) -> None:
        assert isinstance(past, Recalled)
        before = self._machines.get(run)
        after = time_machine.renewed(before, past) if before else time_machine.arrive(past)
        self._machines[run] = after
        self._moved()

    def _ask(self) -> None:
        question = self._question
        if question is not None and self._visits.due(question):
            hear = partial(self._hear, question)
            self.ask("visit", question, hear, failed=partial(self._gone, question))

    def _hear(self, question: Adapt, answer: AnyAnswer) -> None:
        assert isinstance(answer, Adapted)
        self._visits.hear(question, answer)
        if self.app.screen is self and question == self._question:
            self._show()

    def _gone(self, question: Adapt, said: str) -> None:
        """The checkpoint cannot be read any more: others may have come."""
        self.say(said)
        self._visits.hear(question, None)
        self._recall()

    def _moved(self) -> None:
        """Show another place: at once, or when its theta has answered, or with the next tick."""
        if self.app.screen is not self:
            return
        self._ask()
        if self._answer or (self._machine and self._question is None):
            self._show()
        else:
            self._show_lines(None)

    def _edit(self, changed: Callable[[Lab], Lab]) -> None:
        self._lab = changed(self._lab)
        self._moved()

    # Keys.

    def action_travel(self, by: int) -> None:
        """To another checkpoint."""
        if self._machine:
            self._machines[self._run] = time_machine.travel(self._machine, by)
            self._moved()

    def action_go(self, place: int) -> None:
        """To the checkpoint that was clicked."""
        if self._machine:
            self.action_travel(place - self._machine.place)

    def action_change_run(self, by: int) -> None:
        """To another run; after the last comes the first."""
        self.action_choose((self._chosen + by) % len(self._runs))

    def action_choose(self, index: int) -> None:
        """To the run that was clicked."""
        self._chosen = index
        self._recall()
        self._moved()

    def action_preset(self, name: str) -> None:
        """A task of a preset."""
        self._edit(lambda at: lab.choose(at, cast(PresetName, name)))

    def action_another(self) -> None:
        """The next task of the same kind."""
        self._edit(lab.another)

    def action_step(self, by: int) -> None:
        """Another gradient step."""
        self._edit(lambda at: lab.step(at, by))

    def action_other_chart(self) -> None:
        """Show the other chart, where there is room for one."""
        if self._shape != "small":
            self.say("both charts are on the screen")
            return
        self._on_history = not self._on_history
        self._arrange()
        self.call_after_refresh(self._show)
