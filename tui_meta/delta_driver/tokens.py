"""Cuts what a program writes to its terminal into pieces, and tells what the rarer ones touch."""

from __future__ import annotations

import re
from typing import Final

from tui_meta.delta_driver.screen import SURE_CLASS

TOKEN: Final = re.compile(
    rf"(?P<text>[{SURE_CLASS}]+)"
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
"""``start`` is a sequence whose end has not come yet, ``text`` has characters of one cell each."""

_MODE: Final = r"(?:1|4|5|7|8|9|12|25|100[0-7]|1015|1016|103[4-9]|1042|2004|2027|2031|2048)"

HARMLESS: Final = re.compile(
    rf"\x1b\[\?{_MODE}(?:;{_MODE})*[hl]"  # keyboard, mouse, sight of the cursor, line wrap
    r"|\x1b\[\??[\d;]*\$p|\x1b\[[<>=?][\d;]*[mnpqu]|\x1b\[[>=]?\d*c|\x1b\[5n"  # questions, keys
    r"|\x1b\[[\d;]*t|\x1b\[\d* q"  # the window, the shape of the cursor
    r"|\x1b\](?!1337;).*|\x1bPtmux;\x1b\x1b\]52;.*"  # titles, palettes, the clipboard
    r"|\x1bP[+$]q.*"  # questions
    r"|\x07",
    re.DOTALL,
)
"""What touches neither cells nor cursor nor pen."""

KEEPS_PEN: Final = re.compile(r"\x1b\[\?(?:47|1047|1049)h")
"""What may change all cells and move the cursor, but no more."""

LASTING: Final = re.compile(
    r"\x1b\[[\d;]*[hlr]"  # insertion, the meaning of line feeds, a region that scrolls
    r"|\x1b\[\?(?:\d+;)*(?:3|6|69)(?:;\d+)*[hl]"  # another width, another origin, margins
    r"|\x1b[()*+\-./%].|\x1b[NOno|}~c]|[\x0e\x0f]"  # other character sets, a reset
    r"|\x1b|[\x80-\x9f]",  # what is not well formed, and controls that few terminals know
    re.DOTALL,
)
"""What may change the meaning of all that comes after it."""
