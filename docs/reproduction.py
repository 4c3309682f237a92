"""Writes the tables of reproduction.md from runs, and trains the runs that are missing.

    .venv/bin/python docs/reproduction.py [NAME ...] [--seeds 5] [--folder FOLDER]

All words are those of ``tui-meta reproduce``. `make reproduction` runs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parent / "reproduction.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def main() -> int:
    """Run ``tui-meta reproduce`` and put its tables between the marks of the page."""
    with tempfile.TemporaryDirectory() as folder:
        tables = Path(folder) / "tables.md"
        command = [sys.executable, "-m", "tui_meta", "reproduce", *sys.argv[1:]]
        code = subprocess.call([*command, "--to", "markdown", "--out", str(tables)])
        if not tables.exists():
            return code
        text = PAGE.read_text()
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        words = " ".join(["tui-meta reproduce", *sys.argv[1:]])
        PAGE.write_text(
            f"{before}{BEGIN}\n\nWritten by `{words}`.\n\n{tables.read_text()}\n{END}{after}"
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
