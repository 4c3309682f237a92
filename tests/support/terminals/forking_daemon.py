"""Starts the process of a session by the fork server; the program runs it by its path."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.support.terminals.forked import request

if __name__ == "__main__":
    main = "from core.remote.process import main; main()"
    request(["-c", main], Path.cwd(), os.environ, (0, 1, 2), session=True).close()
