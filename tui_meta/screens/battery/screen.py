"""The battery: all runs and a random initialisation on the same thousands of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from core.analysis.answers import AnyAnswer, BatteryResult
from core.analysis.questions import MOST_SOURCES, ExplicitTask
from core.session.api import Session
from tui_meta.screens.page import Page, page_bindings
from tui_meta.views.battery import layout as battery_layout
from tui_meta.views.battery import results as battery
from tui_meta.views.battery.layout import BatteryLayout
from tui_meta.views.battery.settings import MOST_RUNS, UNTRAINED, BatterySettings, introduction
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.export import Rows, survey_rows
from tui_meta.views.keys.pages import BATTERY_KEYS
from tui_meta.views.keys.table import PAGE_KEYS, Key
from tui_meta.views.text import Line
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines
from tui_meta.widgets.lines_panel import LinesPanel


@dataclass
class Running:
    """The survey that is being made: of sources with ``titles``, so far ``done`` of ``total``."""

    titles: tuple[str, ...]
    done: int = 0
    total: int = 1

    def tell(self, done: int, total: int) -> None:
        """So many of so many tasks are done."""
        self.done, self.total = done, total


class BatteryPage(Page):
    """Keeps the last survey until the next one is done; a survey goes on while one looks away."""

    NAME = "Battery"
    KEYS = BATTERY_KEYS
    BINDINGS: ClassVar[list[BindingType]] = page_bindings(KEYS)

    class TaskChosen(Message):
        """Somebody wants to see ``task`` closely, adapted to with so many ``updates``."""

        def __init__(self, task: ExplicitTask, updates: int) -> None:
            super().__init__()
            self.task = task
            self.updates = updates

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._settings = BatterySettings()
        self._survey: Running | None = None
        self._found: BatteryResult | None = None
        self._titles: tuple[str, ...] = ()
        self._source = 0
        self._selected: int | None = None
        """Of the worst tasks; None while the settings are chosen."""
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
        yield Horizontal(*(LinesPanel(id=f"map-{n}") for n in range(MOST_SOURCES)), id="below")

    @property
    def footer_keys(self) -> Sequence[Key]:
        start = self.KEYS[0]
        turns = self._arrangement.turns
        keys = [key for key in self.KEYS if turns or key.action != "turn(1)"]
        if self._selected is not None:
            keys[0] = replace(start, label="open in Lab")
        if self._found is None:
            keys = [key for key in keys if not key.action.startswith(("select", "source", "turn"))]
        if self._survey:
            keys = [key for key in keys if key != start]
            keys += [replace(key, label="cancel", rank=1) for key in PAGE_KEYS]
        return keys

    def copied(self) -> tuple[str, Rows]:
        if self._found is None:
            return super().copied()
        return "battery", survey_rows(self._found, self._titles)

    # Painting.

    @property
    def _arrangement(self) -> BatteryLayout:
        height = self.size.height - 4
        return battery_layout.arrange(self.size.width, height, len(self._titles), self._panel)

    def paint(self) -> None:
        width = self.size.width
        self.query_one("#settings", Lines).show([self._settings_line(width)])
        layout, about = self._arrangement, self._about(width)
        lines = self.query_one("#about", Lines)
        lines.styles.height = max(1, len(about))
        lines.show(about)
        self._show_panels(layout)
        if self._found:
            self._paint_panels(self._found, layout)

    def _settings_line(self, width: int) -> Line:
        if self._survey:
            return battery.progress_line(self._survey.done, self._survey.total, width)
        return self._settings.line(width, selected=self._selected is None)

    def _about(self, width: int) -> list[Line]:
        """What stands between the settings and the panels."""
        found, titles = self._found, self._titles
        if found is None:
            key = self.dashboard.key("battery start")
            return [(), *introduction(width, key, running=self._survey is not None)]
        table = battery.table(found, titles, width)
        if self._arrangement.brief:
            return table
        title = battery.title_line(found, titles, width)
        return [title, *table, *battery.pair_lines(found, titles, self._source, width)]

    def _show_panels(self, layout: BatteryLayout) -> None:
        shown = set(layout.above) if self._found else set()
        for panel in battery_layout.PANELS:
            self.query_one(f"#{panel}").display = panel in shown
        self.query_one(f"#{battery_layout.WORST}").set_class(len(layout.above) == 1, "-alone")
        maps = self._maps(layout)
        self.query_one("#above").display = bool(shown)
        below = self.query_one("#below")
        below.display = bool(maps)
        below.styles.height = layout.map_rows
        for source in range(MOST_SOURCES):
            self.query_one(f"#map-{source}").display = source in maps

    def _maps(self, layout: BatteryLayout) -> range:
        """The sources whose maps are below, the chosen one among them."""
        if self._found is None:
            return range(0)
        first = max(0, self._source - layout.maps + 1)
        return range(first, first + layout.maps)

    def _paint_panels(self, found: BatteryResult, layout: BatteryLayout) -> None:
        if battery_layout.HISTOGRAM in layout.above:
            chart = self.query_one(f"#{battery_layout.HISTOGRAM}", Chart)
            chart.show(battery.histogram(found, self._titles))
        if battery_layout.HEAT in layout.above:
            self._paint_map(found, battery_layout.HEAT, self._source)
        if battery_layout.WORST in layout.above:
            panel = self.query_one(f"#{battery_layout.WORST}", LinesPanel)
            width, height = panel.size
            title = f"worst tasks of {self._titles[self._source]}"
            lines = battery.worst_lines(found, self._source, self._selected, width, height)
            panel.show_titled(title, lines)
        for source in self._maps(layout):
            self._paint_map(found, f"map-{source}", source, layout.cell_rows)

    def _paint_map(self, found: BatteryResult, id: str, source: int, rows: int = 1) -> None:
        panel = self.query_one(f"#{id}", LinesPanel)
        others = range(len(found.sources))
        lines = battery.heat_lines(found, source, panel.size.width, others, rows)
        panel.show_titled(f"mean loss of {self._titles[source]}", lines)

    # Asking.

    def action_enter(self) -> None:
        """Start a survey, or open the chosen task."""
        if self._selected is not None and self._found:
            poor = self._found.sources[self._source].worst[self._selected]
            self.post_message(self.TaskChosen(poor.task, self._found.updates))
        elif self._survey:
            self.show_message("a survey is running; escape cancels it")
        else:
            self._start()

    def _start(self) -> None:
        names = self.dashboard.titles
        runs = list(names)[:MOST_RUNS]
        if len(names) > len(runs):
            self.show_message(
                f"only the first {len(runs)} of {len(names)} runs fit into one survey"
            )
        running = Running((*(names[run] for run in runs), UNTRAINED))
        self._survey = running
        self.ask(
            "survey",
            self._settings.question(runs),
            lambda answer: self._take(running, answer),
            progress=running.tell,
            failed=self._fail,
        )
        self.tick()

    def _take(self, running: Running, answer: AnyAnswer) -> None:
        if running is not self._survey:
            return  # it was cancelled when the answer was on its way
        assert isinstance(answer, BatteryResult)
        self._survey, self._found, self._titles = None, answer, running.titles
        self._source = min(self._source, len(self._titles) - 1)
        self._selected = None
        if not self.is_current:
            key = self.dashboard.key("battery")
            self.show_result(f"the survey is done; {key} shows it")
        self.tick()

    def _fail(self, problem: str) -> None:
        self._survey = None
        self.show_error(f"no survey: {problem}")
        self.tick()

    def action_back(self) -> None:
        """Cancel the survey; without one, leave the worst tasks, and then the screen."""
        if self._survey:
            self.give_up("survey")
            self._survey = None
            self.show_message("the survey was cancelled")
        elif self._selected is not None:
            self._selected = None
        else:
            super().action_back()
            return
        self.tick()

    # Choosing.

    def action_more(self, steps: int) -> None:
        """More tasks, or fewer."""
        self._set(self._settings.more(steps))

    def action_range(self) -> None:
        """Points from the other range."""
        self._set(replace(self._settings, right_half=not self._settings.right_half))

    def action_reseed(self, steps: int) -> None:
        """Other tasks."""
        self._set(self._settings.reseeded(steps))

    def _set(self, settings: BatterySettings) -> None:
        if self._survey:
            self.show_message("these are the settings of the next survey; escape cancels this one")
        self._settings, self._selected = settings, None
        self.tick()

    def action_select(self, steps: int) -> None:
        """Another of the worst tasks; above the first of them are the settings."""
        if self._found is None:
            return
        last = len(self._found.sources[self._source].worst) - 1
        place = min(last, (-1 if self._selected is None else self._selected) + steps)
        self._selected = None if place < 0 else place
        if self._selected is not None and battery_layout.WORST not in self._arrangement.above:
            self._panel = battery_layout.WORST
        self.tick()

    def action_source(self, steps: int) -> None:
        """Whose map, pairs and worst tasks are shown."""
        if self._found:
            self._source = (self._source + steps) % len(self._titles)
            self._selected = None if self._selected is None else 0
            self.tick()

    def action_turn(self, steps: int) -> None:
        """Another chart, where they take turns."""
        layout = self._arrangement
        if self._found and layout.turns:
            place = layout.turns.index(layout.above[0])
            self._panel = layout.turns[(place + steps) % len(layout.turns)]
            self.tick()
