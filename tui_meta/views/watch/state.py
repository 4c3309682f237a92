"""What the watch screen shows of the runs, apart from any terminal: panels, charts and lenses."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from core.commands import SetPace
from core.evaluation.few_shot_tasks import PROBES, ProbeName
from core.events import Evaluated, Snapshot
from core.session.api import View
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.event_history import EventHistory
from tui_meta.views.keys.footer import Situation, footer
from tui_meta.views.messages.log import MessageKey
from tui_meta.views.plots.plot import Plot
from tui_meta.views.recent import Recent
from tui_meta.views.run_settings import is_validated
from tui_meta.views.run_status import RunStatus, run_lines, title_line
from tui_meta.views.text import Line, Span, line
from tui_meta.views.watch import layout
from tui_meta.views.watch.charts import Charts, task_line
from tui_meta.views.watch.commands import RunCommands
from tui_meta.views.watch.facts import count_facts, fact_lines, facts_title
from tui_meta.views.watch.lens import (
    Lens,
    LensPart,
    moved,
    read_out,
    reason_against,
)
from tui_meta.views.watch.loss_table import LossTable
from tui_meta.views.watch.run_lines import RunLines
from tui_meta.views.watch.verdicts import Verdicts


class WatchState:
    """What each part of the watch screen shows of ``dashboard``.

    ``panel`` must stay visible, ``chart`` is the chart that has the place which all charts share,
    and ``pinned`` is the evaluation that the user asked for, shown until they go back.
    """

    def __init__(self, dashboard: DashboardState) -> None:
        self.dashboard = dashboard
        self.messages = dashboard.messages
        self.lines = RunLines()
        self.chart = self.first_chart
        self.enlarged = False
        self.arrangement = layout.Arrangement(())
        self._size = (0, 0)
        self._title, self._footer = Recent[Line](), Recent[Line]()
        self.lenses: dict[str, Lens] = {}
        """Display options of charts that differ from the defaults."""
        self._begin()
        self.panel = self.chart if self.many else layout.TABLE
        dashboard.on_restart.append(self._begin)
        dashboard.on_added.append(self._grow)

    def _begin(self) -> None:
        self.pinned: ProbeName | None = None
        self.paces: dict[str, float | None] = {}
        """Paces asked for, which snapshots may not know yet."""
        self.verdicts = Verdicts()
        self.lines.begin(self.dashboard.snapshots, self.dashboard.titles)
        self._charts = Charts(self.lines.curves)
        self._still: tuple[list[RunStatus], EventHistory] | None = None

    def _grow(self) -> None:
        """Show runs that were added; a frozen view has no place for them."""
        if self.frozen:
            self.freeze()
        self.lines.grow(self.dashboard.snapshots, self.dashboard.titles)
        self._charts = Charts(self.lines.curves)
        self.turn_to(self.panel)

    @property
    def first_chart(self) -> str:
        """The chart that is shown first: validation, where there is any."""
        validated = any(self.dashboard.history.validations.values())
        planned = any(map(is_validated, self.dashboard.snapshots.values()))
        return layout.VALIDATION if validated or planned else layout.TRAINING

    @property
    def many(self) -> bool:
        """True for so many runs that each has one line, and some panels show one run only."""
        return self.lines.many

    @property
    def chosen(self) -> int | None:
        """The run that is in front of the others."""
        return self.lines.chosen

    @property
    def wave(self) -> str:
        """The panel with the waves of the chosen run."""
        return layout.wave(0 if self.many else self.chosen or 0)

    @property
    def order(self) -> Sequence[str]:
        """Everything that can have the focus, in the order of the tab key."""
        return self.lines.order

    @property
    def frozen(self) -> bool:
        """True while table and charts are frozen; the runs may be training."""
        return self._still is not None

    @property
    def _shown(self) -> tuple[list[RunStatus], EventHistory]:
        """The current status and history, or those at the time of freezing."""
        return self._still or (self.dashboard.statuses, self.dashboard.history)

    def scope(self, focused_line: str | None) -> list[Snapshot]:
        """The runs that a key acts on: all, or those of the line that has the focus."""
        runs = list(self.dashboard.snapshots.values())
        return runs if focused_line is None else self.lines.among(runs, focused_line)

    def show_command(self, order: RunCommands) -> None:
        """Show the message of a key, and remember the states and paces that it requests."""
        if order.key:
            self.messages.expect(order.key, order.message, len(order.commands))
        else:
            self.messages.show_message(order.message)
        for run, command in order.commands:
            if isinstance(command, SetPace):
                self.paces[run] = command.pace
        if order.wanted:
            self.dashboard.expect_state([run for run, _ in order.commands], order.wanted)

    # The view.

    def arrange(self, width: int, height: int) -> layout.Arrangement:
        """The arrangement of the panels for a terminal of this size."""
        self._size = (width, height)
        shown = self.lines.shown
        self.arrangement = layout.arrange(
            width,
            height,
            len(self.dashboard.snapshots),
            self.panel,
            self.chart,
            line=shown.index(self.lines.line),
            lines=len(shown),
            first=self.arrangement.lines.start,
            enlarged=self.enlarged,
            verdict=self.verdicts.most_rows,
            facts=count_facts(self._in_detail) if layout.is_wide(width, height) else 0,
        )
        return self.arrangement

    def turn_to(self, panel: str) -> None:
        """Make ``panel`` the one that stays visible."""
        self.panel = panel
        if panel in layout.CHARTS:
            self.chart = panel

    def choose(self, name: str) -> bool:
        """Bring the run of a line to the front; of many, panels for a single one show it.

        False if that is the one in front already.
        """
        return self.lines.choose(name, list(self.dashboard.snapshots.values()))

    def follow(self) -> bool:
        """Choose another run of a group in place of one that has ended; False if none has."""
        return bool(self.lines.groups) and self.choose(self.lines.line)

    def freeze(self) -> None:
        """Freeze or unfreeze table and charts."""
        self._still = (
            None if self._still else (self.dashboard.statuses, self.dashboard.history.still())
        )
        key = self.dashboard.key("freeze")
        frozen = f"view frozen (training continues); {key} or esc: unfreeze"
        self.messages.show_message(frozen if self._still else "view live again")

    @property
    def lens_panel(self) -> str:
        """The chart that keys change: the one to be seen, or that in the common place."""
        return self.chart if self.panel == layout.TABLE else self.panel

    def lens(self, panel: str) -> Lens:
        """Return the display options of ``panel``."""
        return self.lenses.get(panel, Lens())

    def change_lens(self, what: LensPart) -> None:
        """Change the scale, the window or the smoothing of a chart, or say why not."""
        panel = self.lens_panel
        before = self.lens(panel)
        reason = reason_against(what, panel)
        if reason:
            self.messages.show_message(reason)
            return
        self.lenses[panel] = before.changed(what)
        self.messages.show_message(
            f"{layout.CHART_NAMES[panel]}: {self.lens(panel).words_of(what)}"
        )

    @property
    def cursor_on(self) -> bool:
        """True if the chart in focus has a cursor."""
        return self.panel != layout.TABLE and self.lens(self.panel).cursor is not None

    def toggle_cursor(self) -> None:
        """Put a cursor on a chart, or take it away."""
        panel = self.lens_panel
        if self.lens(panel).cursor is not None:
            self.lenses[panel] = replace(self.lens(panel), cursor=None)
            return
        self.turn_to(panel)
        self.move_cursor(0)

    def move_cursor(self, steps: int) -> None:
        """Move the cursor of the chart in focus, or put one there."""
        panel = self.lens_panel
        ((_, plot),) = self._plots([panel])
        at = moved(plot, self.lens(panel).cursor, steps)
        if at is None:
            self.messages.show_message("no curve to read values from yet")
        self.lenses[panel] = replace(self.lens(panel), cursor=at)

    def turn_to_evaluation(self, probe: ProbeName) -> None:
        """Keep the coming evaluation on show, on a panel that is made for it."""
        self._still = None
        self.pinned = probe
        asked = f"evaluating: {PROBES[probe].title}…"
        key = MessageKey("evaluate", probe)
        self.messages.expect(key, asked, len(self.dashboard.snapshots))
        if probe == "compare":
            self.turn_to(layout.UPDATES)
        elif not any(map(layout.is_wave, self.arrangement.panels)):
            self.turn_to(self.wave)

    def go_back(self) -> bool:
        """Undo one of: an error's line, a cursor, a frozen view, a large panel, a kept
        evaluation, another chart, an opened group; False if there is none.
        """
        if self.messages.dismiss():
            return True
        if self.cursor_on:
            self.toggle_cursor()
        elif self.frozen:
            self.freeze()
        elif self.enlarged:
            self.enlarged = False
        elif self.pinned or self.chart != self.first_chart:
            self.pinned = None
            self.chart = self.first_chart
            if self.panel in layout.CHARTS:
                self.panel = self.chart
        else:
            return self.lines.close_group()
        return True

    def view(self) -> View:
        """Return the view, to be restored by the next client."""
        return {
            "panel": self.panel,
            "chart": self.chart,
            "enlarged": self.enlarged,
            "pinned": self.pinned,
            **self.lines.view,
            **{f"lens {panel}": lens.coded for panel, lens in self.lenses.items()},
        }

    def restore(self, view: View) -> None:
        """Restore the view of another client; unknown parts are ignored."""
        known = layout.all_panels(len(self.dashboard.snapshots))
        panel, chart, pinned = view.get("panel"), view.get("chart"), view.get("pinned")
        self.lines.restore(view)
        if chart in layout.CHARTS:
            self.chart = str(chart)
        if panel in known:
            self.turn_to(str(panel))
        lenses = {name: Lens.of(view.get(f"lens {name}")) for name in known}
        self.lenses = {name: lens for name, lens in lenses.items() if lens}
        self.enlarged = view.get("enlarged") is True
        self.pinned = next((name for name in PROBES if name == pinned), None)

    # Content of each part.

    def title(self, width: int) -> Line:
        """The first line of the screen."""
        lines = self.arrangement.lines
        hidden = len(self.lines.shown) - len(lines)
        tabs = layout.tab_line(self.arrangement.tabs)
        if hidden:
            of = f"{self.lines.noun} {lines.start + 1}-{lines.stop} of {len(lines) + hidden} "
            tabs = line(Span(of, "bold"), *tabs)
        inputs = self.dashboard.statuses, self.dashboard.connection, tabs, width, self.frozen
        return self._title.of(inputs, lambda: title_line(*inputs[:-1], frozen=self.frozen))

    def message_lines(self, width: int) -> Sequence[Line]:
        """Return the newest messages; in a tiny terminal, the size it needs."""
        if not self.arrangement.rows:
            return (layout.too_small(*self._size),)
        return self.dashboard.message_lines(width, self.arrangement.message_rows)

    def run_lines(self, width: int, rows: int) -> Mapping[str, Sequence[Line]]:
        """Return the lines that are shown."""
        statuses, numbers = self.dashboard.statuses, self.arrangement.lines
        if self.many:
            shown = self.lines.rows(numbers, statuses, self.dashboard.history, width)
            return {name: (row,) for name, row in shown.items()}
        longest = max(len(one.title) for one in statuses)
        return {
            layout.run_line(one.index): run_lines(one, width, rows, longest) for one in statuses
        }

    def verdict_lines(self, width: int) -> Sequence[Line]:
        """Return the verdict, if there is one, in the rows that it has."""
        verdict = self.verdicts.current
        return verdict.lines(width, self.arrangement.verdict_rows) if verdict else ()

    def footer(self, focused_line: str | None, width: int) -> Line:
        """The keys that apply now."""
        runs = self.scope(focused_line)
        focused = "" if focused_line is None else self.lines.titles[focused_line]
        situation = Situation(
            runs,
            focused,
            opens=focused_line is not None and layout.is_group(focused_line),
            enlarged=self.enlarged,
            back=self.enlarged
            or self.lines.opened is not None
            or self.frozen
            or self.cursor_on
            or self.pinned is not None
            or self.chart != self.first_chart,
            detachable=self.dashboard.connection.id is not None,
            read_only=self.dashboard.connection.read_only,
            frozen=self.frozen,
            keymap=self.dashboard.keymap,
        )
        return self._footer.of((situation, width), lambda: footer(situation, width))

    def table(self, width: int) -> LossTable:
        """The loss table in ``width`` cells."""
        return LossTable(self._shown[1], self._in_detail, width)

    def facts(self, width: int, rows: int) -> tuple[str, Sequence[Line]]:
        """Return the runs in numbers, and their title."""
        runs = self._in_detail
        return facts_title(runs, rows), fact_lines(runs, width, rows)

    @property
    def _in_detail(self) -> Sequence[RunStatus]:
        """The runs that panels without room for many runs show."""
        runs, _ = self._shown
        return [self.lines.one(runs[self.chosen or 0])] if self.many else runs

    @property
    def evaluations(self) -> Mapping[str, Evaluated]:
        """The evaluation of each run that its wave shows."""
        return self._shown[1].newest(self.pinned or "validation")

    def plots(self, panels: Collection[str] | None = None) -> dict[str, tuple[Plot, str]]:
        """Return the plot of each visible chart (of those in ``panels``), and the text below."""
        shown = self.arrangement.panels
        visible = [panel for panel in shown if panels is None or panel in panels]
        made = {}
        for panel, plot in self._plots(visible):
            if plot.cursor is None:
                made[panel] = plot, self._below(panel)
            else:
                name = layout.CHART_NAMES.get(panel) or plot.title.partition("  ")[0]
                made[panel] = read_out(plot, plot.cursor, name, at_edge=self.arrangement.framed)
        return made

    def _plots(self, panels: Sequence[str]) -> Iterator[tuple[str, Plot]]:
        statuses, history = self._shown
        runs = self.lines.drawn(statuses)
        evaluations = self.evaluations
        self._charts.front = self.lines.front
        self._charts.alone = len(runs) > layout.MOST_IN_DETAIL
        waves = layout.waves(len(statuses))
        if set(waves) & set(panels):
            lenses = [self.lens(panel) for panel in waves]
            drawn = self._charts.waves(evaluations, self._in_detail, lenses)
            made = zip(waves, drawn, strict=True)
            yield from (pair for pair in made if pair[0] in panels)
        for panel in panels:
            match panel:
                case layout.VALIDATION:
                    yield panel, self._charts.validation(history, runs, self.lens(panel))
                case layout.TRAINING:
                    yield panel, self._charts.training(history, runs, self.lens(panel))
                case layout.UPDATES:
                    yield panel, self._charts.updates(evaluations, runs, self.lens(panel))

    def _below(self, panel: str) -> str:
        """Return the text at a chart's lower edge: its place among several, or the wave's task."""
        if panel in layout.CHARTS:
            return layout.chart_hint(panel, self.arrangement)
        run = self._in_detail[layout.number(panel)].snapshot.run
        kept = "esc: live · " if self.pinned else ""
        return kept + task_line(self.evaluations.get(run))
