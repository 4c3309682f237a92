"""The status line: the newest messages, and the one that stays until it is dismissed."""

from collections.abc import Sequence

from rich.cells import cell_len

from tui_meta.views.messages.log import Message, MessageLog
from tui_meta.views.text import Line, Span, cells, clip, line, wrap

_LEAST_KEPT = 16
"""Cells, the gap included, that a result keeps next to the message of the last key."""


def status_lines(log: MessageLog, count: int, width: int) -> tuple[Line, ...]:
    """Return the newest messages in ``count`` lines, oldest first; the last may take several.

    The message that keeps a line has the first. Where there is one line only, they share it with
    the newest message, or count what came later.
    """
    kept = log.kept
    if not kept or not count:
        return _newest(log.all, count, width)
    later = [one for one in log.all[log.all.index(kept) + 1 :] if not one.dismissed]
    rows = sum(len(wrap(one.brief, width)) for one in later)
    if not later or (not kept.stays and rows < count):
        return _newest(log.all, count, width)
    first = Span(f"(esc) {kept.brief}" if kept.stays else kept.brief, kept.style or "bold")

    def more(hidden: int) -> str:
        return f" · +{hidden} ({log.key('messages')})" if hidden > 0 else ""

    if count > 1:
        rest = _newest(later, count - 1, width)
        note = more(len(later) - len(rest))
        if rest and cells((first,)) + len(note) > width >= cells(rest[-1]) + len(note):
            return (_with_note(first, "", width), *rest[:-1], line(*rest[-1], Span(note, "dim")))
        return (_with_note(first, note, width), *rest)
    newest, room = later[-1], width - cells((first,)) - 3
    if cell_len(newest.brief) > room:
        if not (kept.stays or newest.pending):
            return (_with_note(first, more(len(later)), width),)
        # The message of the last key is seen at once; a problem keeps half of the line.
        room = max(room, (width - 2) // 2, 0 if kept.stays else width - _LEAST_KEPT)
    (right,) = _newest(later, 1, room)
    return (line(Span(clip(first.text, width - 3 - cells(right)), first.style), " · ", *right),)


def _with_note(message: Span, note: str, width: int) -> Line:
    return line(Span(clip(message.text, width - len(note)), message.style), Span(note, "dim"))


def _newest(messages: Sequence[Message], count: int, width: int) -> tuple[Line, ...]:
    rows: list[Line] = []
    for one in reversed([one for one in messages if not one.dismissed]):
        style = one.style or ("dim" if rows else "bold")
        room = count - len(rows)
        if room <= 0:
            break
        pieces = wrap(one.brief, width)
        if len(pieces) > room:
            if rows:
                pieces = [one.brief]
            pieces[room - 1 :] = [" ".join(pieces[room - 1 :])]
        rows[:0] = [line(Span(clip(piece, width), style)) for piece in pieces]
    return tuple(rows)
