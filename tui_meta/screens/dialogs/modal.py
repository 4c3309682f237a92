"""What is shown over another screen, which stays in sight around it."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region
from textual.screen import ModalScreen, ScreenResultType
from textual.strip import Strip


class Modal(ModalScreen[ScreenResultType], inherit_bindings=False):
    """A modal screen whose surroundings are the screen below as it is.

    Textual sends that through Rich, piece by piece, to tint it, which takes a sixth of the time
    from a key to an open page. Nothing is tinted here, for the colours are the terminal's.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        """The screen below, where nothing can be clicked."""
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1]
        strips = below._compositor.render_strips()[crop.y : crop.bottom]
        return [_without_links(strip.crop(crop.x, crop.right)) for strip in strips]


def _without_links(strip: Strip) -> Strip:
    plain = (
        Segment(text, style and style.clear_meta_and_links(), control)
        for text, style, control in strip
    )
    return Strip(plain, strip.cell_length)
