"""The battery screen: all runs and a random initialisation on the same thousands of tasks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from core.analysis.answers import AnyAnswer, BatteryResult
from core.analysis.questions import ExplicitTask
from core.events import Snapshot
from core.session.api import Session
from core.tasks.family import TaskFamily
from tui_meta.screens.dialogs.type_in import TypeIn
from tui_meta.screens.page import Page
from tui_meta.views.battery import layout as battery_layout
from tui_meta.views.battery import results as battery
from tui_meta.views.battery.layout import BatteryLayout
from tui_meta.views.battery.settings import (
    HINT,
    MOST_RUNS,
    UNTRAINED,
    BatterySettings,
    introduction,
)
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.pages import BATTERY_KEYS
from tui_meta.views.keys.table import PAGE_KEYS, Key
from tui_meta.views.plots.heat import ramp
from tui_meta.views.run_settings import family_of
from tui_meta.views.short_names import brief_names
from tui_meta.views.tabular import Rows, battery_rows
from tui_meta.views.text import Line
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines, LinesPanel


@dataclass
class Running:
    """A running battery of ``runs`` and others with ``titles``: ``done`` of ``total`` tasks."""

    runs: tuple[str, ...]
    titles: tuple[str, ...]
    done: int = 0
    total: int = 1

    def update(self, done: int, total: int) -> None:
        """Update the progress; called in any thread."""
        self.done, self.total = done, total


class BatteryPage(Page):
    """Shows the last battery until the next one is finished; it continues below other screens."""

    NAME = "Battery"
    KEYS = BATTERY_KEYS

    class TaskChosen(Message):
        """The user wants to open ``task`` in the Lab, adapted with ``updates`` gradient steps."""

        def __init__(self, task: ExplicitTask, updates: int) -> None:
            super().__init__()
            self.task = task
            self.updates = updates

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._settings = BatterySettings()
        self._battery: Running | None = None
        self._result: BatteryResult | None = None
        self._titles: tuple[str, ...] = ()
        self._evaluated: tuple[str, ...] = ()
        """The runs of the result, in the order of their titles."""
        self._source = 0
        self._selected: int | None = None
        """Index in the list of worst tasks; None while the settings are selected."""
        self._panel = battery_layout.HISTOGRAM

    def body(self) -> Iterable[Widget]:
        yield Lines(id="settings")
        yield Lines(id="about")
        yield Horizontal(
            Chart(id=battery_layout.HISTOGRAM),
            LinesPanel(id=battery_layout.HEAT),
            LinesPanel(id=battery_layout.WORST),
            id="above",
        )
        yield Horizontal(*(LinesPanel(id=f"map-{n}") for n in range(MOST_RUNS + 1)), id="below")

    @property
    def footer_keys(self) -> Sequence[Key]:
        start = self.KEYS[0]
        turns = self._arrangement.turns
        opens = "type settings" if self._selected is None else "open in Lab"
        keys = [
            replace(key, label=opens) if key.action == "open" else key
            for key in self.KEYS
            if turns or key.action != "turn(1)"
        ]
        if self._result is None:
            keys = [key for key in keys if not key.action.startswith(("select", "source", "turn"))]
        if self._battery:
            keys = [key for key in keys if key != start]
            keys += [replace(key, label="cancel", rank=1) for key in PAGE_KEYS]
        return keys

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        run = dict(enumerate(self._evaluated)).get(self._source)
        shown = self.dashboard.snapshots.get(run or "")
        return [shown] if shown else super().runs_in_focus

    def copied(self) -> tuple[str, Rows]:
        if self._result is None:
            return super().copied()
        return "battery", battery_rows(self._result, self._titles)

    # Painting.

    @property
    def _arrangement(self) -> BatteryLayout:
        height = self.size.height - 4
        sources, width = len(self._titles), self.size.width
        return battery_layout.arrange(width, height, sources, self._panel, framed=self.framed)

    def paint(self) -> None:
        width = self.size.width
        self.query_one("#settings", Lines).show([self._settings_line(width)])
        layout, about = self._arrangement, self._about(width)
        lines = self.query_one("#about", Lines)
        lines.styles.height = max(1, len(about))
        lines.show(about)
        self._show_panels(layout)
        if self._result:
            self._paint_panels(self._result, layout)

    def _settings_line(self, width: int) -> Line:
        if self._battery:
            return battery.progress_line(self._battery.done, self._battery.total, width)
        return self._settings.line(width, self._family, selected=self._selected is None)

    @property
    def _family(self) -> TaskFamily:
        """The task family of the first run, from which tasks are drawn."""
        return family_of(next(iter(self.dashboard.snapshots.values())))

    def _about(self, width: int) -> list[Line]:
        """Return the lines between the settings and the panels."""
        result, titles = self._result, self._titles
        if result is None:
            key = self.dashboard.key
            return [(), *introduction(width, key, self._family, running=self._battery is not None)]
        table = battery.table(result, titles, width)
        if self._arrangement.brief:
            return table
        title = battery.title_line(result, titles, width)
        return [title, *table, *battery.pair_lines(result, titles, self._source, width)]

    def _show_panels(self, layout: BatteryLayout) -> None:
        shown = set(layout.above) if self._result else set()
        for panel in battery_layout.PANELS:
            self.query_one(f"#{panel}").display = panel in shown
        self.query_one(f"#{battery_layout.WORST}").set_class(len(layout.above) == 1, "-alone")
        maps = self._maps(layout)
        self.query_one("#above").display = bool(shown)
        below = self.query_one("#below")
        below.display = bool(maps)
        below.styles.height = layout.map_rows
        for source in range(MOST_RUNS + 1):
            self.query_one(f"#map-{source}").display = source in maps

    def _maps(self, layout: BatteryLayout) -> range:
        """Return the sources whose maps are below, the chosen one among them."""
        if self._result is None:
            return range(0)
        first = max(0, self._source - layout.maps + 1)
        return range(first, first + layout.maps)

    def _paint_panels(self, result: BatteryResult, layout: BatteryLayout) -> None:
        if battery_layout.HISTOGRAM in layout.above:
            chart = self.query_one(f"#{battery_layout.HISTOGRAM}", Chart)
            chart.show(battery.histogram(result, self._titles))
        if battery_layout.HEAT in layout.above:
            self._paint_map(result, battery_layout.HEAT, self._source)
        if battery_layout.WORST in layout.above:
            panel = self.query_one(f"#{battery_layout.WORST}", LinesPanel)
            width, height = panel.size
            title = (
                f"worst tasks of {self._short_name(self._source, width - len('worst tasks of '))}"
            )
            lines = battery.worst_lines(result, self._source, self._selected, width, height)
            panel.show_titled(title, lines)
        for source in self._maps(layout):
            self._paint_map(result, f"map-{source}", source, layout.cell_rows)

    def _paint_map(self, result: BatteryResult, id: str, source: int, rows: int = 1) -> None:
        panel = self.query_one(f"#{id}", LinesPanel)
        others = range(len(result.sources))
        scale = ramp(color=not self.app.no_color, ascii=getattr(self.app, "ascii_only", False))
        lines = battery.heat_lines(result, source, panel.size.width, scale, others, rows)
        name = self._short_name(source, panel.size.width - len("mean loss of "))
        panel.show_titled(f"mean loss of {name}", lines)

    def _short_name(self, source: int, width: int) -> str:
        """Return the title of a source, or a shorter one where that is too long."""
        return brief_names(self._titles, width - 2 * self.framed)[source]

    # Running.

    def action_start(self) -> None:
        """Start a battery, unless one is running."""
        if self._battery:
            self.show_message("a battery is running; esc cancels it")
            return
        names = self.dashboard.titles
        runs = list(names)[:MOST_RUNS]
        if len(names) > len(runs):
            self.show_message(f"battery: first {len(runs)} of {len(names)} runs")
        running = Running(tuple(runs), (*(names[run] for run in runs), UNTRAINED))
        self._battery = running
        self.ask(
            "battery",
            self._settings.question(runs, self._family),
            lambda answer: self._take(running, answer),
            progress=running.update,
            failed=self._fail,
        )
        self.tick()

    def _take(self, running: Running, answer: AnyAnswer) -> None:
        if running is not self._battery:
            return  # cancelled while the answer was on its way
        assert isinstance(answer, BatteryResult)
        self._battery, self._result, self._titles = None, answer, running.titles
        self._evaluated = running.runs
        self._source = min(self._source, len(self._titles) - 1)
        self._selected = None
        if not self.is_current:
            key = self.dashboard.key("battery")
            self.show_result(f"battery finished; {key}: show")
        self.tick()

    def _fail(self, problem: str) -> None:
        self._battery = None
        self.show_error(f"battery failed: {problem}")
        self.tick()

    def action_back(self) -> None:
        """Cancel the running battery; without one, leave the worst tasks, and then the screen."""
        if self._battery:
            self.cancel("battery")
            self._battery = None
            self.show_message("battery cancelled")
        elif self._selected is not None:
            self._selected = None
        else:
            super().action_back()
            return
        self.tick()

    # Settings and selection.

    def action_more(self, steps: int) -> None:
        self._set(self._settings.more(steps))

    def action_protocol(self) -> None:
        self._set(self._settings.next_protocol())

    def action_open(self) -> None:
        """Open the selected task in the Lab, or the settings, to type them."""
        if self._selected is not None and self._result:
            hard = self._result.sources[self._source].worst[self._selected]
            if hard.task:
                self.post_message(self.TaskChosen(hard.task, self._result.protocol.last_step))
        else:
            self._type_settings()

    def _type_settings(self) -> None:
        settings, family = self._settings, self._family
        asked: TypeIn[BatterySettings] = TypeIn(
            "Settings of the next battery",
            settings.text,
            HINT,
            lambda text: settings.typed(text, family),
        )
        self.app.push_screen(asked, self._take_settings)

    def _take_settings(self, settings: BatterySettings | None) -> None:
        if settings:
            self._set(settings)

    def action_reseed(self, steps: int) -> None:
        self._set(self._settings.reseeded(steps))

    def _set(self, settings: BatterySettings) -> None:
        if self._battery:
            self.show_message("settings apply to the next battery; esc cancels this one")
        self._settings, self._selected = settings, None
        self.tick()

    def action_select(self, steps: int) -> None:
        """Select another of the worst tasks; above the first one are the settings."""
        if self._result is None:
            return
        last = len(self._result.sources[self._source].worst) - 1
        place = min(last, (-1 if self._selected is None else self._selected) + steps)
        self._selected = None if place < 0 else place
        if self._selected is not None and battery_layout.WORST not in self._arrangement.above:
            self._panel = battery_layout.WORST
        self.tick()

    def action_source(self, steps: int) -> None:
        """Choose the source whose map, pairs and worst tasks are shown."""
        if self._result:
            self._source = (self._source + steps) % len(self._titles)
            self._selected = None if self._selected is None else 0
            self.tick()

    def action_turn(self, steps: int) -> None:
        """Show another chart, where not all of them fit."""
        layout = self._arrangement
        if self._result and layout.turns:
            place = layout.turns.index(layout.above[0])
            self._panel = layout.turns[(place + steps) % len(layout.turns)]
            self.tick()
