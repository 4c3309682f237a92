"""Splits terminal output into tokens, and classifies the effect of rare sequences."""

import re
from typing import Final

from tui_meta.delta_driver.screen import SURE_CLASS

TOKEN: Final = re.compile(
    rf"(?P<text>[{SURE_CLASS}]+)"
    rf"|\x1b\[(?P<look>[\d;:]+)m(?P<styled>[{SURE_CLASS}]+)\x1b\[0m"
    r"|\x1b\[(?P<style>[\d;:]*)m"
    r"|\x1b\[(?P<place>\d*(?:;\d*)?)[Hf]"
    r"|(?P<line>\n)"
    r"|(?P<carriage>\r)"
    r"|\x1b\[\?2026(?P<mark>[hl])"
    r"|\x1b\]8;(?P<link>[^;\x07\x1b]*;[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<sequence>\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[PX^_](?:\x1b\x1b|[^\x1b])*\x1b\\"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~])"
    r"|(?P<start>\x1b(?:\[[0-?]*[ -/]*|[ -/]+"
    r"|\][^\x07\x1b]*\x1b?|[PX^_](?:\x1b\x1b|[^\x1b])*\x1b?)?\Z)"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
    rf"|(?P<other>[^\x00-\x1f\x7f-\x9f{SURE_CLASS}]+)"
)
"""``start`` is an incomplete sequence at the end; ``text`` has characters of one cell each.

So has ``styled``, text between a style and its end, of which a frame has hundreds.
"""

_MODE: Final = r"(?:1|4|5|7|8|9|12|25|100[0-7]|1015|1016|103[4-9]|1042|2004|2027|2031|2048)"

HARMLESS: Final = re.compile(
    rf"\x1b\[\?{_MODE}(?:;{_MODE})*[hl]"  # keyboard, mouse, cursor visibility, line wrap
    r"|\x1b\[\??[\d;]*\$p|\x1b\[[<>=?][\d;]*[mnpqu]|\x1b\[[>=]?\d*c|\x1b\[5n"  # queries, keyboard
    r"|\x1b\[[\d;]*t|\x1b\[\d* q"  # the window, the shape of the cursor
    r"|\x1b\](?!1337;).*"  # titles, palettes, the clipboard, notifications
    r"|\x1bPtmux;\x1b\x1b\](?:9|52|777);.*"  # the same for the terminal around tmux
    r"|\x1bP[+$]q.*"  # queries
    r"|\x07",
    re.DOTALL,
)
"""Sequences that change neither cells nor cursor nor style."""

KEEPS_PEN: Final = re.compile(r"\x1b\[\?(?:47|1047|1049)h")
"""Sequences that may change all cells and move the cursor, but not the style."""

LASTING: Final = re.compile(
    r"\x1b\[[\d;]*[hlr]"  # insert mode, meaning of line feeds, scroll region
    r"|\x1b\[\?(?:\d+;)*(?:3|6|69)(?:;\d+)*[hl]"  # another width, another origin, margins
    r"|\x1b[()*+\-./%].|\x1b[NOno|}~c]|[\x0e\x0f]"  # other character sets, a reset
    r"|\x1b|[\x80-\x9f]",  # malformed sequences, and controls that few terminals know
    re.DOTALL,
)
"""Sequences that may change the meaning of everything after them."""
