"""All that the watch screen knows, apart from any terminal: what happened and what is looked at."""

from collections.abc import Collection, Mapping, Sequence

from core.adaptation import PROBES, ProbeName
from core.events import (
    AnyEvent,
    Evaluated,
    Progress,
    Recovered,
    SaveFailed,
    SetPace,
    Snapshot,
)
from core.session import Connection, View
from tui_meta.views import layout
from tui_meta.views.charts import Charts, task_line
from tui_meta.views.keys import Situation, footer
from tui_meta.views.loss_table import LossTable
from tui_meta.views.messages import Messages
from tui_meta.views.orders import Order
from tui_meta.views.plot import Plot
from tui_meta.views.record import Record
from tui_meta.views.standing import Standing, standings, title_line, titles
from tui_meta.views.text import Line, Span, clip, line, plain, printable


class Watching:
    """Folds events and snapshots, and says what each part of the screen shows.

    ``history`` are events of earlier sittings. ``panel`` is the one that must be seen, ``chart``
    the one of the charts that has their common place, and ``pinned`` the evaluation that a person
    asked for and that stays on show until they go back.
    """

    def __init__(self, snapshots: Mapping[str, Snapshot], history: Sequence[AnyEvent] = ()) -> None:
        self.messages = Messages()
        self.panel = layout.TABLE
        self.chart = layout.TRAINING
        self.enlarged = False
        self.arrangement = layout.Arrangement(())
        self.connection = Connection()
        self.save_problems: dict[str, str] = {}
        """Why runs cannot be written at present, or could not when others replaced them."""
        self._begin(snapshots, history)

    def _begin(self, snapshots: Mapping[str, Snapshot], history: Sequence[AnyEvent]) -> None:
        self.snapshots = snapshots
        self.pinned: ProbeName | None = None
        self.paces: dict[str, float | None] = {}
        """Paces asked for, which snapshots may not know yet."""
        self.record = Record(snapshots)
        self.record.add(history)
        self.titles = titles(snapshots)
        """The runs' names on the screen."""
        self.messages.titles = {**self.messages.titles, **self.titles}
        self._charts = Charts()

    @property
    def standings(self) -> list[Standing]:
        """How each run stands."""
        return standings(self.snapshots, self.record.wanted, self.record.troubles)

    @property
    def loaded(self) -> bool:
        """Whether every run has what it needs to train."""
        return all(one.state != "loading" for one in self.snapshots.values())

    def take_in(self, news: Sequence[AnyEvent], snapshots: Mapping[str, Snapshot]) -> bool:
        """Fold new events; True if one of them is what a person waits for.

        Other runs than before begin a story of their own.
        """
        if tuple(snapshots) != self.record.runs:
            self._begin(snapshots, ())
        self.snapshots = snapshots
        self.record.add(news)
        for event in news:
            self.messages.hear(event)
            if isinstance(event, SaveFailed | Recovered):
                self.save_problems.pop(event.run, None)
            if isinstance(event, SaveFailed):
                self.save_problems[event.run] = event.problem
        return any(map(_is_awaited, news))

    def scope(self, focused_run: int | None) -> list[Snapshot]:
        """The runs that a key acts on: all, or the one whose line has the focus."""
        runs = list(self.snapshots.values())
        return runs if focused_run is None else [runs[focused_run]]

    def note(self, order: Order) -> None:
        """Say what an order says, and remember the states and paces that it asks for."""
        if order.key:
            self.messages.ask(order.key, order.say)
        else:
            self.messages.say(order.say)
        for run, command in order.commands:
            if isinstance(command, SetPace):
                self.paces[run] = command.pace
        if order.wanted:
            self.record.wanted.update({run: order.wanted for run, _ in order.commands})

    # What is looked at.

    def arrange(self, width: int, height: int) -> layout.Arrangement:
        """The arrangement of the panels for a terminal of this size."""
        self.arrangement = layout.arrange(
            width, height, len(self.snapshots), self.panel, self.chart, enlarged=self.enlarged
        )
        return self.arrangement

    def turn_to(self, panel: str) -> None:
        """From now on ``panel`` must be seen."""
        self.panel = panel
        if panel in layout.CHARTS:
            self.chart = panel

    def turn_to_evaluation(self, probe: ProbeName) -> None:
        """Keep the coming evaluation on show, on a panel that is made for it."""
        self.pinned = probe
        self.messages.ask(f"evaluate {probe}", f"evaluating: {PROBES[probe].title}…")
        if probe == "compare":
            self.turn_to(layout.UPDATES)
        elif not any(map(layout.is_wave, self.arrangement.panels)):
            self.turn_to(layout.wave(0))

    def go_back(self) -> bool:
        """Undo the last of: a large panel, a kept evaluation, another chart; False if none is."""
        if self.enlarged:
            self.enlarged = False
        elif self.pinned or self.chart != layout.TRAINING:
            self.pinned = None
            if self.panel in layout.CHARTS:
                self.panel = layout.TRAINING
            self.chart = layout.TRAINING
        else:
            return False
        return True

    def view(self) -> View:
        """What is looked at, to be remembered for the next face."""
        return {
            "panel": self.panel,
            "chart": self.chart,
            "enlarged": self.enlarged,
            "pinned": self.pinned,
        }

    def look_at(self, view: View) -> None:
        """Look at what another face was looking at; what is not known here is passed over."""
        known = layout.all_panels(len(self.snapshots))
        panel, chart, pinned = view.get("panel"), view.get("chart"), view.get("pinned")
        if chart in layout.CHARTS:
            self.chart = str(chart)
        if panel in known:
            self.panel = str(panel)
        self.enlarged = view.get("enlarged") is True
        self.pinned = next((name for name in PROBES if name == pinned), None)

    # What stands in each part.

    def title(self, width: int) -> Line:
        """The first line of the screen."""
        tabs = layout.tab_line(self.arrangement.tabs)
        return title_line(self.standings, self.connection, tabs, width)

    def message_lines(self, width: int) -> Sequence[Line]:
        """What was said last; in a tiny terminal, what size it needs.

        A problem with saving keeps a line for as long as it lasts.
        """
        if not self.arrangement.rows:
            return (layout.too_small(),)
        rows = self.arrangement.message_rows
        problems = [run for run in self.save_problems if run in self.snapshots]
        if not problems:
            return self.messages.lines(rows, width)
        run = problems[-1]
        text = f"{self.titles[run]} could not be saved: {self.save_problems[run]}"
        text = clip(printable(text), width)
        said = self.messages.lines(rows - 1, width) if rows > 1 else ()
        if any(plain(one) == text for one in said):
            return self.messages.lines(rows, width)
        return (line(Span(text, "bold red")), *said)

    def newest_message(self, width: int) -> Line:
        """What was said last, in one line."""
        (newest,) = self.messages.lines(1, width) or ((),)
        return newest

    def footer(self, focused_run: int | None, width: int) -> Line:
        """The keys that apply now."""
        runs = self.scope(focused_run)
        focused = "" if focused_run is None else self.titles[runs[0].run]
        situation = Situation(
            runs,
            focused,
            enlarged=self.enlarged,
            back=self.enlarged or self.pinned is not None or self.chart != layout.TRAINING,
            detachable=self.connection.id is not None,
            read_only=self.connection.read_only,
        )
        return footer(situation, width)

    def table(self, width: int) -> LossTable:
        """The loss table in ``width`` cells."""
        return LossTable(self.record, self.standings, width)

    def plots(self, panels: Collection[str] | None = None) -> dict[str, tuple[Plot, str]]:
        """The plot of each visible chart, or of those in ``panels``, and what stands below it."""
        runs, visible = self.standings, self.arrangement.panels
        if panels is not None:
            visible = tuple(panel for panel in visible if panel in panels)
        evaluations = self.record.newest(self.pinned)
        charts = self._charts
        made: dict[str, tuple[Plot, str]] = {}
        if layout.TRAINING in visible:
            made[layout.TRAINING] = charts.training(runs), ""
        if layout.UPDATES in visible:
            made[layout.UPDATES] = charts.updates(evaluations, runs), ""
        if layout.ADAPTED in visible:
            made[layout.ADAPTED] = charts.adapted(self.record, runs), ""
        for panel in made:
            made[panel] = made[panel][0], layout.chart_hint(panel, self.arrangement)
        shown = [one for one in runs if layout.wave(one.index) in visible]
        for one, plot in zip(runs, charts.waves(evaluations, runs) if shown else (), strict=False):
            about = task_line(evaluations.get(one.snapshot.run))
            kept = " · esc: live" if self.pinned else ""
            made[layout.wave(one.index)] = plot, about + kept
        return {panel: plot for panel, plot in made.items() if panel in visible}


def _is_awaited(event: AnyEvent) -> bool:
    """Everything but what comes by itself, again and again."""
    if isinstance(event, Evaluated):
        return event.probe != "validation"
    return not isinstance(event, Progress)
