"""Places where Textual repaints more than has changed.

Over a slow connection each repaint costs a key its quick answer. No upstream issue is known for
those of this module; all were seen in Textual 8.2.8.
"""

import asyncio

from rich.segment import Segment
from textual import events
from textual._compositor import Compositor, ReflowResult
from textual.content import Content
from textual.css.styles import RulesMap
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget


def set_border_title(widget: Widget, title: str) -> None:
    """Set the title of a border if it differs, and repaint the edge that it is in.

    Textual repaints the whole widget, even for an equal title, and would read it as markup.
    """
    if _plain(widget._border_title) != title:
        widget._border_title = Content(title)
        _refresh_edge(widget, 0)


def set_border_subtitle(widget: Widget, subtitle: str) -> None:
    """Set the subtitle of a border, as `set_border_title`."""
    if _plain(widget._border_subtitle) != subtitle:
        widget._border_subtitle = Content(subtitle)
        _refresh_edge(widget, widget.outer_size.height - 1)


def _plain(title: Content | None) -> str:
    return title.plain if title else ""


def _refresh_edge(widget: Widget, row: int) -> None:
    width, offset = widget.outer_size.width, widget.content_offset
    widget.refresh(Region(-offset.x, row - offset.y, width, 1))


class LaidOutOnce(Widget):
    """A widget whose change of size lays the screen out once.

    Textual lays it out twice: the size of what could be scrolled changes too, and asks for another
    layout. Such a widget does not scroll.
    """

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))


class FocusStyledOnce(Widget):
    """A widget whose rules with and without the focus are found once.

    Textual finds them each time that the focus comes or goes, which takes a tenth of the time from
    a key to another panel.
    """

    _around: object = None

    def watch_has_focus(self, _has_focus: bool) -> None:
        app, parent = self.app, self.parent
        now = app.theme, app.ansi_color, app.app_focus, app.classes, parent and parent.classes
        if now != self._around:
            self._around, self._rules = now, dict[tuple[object, ...], RulesMap]()
        app.stylesheet.apply(self, cache=self._rules)


class StyledOnce(Screen[ScreenResultType], inherit_bindings=False):
    """A screen whose styles are found once, until something changes that they depend on.

    Textual finds those of all its widgets each time that it is opened, which takes a third of the
    time from a key to an open page, also the first time, when they were found as it was composed.
    """

    _styled: object = None

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        app = self.app
        now = app.theme, app.ansi_color, app.app_focus, app.classes
        event.refresh_styles &= self._styled not in (None, now)
        self._styled = now


class QuietFocus(StyledOnce[None], inherit_bindings=False):
    """A screen that is not repainted when the focus moves.

    Textual repaints all of it, though the two widgets concerned repaint themselves.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class QuietBelow(Screen[None], inherit_bindings=False):
    """A screen of which a dialog above it repaints only what changes.

    Textual repaints all of it when the dialog opens, and repeats each later repaint with every
    message that the screen gets. Both repaint the dialog as well.
    """

    def _on_screen_suspend(self) -> None:
        self._repaint_required = False

    def _compositor_refresh(self) -> None:
        super()._compositor_refresh()
        if self.app.screen is not self:
            self._repaint_required = False


class ArrangedOnce(Compositor):
    """Arranges widgets once for a layout.

    Textual does it again for the first widget that asks for its place, if one of those to be
    painted was hidden before, or is now.
    """

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        result = super().reflow(parent, size)
        self._full_map_invalidated = False
        return result

    def update_widgets(self, widgets: set[Widget]) -> None:
        super().update_widgets({one for one in widgets if one.display})


class OneFrame(Screen[None], inherit_bindings=False):
    """A screen that is laid out and painted once for a change of several widgets.

    Textual begins as soon as the first of them has sent its message, and lays out and paints again
    for the others. While a key is being handled this is done at once; Textual lets up to a sixtieth
    of a second pass since the last time, which the key may have come just after.
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = ArrangedOnce()

    @property
    def has_pending_keys(self) -> bool:
        """True while a key has not been handled; its answer comes first."""
        return getattr(self.app, "has_pending_keys", False)

    async def _on_idle(self, event: events.Idle) -> None:
        event.prevent_default()
        await asyncio.sleep(0)  # the others send theirs
        if self.message_queue_size:
            return
        if self.has_pending_keys and (self._layout_required or self._dirty_widgets):
            self._on_timer_update()
        else:
            await super()._on_idle(event)


class PlainModal(
    StyledOnce[ScreenResultType], ModalScreen[ScreenResultType], inherit_bindings=False
):
    """A modal screen that shows the screen below as it is.

    Textual renders that screen through Rich segment by segment to tint it, also where the
    background is transparent, which takes a sixth of the time from a key to an open dialog.

    Where the screen below has a part repainted, Textual forgets which widgets of the dialog have
    changed as well.
    """

    def _on_timer_update(self) -> None:
        if self._repaint_required:
            self._repaint_required = False
            self._dirty_widgets.add(self)
        super()._on_timer_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render the screen below, without its links.

        When the window grows, that screen may still have its former size. Textual needs a strip
        of the whole width for each line, and fails without.
        """
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1]
        strips = rendered(below)[crop.y : crop.bottom]
        strips += [Strip([])] * (crop.height - len(strips))
        return [
            _without_links(strip.crop(crop.x, crop.right).adjust_cell_length(crop.width))
            for strip in strips
        ]


def rendered(screen: Screen[object]) -> list[Strip]:
    """Render all lines of a screen; Textual has no public way to them."""
    return screen._compositor.render_strips()


def _without_links(strip: Strip) -> Strip:
    plain = (
        Segment(text, style and style.clear_meta_and_links(), control)
        for text, style, control in strip
    )
    return Strip(plain, strip.cell_length)
