"""Textual still repaints what has not changed."""

import asyncio
from collections.abc import Callable, Iterable

import pytest
from textual._compositor import ReflowResult
from textual.app import App, ComposeResult
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import Specificity3
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from tui_meta.upstream.repaint import (
    FocusStyledOnce,
    LaidOutOnce,
    OneFrame,
    PlainModal,
    QuietBelow,
    QuietFocus,
    rendered,
    set_border_subtitle,
    set_border_title,
)

pytestmark = pytest.mark.usefixtures("every_frame")


def repaints(set_title: Callable[[Static], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the repaints when the title that a widget already has is set again."""
    widget, painted = Static(), list[object]()
    set_title(widget)
    monkeypatch.setattr(widget, "refresh", lambda *_, **__: painted.append(1))
    set_title(widget)
    return len(painted)


def test_textual_still_repaints_for_an_equal_border_title(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repaints(lambda widget: setattr(widget, "border_title", "loss"), monkeypatch) == 1


@pytest.mark.parametrize("set_title", [set_border_title, set_border_subtitle])
def test_an_equal_border_title_repaints_nothing(
    set_title: Callable[[Static, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repaints(lambda widget: set_title(widget, "loss [1]"), monkeypatch) == 0


@pytest.mark.parametrize(("set_title", "row"), [(set_border_title, 0), (set_border_subtitle, 4)])
async def test_a_border_title_repaints_its_edge(
    set_title: Callable[[Widget, str], None], row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Framed(App[None]):
        CSS = "Static { border: solid white; padding: 0 1; height: 5; width: 20; }"

        def compose(self) -> ComposeResult:
            yield Static("text")

    async with Framed().run_test(size=(40, 10)) as pilot:
        widget = pilot.app.query_one(Static)
        rendered = list[int]()
        render = widget._styles_cache.render_line

        def noted(styles: object, y: int, *others: object, **options: object) -> object:
            rendered.append(y)
            return render(styles, y, *others, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(widget._styles_cache, "render_line", noted)
        set_title(widget, "loss")
        await pilot.pause(0.1)
        assert rendered == [row]
        (edge,) = widget.render_lines(Region(0, row, 20, 1))
        assert "loss" in edge.text


async def test_a_screen_is_styled_again_where_the_theme_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    styled = list[DOMNode]()
    monkeypatch.setattr(DOMNode, "update_node_styles", lambda node, **_: styled.append(node))
    async with App[None]().run_test() as pilot:
        dialog = PlainModal[None]()
        pilot.app.install_screen(dialog, "dialog")
        for theme, times in (("", 0), ("", 0), ("textual-light", 1), ("", 0)):
            if theme:
                pilot.app.theme = theme
                await pilot.pause()
            styled.clear()
            pilot.app.push_screen("dialog")
            await pilot.pause()
            assert styled.count(dialog) == times
            pilot.app.pop_screen()
            await pilot.pause()


@pytest.mark.parametrize(("kind", "finds"), [(Widget, True), (FocusStyledOnce, False)])
async def test_textual_still_finds_the_rules_of_a_focus_again(
    kind: type[Widget], finds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Two(App[None]):
        CSS = ".-seen { border: solid white; &:focus { border: heavy red; } }"

        def compose(self) -> ComposeResult:
            for _ in range(2):
                widget = kind(classes="-seen")
                widget.can_focus = True
                yield widget

    async with Two().run_test() as pilot:
        await pilot.press("tab", "tab", "tab")
        first, second = pilot.app.query(".-seen")
        found = list[object]()
        check = Stylesheet._check_rule

        def noted(_: Stylesheet, rules: RuleSet, nodes: list[DOMNode]) -> Iterable[Specificity3]:
            found.append(rules)
            return check(rules, nodes)

        monkeypatch.setattr(Stylesheet, "_check_rule", noted)
        for focused, other in ((first, second), (second, first)):
            focused.focus()
            await pilot.pause()
            assert (focused.styles.border_top[0], other.styles.border_top[0]) == ("heavy", "solid")
        assert bool(found) is finds


@pytest.mark.parametrize(("kind", "again"), [(Screen[None], True), (OneFrame, False)])
async def test_textual_still_arranges_twice_where_a_widget_was_hidden(
    kind: type[Screen[None]], again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with App[None]().run_test(size=(40, 10)) as pilot:
        screen, shown, hidden = kind(), Static(), Static()
        hidden.display = False
        pilot.app.push_screen(screen)
        await screen.mount(shown, hidden)
        await pilot.pause(0.1)
        arranged, laid_out = list[object](), list[object]()
        monkeypatch.setattr(screen._compositor, "reflow", _counting(screen, laid_out))
        arrange = screen._compositor._arrange_root

        def counted(root: Widget, size: Size, visible_only: bool = True) -> object:
            arranged.append(size)
            return arrange(root, size, visible_only)

        monkeypatch.setattr(screen._compositor, "_arrange_root", counted)
        shown.display, hidden.display = False, True
        await pilot.pause(0.1)
        assert hidden.region.area
        assert laid_out
        assert (len(arranged) > len(laid_out)) is again


def test_textual_still_repaints_a_screen_when_the_focus_moves() -> None:
    assert Screen.focused._repaint
    assert not QuietFocus.focused._repaint


@pytest.mark.parametrize(("kind", "layouts"), [(Widget, 2), (LaidOutOnce, 1)])
async def test_textual_still_lays_a_screen_out_twice_for_a_new_size(
    kind: type[Widget], layouts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class One(App[None]):
        def compose(self) -> ComposeResult:
            yield kind()

    async with One().run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        laid_out = list[object]()
        original = Screen._refresh_layout

        def counted(screen: Screen[None], *args: object, **options: object) -> None:
            laid_out.append(screen)
            original(screen, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        pilot.app.query_one(kind).styles.height = 5
        await pilot.pause(0.1)
        assert len(laid_out) == layouts


@pytest.mark.parametrize(("kind", "layouts"), [(Screen[None], 2), (OneFrame, 1)])
async def test_textual_still_lays_out_before_all_widgets_have_said_what_changed(
    kind: type[Screen[None]], layouts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with App[None]().run_test(size=(40, 10)) as pilot:
        screen, first, second = kind(), Static(), Static()
        pilot.app.push_screen(screen)
        await screen.mount(first, second)
        await pilot.pause(0.1)
        laid_out = list[object]()
        monkeypatch.setattr(screen._compositor, "reflow", _counting(screen, laid_out))
        first.styles.height = 2
        for _ in range(3):  # until the first one's message has arrived
            await asyncio.sleep(0)
        second.styles.height = 3
        while second.size.height != 3:
            await asyncio.sleep(0)
        assert len(laid_out) == layouts


@pytest.mark.parametrize(("kind", "waits"), [(Screen[None], True), (OneFrame, False)])
async def test_textual_still_lets_time_pass_before_a_key_is_answered(
    kind: type[Screen[None]], waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy(App[None]):
        has_pending_keys = True

    async with Busy().run_test(size=(40, 10)) as pilot:
        screen, text = kind(), Static("text")
        await pilot.app.push_screen(screen)
        await screen.mount(text)
        await pilot.pause(0.1)
        waiting, resume = list[object](), screen._update_timer.resume
        monkeypatch.setattr(screen._update_timer, "resume", lambda: waiting.append(resume()))
        text.update("another text")
        await pilot.pause(0.1)
        assert "another" in "".join(strip.text for strip in rendered(screen))
        assert bool(waiting) is waits


@pytest.mark.parametrize(("kind", "repeats"), [(Screen[None], True), (QuietBelow, False)])
async def test_textual_still_repaints_a_dialog_where_nothing_has_changed_below(
    kind: type[Screen[None]], repeats: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with App[None]().run_test(size=(40, 10)) as pilot:
        screen, text, dialog = kind(), Static("text"), PlainModal[None]()
        dialog.styles.background = "transparent"
        await pilot.app.push_screen(screen)
        await screen.mount(text)
        await pilot.pause(0.1)
        repainted = list[Region]()
        monkeypatch.setattr(dialog, "refresh", lambda *regions, **_: repainted.extend(regions))
        await pilot.app.push_screen(dialog)
        await pilot.pause(0.1)
        assert bool(repainted) == repeats
        repainted.clear()
        text.refresh()
        for _ in range(4):
            await pilot.pause(0.05)
            screen.call_later(lambda: None)
        assert repainted
        assert (len(repainted) > 1) == repeats


@pytest.mark.parametrize(("kind", "kept"), [(ModalScreen[None], False), (PlainModal[None], True)])
async def test_textual_still_forgets_what_changes_while_a_part_of_a_dialog_is_repainted(
    kind: type[ModalScreen[None]], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with App[None]().run_test(size=(40, 10)) as pilot:
        dialog, text = kind(), Static("text")
        await pilot.app.push_screen(dialog)
        await dialog.mount(text)
        await pilot.pause(0.1)
        painted, regions = list[Region](), dialog._compositor._dirty_regions
        monkeypatch.setattr(dialog, "_compositor_refresh", lambda: painted.extend(regions))
        text.refresh()
        dialog._dirty_widgets.add(text)  # as its message does
        dialog.refresh(Region(0, 9, 40, 1))
        dialog._on_timer_update()
        assert any(one.y == 9 for one in painted)
        assert any(one.overlaps(text.region) for one in painted) == kept


def _counting(screen: Screen[None], calls: list[object]) -> Callable[[Widget, Size], ReflowResult]:
    reflow = screen._compositor.reflow

    def counted(parent: Widget, size: Size) -> ReflowResult:
        calls.append(size)
        return reflow(parent, size)

    return counted


async def test_textual_still_tints_the_screen_below_where_nothing_is_to_be_tinted() -> None:
    class Clear(ModalScreen[None]):
        CSS = "Clear { background: transparent; }"

        def render(self) -> object:  # type: ignore[override]
            drawn.append(super().render())
            return drawn[-1]

    drawn: list[object] = []
    async with App[None]().run_test() as pilot:
        pilot.app.push_screen(Clear())
        await pilot.pause()
        assert any(isinstance(one, BackgroundScreen) for one in drawn)


async def test_a_dialog_covers_a_window_that_has_grown_before_the_screen_below() -> None:
    class Dialog(PlainModal[None]):
        pass

    async with App[None]().run_test(size=(40, 10)) as pilot:
        pilot.app.push_screen(Dialog())
        await pilot.pause()
        strips = pilot.app.screen.render_lines(Region(0, 0, 60, 20))
        assert [strip.cell_length for strip in strips] == [60] * 20
