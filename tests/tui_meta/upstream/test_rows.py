"""Rows that are rendered quickly look as Textual renders them."""

import pytest
from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.css.styles import RenderStyles
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui_meta.upstream.rows import QuickRows

pytestmark = pytest.mark.usefixtures("every_frame")

WHOLE = Region(0, 0, 20, 6)


class Rows(Widget):
    """Rows of other lengths than the widget is wide."""

    def render_line(self, y: int) -> Strip:
        return Strip([Segment("row " * 2 * y, self.visual_style.rich_style)])


class Few(App[None]):
    CSS = """
    Rows { width: 20; height: 6; }
    .-sides { border: round red; background: blue; }
    .-top { border-top: heavy green; border-left: blank white; }
    """

    def compose(self) -> ComposeResult:
        for classes in ("", "-sides", "-top"):
            widget = Rows(classes=classes)
            widget.border_title = "title"
            yield widget


async def test_rows_look_as_textual_renders_them() -> None:
    async with Few().run_test() as pilot:
        for widget in pilot.app.query(Rows):
            quick, usual = (
                cache.render_widget(widget, WHOLE) for cache in (QuickRows(), StylesCache())
            )
            assert [_look(row) for row in quick] == [_look(row) for row in usual]


def _look(row: Strip) -> list[Segment]:
    return list(row.simplify())


async def test_changed_rows_are_rendered_again() -> None:
    async with Few().run_test() as pilot:
        widget, rows = pilot.app.query(Rows)[1], QuickRows()
        before = rows.render_widget(widget, WHOLE)
        assert rows.render_widget(widget, WHOLE) is before
        rows.set_dirty(Region(0, 2, 20, 1))
        after = rows.render_widget(widget, WHOLE)
        assert [one is other for one, other in zip(before, after, strict=True)] == [
            *(True, True, False),
            *(True, True, True),
        ]
        rows.clear()
        assert rows.render_widget(widget, WHOLE)[1] is not before[1]


@pytest.mark.parametrize(("kind", "more"), [(StylesCache, True), (QuickRows, False)])
async def test_textual_still_asks_for_rules_for_each_row(
    kind: type[StylesCache], more: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Few().run_test() as pilot:
        widget = pilot.app.query(Rows)[1]
        asked = list[str]()
        get_rule = RenderStyles.get_rule

        def noted(styles: RenderStyles, name: str, default: object = None) -> object:
            asked.append(name)
            return get_rule(styles, name, default)

        monkeypatch.setattr(RenderStyles, "get_rule", noted)
        counts = []
        for rows in (1, 4):
            asked.clear()
            kind().render_widget(widget, Region(0, 1, 20, rows))
            counts.append(len(asked))
        assert (counts[1] > counts[0] + 10) is more
