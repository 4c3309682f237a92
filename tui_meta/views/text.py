"""Lines of styled text as plain data, independent of a terminal."""

from collections.abc import Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import force_setattr
from rich.cells import cell_len, chop_cells, set_cell_size

from tui_meta.views.printable import printable


class Span(Struct, frozen=True):
    """Some text in one style.

    ``style`` is a few words of Rich's (``bold``, ``dim``, ``bright_cyan``), of the 16-colour
    palette, except in heat maps. A click on the text does ``action``, if there is one. Whatever
    text is given, it is ``printable`` here.
    """

    text: str
    style: str = ""
    action: str = ""

    def __post_init__(self) -> None:
        if not self.text.isprintable():
            force_setattr(self, "text", printable(self.text))


Line = tuple[Span, ...]


def line(*parts: Span | str) -> Line:
    """A line of spans and plain text."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def plain(content: Line) -> str:
    """The line without its styles."""
    return "".join(span.text for span in content)


def cells(content: Line) -> int:
    """Return the width of the line in terminal cells."""
    return sum(cell_len(span.text) for span in content)


def clip(text: str, width: int) -> str:
    """The ``printable`` text, its end replaced by an ellipsis where it is too long."""
    text = printable(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def clip_middle(text: str, width: int) -> str:
    """The ``printable`` text, its middle replaced by an ellipsis where it is too long.

    Names of runs say at their beginning what they are, and differ at their end.
    """
    text, cells_of_tail = printable(text), (width - 1) // 2
    if cell_len(text) <= width or cells_of_tail < 1:
        return clip(text, width)
    tail = text[-cells_of_tail:]
    while cell_len(tail) > cells_of_tail:
        tail = tail[1:]
    return clip(text, width - cell_len(tail)) + tail


def fit(content: Line, width: int) -> Line:
    """The line in exactly ``width`` cells: padded, or cut with an ellipsis."""
    fitted: list[Span] = []
    room = width
    for span in content:
        size = cell_len(span.text)
        if size > room:
            fitted.append(Span(clip(span.text, room), span.style, span.action))
            room -= cell_len(fitted[-1].text)
            break
        fitted.append(span)
        room -= size
    return (*fitted, Span(" " * room)) if room else tuple(fitted)


def spread(left: Line, right: Line, width: int) -> Line:
    """``left`` and ``right`` at the two ends of ``width`` cells; ``left`` gives way."""
    room = width - cells(right)
    return (*fit(left, max(0, room - 1)), Span(" "), *right) if room > 1 else fit(left, width)


def wrap(text: str, width: int) -> list[str]:
    """Words in rows of at most ``width`` cells; a longer word continues in the next row."""
    rows: list[list[str]] = []
    used = 0
    words = [chop_cells(word, max(2, width)) for word in printable(text).split()]
    for word in chain.from_iterable(words):
        size = cell_len(word)
        if rows and used + 1 + size <= width:
            rows[-1].append(word)
            used += 1 + size
        else:
            rows.append([word])
            used = size
    return [" ".join(row) for row in rows]


def first_that_fits(candidates: Sequence[Line], width: int) -> Line:
    """The first candidate that fits ``width`` cells, else the last."""
    return next((one for one in candidates if cells(one) <= width), candidates[-1])
