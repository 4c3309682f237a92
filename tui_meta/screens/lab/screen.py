"""The Lab screen: an editable task, and how every theta adapts to it, step by step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.analysis.answers import Adapted, AnyAnswer, RunHistory
from core.analysis.questions import Adapt, ExplicitTask, Live, PinnedTheta, Saved
from core.errors import LabError
from core.events import Snapshot
from core.session.api import Session
from tui_meta.screens.dialogs.type_in import TypeIn
from tui_meta.screens.lab.wave_chart import WaveChart
from tui_meta.screens.task_page import TaskPage
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.pages import LAB_KEYS
from tui_meta.views.lab import settings as lab_settings
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.charts import LabCharts
from tui_meta.views.lab.pending_queries import PendingQueries
from tui_meta.views.lab.settings import LabSettings, Origin
from tui_meta.views.lab.state import LabState
from tui_meta.views.lab.text import Shape, head_lines, loss_lines
from tui_meta.views.run_settings import family_of
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

FOLLOW_TICKS = 2
"""Ticks of a page between two questions about a live theta that has changed: one second."""

PLAY_SECONDS = 0.25
"""Time of one step in slow motion; a slow connection keeps up with it as well."""

_LEFT_BUTTON, _RIGHT_BUTTON = 1, 3


class LabPage(TaskPage):
    """Asks every theta to adapt to the task, and shows steps of the answers."""

    NAME = "Lab"
    KEYS = LAB_KEYS

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._turning = 0
        """Steps away from the live theta, to be taken once the checkpoints are known."""
        self._ticks = 0
        self._begin(LabSettings(lab.begin(family_of(next(iter(self._snapshots.values())))), ()))

    def _begin(self, settings: LabSettings) -> None:
        """Start with the current runs: those that are known as they are, others live."""
        titles, known = self.dashboard.titles, {one.run: one for one in settings.origins}
        origins = tuple(
            replace(known.get(run, Origin("", run)), title=titles[run]) for run in self._snapshots
        )
        if known.keys() <= self._snapshots.keys():
            self._settings = replace(settings, origins=origins)
        else:
            self._settings = LabSettings(settings.lab, origins)
        self._pending = PendingQueries()
        self._charts = LabCharts()

    def open_task(self, task: ExplicitTask, updates: int) -> None:
        """Replace the task by one from another screen."""
        self._change(replace(self._settings, lab=lab.open_task(self._settings.lab, task, updates)))

    # Composing.

    def body(self) -> Iterable[Widget]:
        yield Lines(id="head")
        yield Lines(id="table")
        with Horizontal(id="charts"):
            yield WaveChart(id="waves")
            yield Chart(id="losses")
        with Horizontal(id="each"):
            yield from (Chart(id=f"theta-{index}") for index in range(len(self._wanted)))

    def on_mount(self) -> None:
        """Create the timer of the slow motion."""
        self._player = self.set_interval(PLAY_SECONDS, self._play_on, pause=True)
        self._playing = False

    def on_screen_suspend(self) -> None:
        """Stop the slow motion below another screen."""
        self._play(False)

    def arrange_for(self, shape: Shape) -> None:
        self.query_one("#head").styles.height = {"tiny": 1, "small": 2}.get(shape, 3)
        self.query_one("#table").styles.height = {"tiny": 0, "small": 1}.get(
            shape, 1 + len(self._wanted)
        )
        small = shape in ("tiny", "small")
        self.query_one("#charts").display = shape != "tiny"
        self.query_one("#waves").display = not (small and self.on_other_chart)
        self.query_one("#losses").display = not small or self.on_other_chart
        self.query_one("#each").display = shape == "wide"

    # Showing.

    @property
    def _snapshots(self) -> dict[str, Snapshot]:
        return dict(self.dashboard.snapshots)

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        origin, all_runs = self._settings.selected, self._snapshots
        return [all_runs[origin.run]] if origin and origin.run in all_runs else [*all_runs.values()]

    @property
    def _wanted(self) -> dict[str, Adapt]:
        return lab_settings.questions(self._settings)

    def paint(self) -> None:
        """Ask what is due, and show the answers that are known."""
        if [one.run for one in self._settings.origins] != list(self._snapshots):
            self._begin(self._settings)
            each = self.query_one("#each")
            missing = range(len(each.children), len(self._wanted))
            each.mount(*(Chart(id=f"theta-{index}") for index in missing))
            self.arrange_for(self.shape)
            self.recall()
        self._ticks += 1
        self._ask(follow=self._ticks % FOLLOW_TICKS == 0)
        self.show()

    def show(self) -> None:
        self._show_lines()
        if self.shape == "tiny":
            return
        state, answers = self._settings.lab, self._pending.answers(self._wanted)
        waves = self._charts.waves(state, answers, playing=self._playing)
        self.query_one("#waves", Chart).show(waves)
        self.query_one("#losses", Chart).show(self._charts.losses(state, answers))
        if self.shape == "wide":
            for index, plot in enumerate(self._charts.each(state, answers)):
                self.query_one(f"#theta-{index}", Chart).show(plot)

    def _show_lines(self) -> None:
        shape = self.shape
        head, table = self.query_one("#head", Lines), self.query_one("#table", Lines)
        key = self.dashboard.key
        head.show(head_lines(self._settings, shape, head.size.width, key))
        answers = self._pending.answers(self._wanted)
        table.show(loss_lines(self._settings, answers, shape, table.size.width, key))

    # Asking.

    def _ask(self, *, follow: bool) -> None:
        """Ask every theta that has not answered; with ``follow`` also those that have changed."""
        begun = {
            run: one.iteration for run, one in self._snapshots.items() if one.state != "loading"
        }
        wanted = {
            title: question
            for title, question in self._wanted.items()
            if not isinstance(question.source, Live) or question.source.run in begun
        }
        pending = self._pending
        for title, question in pending.due(wanted, begun if follow else None).items():
            self.ask(
                f"adapt {title}",
                question,
                partial(self._take_answer, pending, title),
                failed=partial(self._take_problem, pending, title),
            )

    def _take_answer(self, pending: PendingQueries, title: str, answer: AnyAnswer) -> None:
        assert isinstance(answer, Adapted)
        pending.answered(title, answer)
        if self._settings.frozen:
            self._settings = lab_settings.hold(self._settings, pending.seen())
        if not self.in_front or pending is not self._pending:
            return
        self._ask(follow=False)
        if not pending.waits:
            self.show()

    def _take_problem(self, pending: PendingQueries, title: str, problem: str) -> None:
        source = pending.refused(title).source
        if isinstance(source, PinnedTheta):
            self._settings = lab_settings.follow(self._settings)
        elif isinstance(source, Saved):
            self.recall()
        self.show_result(problem)

    def recall(self) -> None:
        for run in self._snapshots:
            self.recall_run(run, self._take_history)

    def _take_history(self, run: str, history: RunHistory) -> None:
        self._change(lab_settings.recalled(self._settings, run, history))
        selected = self._settings.selected
        if self._turning and selected and selected.run == run:
            by, self._turning = self._turning, 0
            self._try(lambda: lab_settings.turn(self._settings, by))

    def _change(self, settings: LabSettings) -> None:
        """Show new settings: at once, when every theta has answered, or with the next tick."""
        self._settings = settings
        if not self.is_mounted or not self.in_front:
            return
        self._ask(follow=False)
        if self._pending.waits:
            self._show_lines()
        else:
            self.show()

    def _try(self, changed: Callable[[], LabSettings]) -> None:
        """Change the settings, or show why that is not possible."""
        try:
            settings = changed()
        except LabError as error:
            self.show_message(str(error))
            return
        self._change(settings)

    def edit(self, changed: Callable[[LabState], LabState]) -> None:
        self._try(lambda: replace(self._settings, lab=changed(self._settings.lab)))

    # Keys: the task.

    def action_move(self, columns: int, rows: int) -> None:
        """Move the cursor, and the point it has grabbed."""
        self.edit(lambda at: lab.move(at, columns, rows))

    def action_place(self) -> None:
        self.edit(lab.add)

    def action_grab(self) -> None:
        self.edit(lab.take)

    def action_delete(self) -> None:
        self.edit(lab.delete)

    # Keys: settings.

    def action_choose_next(self, by: int) -> None:
        self._change(lab_settings.choose(self._settings, by))
        if self._settings.origin is not None:
            self.recall()

    def action_choose(self, index: int) -> None:
        """Choose the setting that was clicked."""
        self._change(replace(self._settings, chosen=index))
        if self._settings.origin is not None:
            self.recall()

    def action_turn(self, by: int) -> None:
        """Decrease or increase the chosen setting."""
        selected = self._settings.selected
        if selected and not selected.has_checkpoints:
            self._turning = by  # there may be some by now
            self.recall()
        else:
            self._try(lambda: lab_settings.turn(self._settings, by))

    def action_type_in(self) -> None:
        name, value, hint = lab_settings.prompt(self._settings)
        asked: TypeIn[LabSettings] = TypeIn(
            name, value, hint, lambda text: lab_settings.type_in(self._settings, text)
        )
        self.app.push_screen(asked, self._take_settings)

    def _take_settings(self, settings: LabSettings | None) -> None:
        if settings:
            self._change(settings)

    def action_freeze(self) -> None:
        if self._settings.frozen:
            self.show_message("θ follows training")
            self._change(lab_settings.follow(self._settings))
        else:
            self.show_message(
                f"θ frozen; {self.dashboard.key('lab freeze')}: follow training again"
            )
            self._change(lab_settings.hold(self._settings, self._pending.seen()))

    # Keys: steps.

    def action_step(self, by: int) -> None:
        """Show another step, and stop the slow motion."""
        self._play(False)
        super().action_step(by)

    def action_replay(self) -> None:
        """Play from this step, or from the first if this is the last; or stop."""
        state = self._settings.lab
        self._play(not self._playing)
        if self._playing and state.step == state.updates:
            self.edit(lambda at: lab.step(at, -at.step))

    def _play_on(self) -> None:
        self.edit(lambda at: lab.step(at, 1))
        if self._settings.lab.step == self._settings.lab.updates:
            self._play(False)

    def _play(self, playing: bool) -> None:
        if playing == self._playing:
            return
        self._playing = playing
        if playing:
            self._player.resume()
        else:
            self._player.pause()
        if self.in_front:
            self.show()

    # The mouse.

    @on(WaveChart.Pressed)
    def _press(self, pressed: WaveChart.Pressed) -> None:
        x, y, near = pressed.x, pressed.y, pressed.near
        if pressed.button == _LEFT_BUTTON:
            self.edit(lambda at: lab.press(at, x, y, near))
        elif pressed.button == _RIGHT_BUTTON:
            self.edit(lambda at: lab.wipe(at, x, y, near))

    @on(WaveChart.Dragged)
    def _drag(self, dragged: WaveChart.Dragged) -> None:
        self.edit(lambda at: lab.place(at, dragged.x, dragged.y))

    @on(WaveChart.Released)
    def _release(self) -> None:
        self.edit(lab.release)
