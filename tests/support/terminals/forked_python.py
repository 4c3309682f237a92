"""Python for the workers of the tests: it has imported the program, as the fork server has.

``python forked_python.py -u -c CODE`` does what ``python -u -c CODE`` does.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.support.terminals.forked import Forked

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupted tests end their workers
    sys.exit(Forked(sys.argv[2:], Path.cwd(), os.environ, (0, 1, 2)).wait())
